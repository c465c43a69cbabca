// The command gaussflow convert FILE OUT: writes a table of numbers to a data file, row by row, by convertTable. program.ts adds it.
import { stat } from "node:fs/promises";
import type { Command } from "commander";
import { showBytes } from "../bytes.js";
import { convertTable } from "../data/convert-csv.js";
import { jsonLine } from "../report/json-lines.js";
import { counted, formatCount } from "../report/numbers.js";
import { EXIT, EXIT_CODES_HELP, type ExitCode, UsageError } from "./exit.js";
import { checkOutputs } from "./output-file.js";
import { onRank0 } from "./ranks.js";
import { shellWord } from "./shell-word.js";
import { SignalWatch } from "./signals.js";
import { addTableOptions, csvOptions, ON_COMMAND_LINE, type TableFlags } from "./table-options.js";
import type { Terminal } from "./terminal.js";

interface ConvertFlags extends TableFlags {
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  $ gaussflow convert huge.csv.gz huge.gfd --target y --ignore id --missing drop
  $ gaussflow train huge.gfd --hidden 32,32 --out huge.json
${EXIT_CODES_HELP}`;

/** Adds the command; `done` receives its exit code. */
export function addConvertCommand(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  const command = program
    .command("convert")
    .argument("<file>", 'table of numbers; "-" reads standard input')
    .argument("<out>", "data file to write");
  command.description("convert a table larger than memory to a data file, which train reads block by block");
  addTableOptions(command, true)
    .option("--json", "write one JSON object")
    .addHelpText("after", EXAMPLES)
    .action(async (file: string, out: string, flags: ConvertFlags) =>
      done(await onRank0(() => convert(file, out, flags, terminal))),
    );
}

async function convert(file: string, out: string, flags: ConvertFlags, terminal: Terminal): Promise<ExitCode> {
  for (const [name, asked] of [
    ["--categorical", flags.categorical !== undefined],
    ["--max-categories", flags.maxCategories !== undefined],
    ["--split-column", flags.splitColumn !== undefined],
    ["--group", flags.group !== undefined],
    ["--order", flags.order !== undefined],
    ["--in-order", flags.inOrder !== undefined],
  ] as const)
    if (asked) throw new UsageError(`${name} wants the whole table in memory, and convert reads it row by row`);
  if (out === "-") throw new UsageError("the data file must be a file: it cannot go to standard output");
  const tell = (note: string) => {
    if (!flags.json) terminal.err.write(`  ${note}\n`);
  };
  const watch = new SignalWatch(() => tell("stopping at the next row, nothing is written; again to quit at once"));
  try {
    // Under the watch: what it tries out beside the file is gone after a Ctrl-C as well.
    await checkOutputs({ "the table": file }, [{ flag: "the data file", path: out, what: "the data file" }]);
    const converted = await convertTable(file, out, { ...csvOptions(flags), signal: watch.signal }, ON_COMMAND_LINE);
    const { rows, dropped, featureNames, targetNames, classes, notes } = converted;
    const bytes = (await stat(out)).size;
    for (const note of notes) tell(note);
    if (flags.json) terminal.out.write(jsonLine("converted", { ...converted, bytes, file: out }));
    else {
      const left = dropped === 0 ? "" : `; ${counted(dropped, "row")} left out (a missing value, or a weight of 0)`;
      terminal.out.write(
        `Wrote ${out}: ${counted(rows, "row")} of ${counted(featureNames.length, "input")} and ${classes === null ? counted(targetNames.length, "target") : `${formatCount(classes.length)} classes`}, ${showBytes(bytes)}${left}. Next: gaussflow train ${shellWord(out)}\n`,
      );
    }
    return EXIT.ok;
  } catch (error) {
    if (watch.exitCode !== null && error === watch.signal.reason) return watch.exitCode;
    throw error;
  } finally {
    watch.dispose();
  }
}
