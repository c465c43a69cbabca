// The command gaussflow fit FILE --model FORMULA: fits the parameters of a formula to the columns of a table by least squares. fit-table.ts
// is its beginning and fit-outcome.ts its end. program.ts adds it.
import { type Command, Option } from "commander";
import { GaussflowError } from "../errors.js";
import { type CurveFitOptions, curveFit } from "../fit/curve-fit.js";
import type { FitResult } from "../fit/fit-result.js";
import { recordLine } from "../report/json-lines.js";
import { EXIT_CODES_HELP, type ExitCode, UsageError } from "./exit.js";
import { heldParameters, NO_NAMES, namedBounds, namedNumbers } from "./fit-flags.js";
import { concludeFit, type FitFlags } from "./fit-outcome.js";
import { type FitTable, readFitTable } from "./fit-table.js";
import { type LossChoice, lossChoice } from "./loss-flag.js";
import { checkOutputs } from "./output-file.js";
import { bytes, integer, positive, probability } from "./parse.js";
import { SignalWatch } from "./signals.js";
import { addLayoutOptions } from "./table-options.js";
import { silentTerminal, type Terminal, warn } from "./terminal.js";

const EXAMPLES = `
Names of the model that are columns of the table are its variables, all others are parameters. Formulas have + - * / ^, parentheses, pi, e,
and functions such as exp, log, sqrt, sin, atan, tanh, erf, abs, min, max.

Examples:
  $ gaussflow fit misra.csv --model "y = b1*(1-exp(-b2*x))" --start b1=500,b2=1e-4
  $ gaussflow fit decay.csv --model "counts = a*exp(-rate*t) + c" --start a=100,rate=0.1,c=0 --bounds rate=0: --report decay.html
  $ gaussflow fit rig.csv --model "k*p^n" --target flow --start k=1 --fixed n=0.5 --sigma error --out flow.json
  $ gaussflow fit growth.csv --model "y = b1/(1+exp(b2-b3*x))" --starts 10 --bounds b1=0:200,b2=0:10,b3=0:1 --intervals profile
  $ gaussflow predict flow.json new.csv
${EXIT_CODES_HELP}`;

/** Adds the command; `done` receives its exit code. */
export function addFitCommand(
  program: Command,
  version: string,
  terminal: Terminal,
  done: (code: ExitCode) => void,
): void {
  const command = program
    .command("fit")
    .argument("<file>", 'table with the columns of the model; "-" reads standard input')
    .description("fit the parameters of a formula to a table by least squares, with standard errors and intervals");
  addLayoutOptions(addModelOptions(command), { rowByRow: true })
    .option(
      "--memory-limit <bytes>",
      'most memory that the process may use for the table, such as "2GiB" (default: half of the memory)',
      bytes,
    )
    .option("--out <file>", "file of the fit, for gaussflow predict")
    .option("--report <file>", "HTML page of the fit: curve with intervals, residuals, correlation, profiles")
    .option("--json", "write one JSON object per line: the records, then the result")
    .option("--quiet", "print only errors; files are still written")
    .addHelpText("after", EXAMPLES)
    .action(async (file: string, flags: FitFlags) => {
      // Machines that ask for lines get them.
      const shown = flags.quiet && !flags.json ? silentTerminal() : terminal;
      done(await run(file, flags, version, shown));
    });
}

/** The model, its columns and parameters, and how it is fitted. */
function addModelOptions(command: Command): Command {
  return command
    .requiredOption(
      "--model <formula>",
      'model, such as "y = b1*(1-exp(-b2*x))"; the left side, the target, may be left out',
    )
    .option(
      "--target <column>",
      "column to fit (default: the left side of --model, else the last column without another use)",
    )
    .option("--x <column>", "column that the model calls x (default: the column of that name)")
    .option(
      "--start <values>",
      "start of each parameter, such as b1=500,b2=1e-4: the order of magnitude is enough",
      namedNumbers,
    )
    .option("--fixed <values>", "parameters to hold, such as b3=0, or b3 alone at its start", heldParameters)
    .option("--bounds <ranges>", "bounds of parameters, such as b1=0:,b2=-1:1", namedBounds)
    .option("--sigma <column>", "column of the known standard deviations of the target")
    .option(
      "--weights <column>",
      "column of weights of the squared residuals, for standard deviations that are known but for a factor",
    )
    .addOption(
      new Option(
        "--loss <name>",
        "loss of the residuals: squared, or huber, pseudo-huber, log-cosh against outliers (default squared)",
      ).argParser(lossChoice),
    )
    .option(
      "--starts <count>",
      "number of starts, those besides the given one drawn inside the bounds or around it",
      integer(1),
    )
    .option("--seed <number>", "seed of the starts that are drawn", integer(0), 0)
    .option("--iterations <count>", "most iterations from a start (default 1000)", integer(0))
    .option("--seconds <number>", "most seconds of the fit", positive)
    .option("--level <probability>", "probability of the intervals", probability, 0.95)
    .addOption(
      new Option(
        "--intervals <kind>",
        "intervals of the parameters: linear by standard errors, or profile by likelihood, which holds for curved models too",
      )
        .choices(["linear", "profile"])
        .default("linear"),
    );
}

async function run(file: string, flags: FitFlags, version: string, terminal: Terminal): Promise<ExitCode> {
  await checkOutputs({ "the table": file }, [
    { flag: "--out", path: flags.out, what: "the fit" },
    { flag: "--report", path: flags.report, what: "the report" },
  ]);
  if (flags.sigma !== undefined && flags.weights !== undefined)
    throw new UsageError("--sigma gives known standard deviations, --weights ratios of them: give one of them");
  const loss = lossOf(flags.loss);
  if (loss !== undefined && flags.intervals === "profile")
    throw new UsageError("--intervals profile is about the likelihood of squared error: leave --loss out");
  const table = await readFitTable(file, flags);
  for (const note of table.notes) warn(terminal, note);
  checkSigma(table, flags, file);
  const watch = new SignalWatch(() => {
    if (!flags.json && !flags.quiet)
      terminal.err.write("  stopping and keeping the best fit so far; again to quit at once\n");
  });
  try {
    const result = await fitOf(table, flags, watch.signal, terminal, loss);
    return await concludeFit(result, { table, file, flags, version, watch }, terminal);
  } finally {
    watch.dispose();
  }
}

/** The loss of the flag; undefined for squared error. */
function lossOf(choice: LossChoice | undefined) {
  const made = choice?.loss.make(choice.parameter);
  return made?.kind === "squared-error" ? undefined : made;
}

function checkSigma({ sigma, rows }: FitTable, flags: FitFlags, file: string): void {
  const bad = sigma?.findIndex((value) => !(value > 0)) ?? -1;
  if (sigma === null || bad < 0) return;
  throw new GaussflowError(
    "GAUSSFLOW_DATA",
    `${file}, row ${rows?.[bad] ?? bad + 1}: the standard deviation (--sigma ${flags.sigma}) must be above 0; it is ${sigma[bad]}`,
    { file, column: flags.sigma, value: sigma[bad] },
  );
}

function fitOf(
  table: FitTable,
  flags: FitFlags,
  signal: AbortSignal,
  terminal: Terminal,
  loss: CurveFitOptions["loss"],
): Promise<FitResult> {
  const { iterations, seconds, starts, seed, level } = flags;
  const { bounds = {}, fixed = {} } = flags;
  const points = Object.fromEntries(table.variables.map(({ name }, k) => [name, table.columns[k]!]));
  return curveFit(table.formula, points, table.observed, {
    start: Object.fromEntries(table.parameters.map((name) => [name, startOf(name, flags)])),
    bounds,
    fixed: Object.keys(fixed),
    ...(table.sigma === null ? {} : { sigma: table.sigma }),
    ...(table.weights === null ? {} : { weights: table.weights }),
    ...(loss === undefined ? {} : { loss }),
    ...(starts === undefined ? {} : { starts }),
    stop: { ...(iterations === undefined ? {} : { iterations }), ...(seconds === undefined ? {} : { seconds }) },
    seed,
    level,
    signal,
    ...(flags.json ? { onRecord: (record) => void terminal.out.write(recordLine(record)) } : {}),
  });
}

/** The given start, the value at which the parameter is held, or the middle of its bounds. */
function startOf(name: string, { start = NO_NAMES, fixed = NO_NAMES, bounds = NO_NAMES }: FitFlags): number {
  const [lower, upper] = bounds[name] ?? [null, null];
  return fixed[name] ?? start[name] ?? ((lower ?? 0) + (upper ?? 0)) / 2;
}
