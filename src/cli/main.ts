#!/usr/bin/env node
// The command line: one file a command, results on standard output, everything about the run on standard error.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { packageRoot } from "../package-root.js";
import { addConvertCommand } from "./convert.js";
import { addEngineCommands } from "./engine-commands.js";
import { EXIT, EXIT_CODES_HELP, errorText, exitCodeOf } from "./exit.js";
import { addExperimentCommand } from "./experiment.js";
import { addPlanCommand } from "./plan.js";
import { addModelCommands } from "./predict.js";
import { processTerminal } from "./terminal.js";
import { addTrainCommand } from "./train.js";

const { version } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string };
const terminal = processTerminal();
const program = new Command("gaussflow")
  .description("Train feed-forward networks by Gauss-Newton and Levenberg-Marquardt, on all cores.")
  .version(version)
  .exitOverride()
  .showHelpAfterError("(gaussflow --help shows the commands, gaussflow COMMAND --help their options)")
  .addHelpText(
    "after",
    `\nExample:\n  $ gaussflow train cars.csv --target mpg --ignore name --missing drop --out cars.json --plot\n${EXIT_CODES_HELP}`,
  );
const done = (code: number) => {
  process.exitCode = code;
};
addTrainCommand(program, terminal, done);
addPlanCommand(program, terminal, done);
addConvertCommand(program, terminal, done);
addModelCommands(program, terminal, done);
addExperimentCommand(program, version, terminal, done);
addEngineCommands(program, terminal, done);

try {
  if (process.argv.length <= 2) {
    program.outputHelp({ error: true });
    process.exitCode = EXIT.usage;
  } else await program.parseAsync();
} catch (error) {
  terminal.err.write(errorText(error));
  process.exitCode = exitCodeOf(error);
}
