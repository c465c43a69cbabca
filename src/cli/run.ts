// Runs the command line on the streams of this process: results on standard output, messages about the run on standard error. main.ts loads
// it after it listens for signals.
import { EXIT } from "./exit.js";
import { makeProgram } from "./program.js";
import { leaveRanks, rankTerminal, reportError } from "./ranks.js";
import { processTerminal, showProcessWarnings } from "./terminal.js";

const terminal = rankTerminal(processTerminal);
showProcessWarnings(terminal);
const program = makeProgram(terminal, (code) => {
  process.exitCode = code;
});

try {
  if (process.argv.length <= 2) {
    program.outputHelp({ error: true });
    process.exitCode = EXIT.usage;
  } else {
    await program.parseAsync();
    await leaveRanks();
  }
} catch (error) {
  process.exitCode = await reportError(error);
}
