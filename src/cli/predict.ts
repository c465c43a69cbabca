// The commands gaussflow predict MODEL FILE and gaussflow evaluate MODEL FILE: apply a saved model to a table in raw units, and write its
// predictions or print its errors. program.ts adds them.
import { type Command, Option } from "commander";
import { writeFileAtomic } from "../atomic-file.js";
import { predictAsync, predictDistributionAsync } from "../backend/predict.js";
import type { Cluster } from "../cluster/cluster.js";
import type { Dataset } from "../data/dataset.js";
import type { TableEncoding } from "../data/encoding.js";
import { outOfRange } from "../data/range.js";
import { type CsvOptions, readTable } from "../data/read-csv.js";
import { fileError } from "../errors.js";
import { Pace } from "../event-loop-yield.js";
import { loadFit } from "../fit/fit-file.js";
import type { FittedFormula } from "../fit/fitted-formula.js";
import { costTable, decision } from "../loss/class-decision.js";
import { classTargets } from "../loss/class-metrics.js";
import { Ensemble } from "../network/ensemble.js";
import { loadModelOrEnsemble } from "../network/model-file.js";
import type { Network } from "../network/network.js";
import { shareOfMarked } from "../network/row-marks.js";
import { jsonLine } from "../report/json-lines.js";
import { metricsTable } from "../report/metrics-table.js";
import { formatNumber } from "../report/numbers.js";
import type { Uncertainty } from "../uncertainty/uncertainty.js";
import { assess, linkOf } from "./assess.js";
import { type ConformalFlags, checkConformal, conformalColumns } from "./conformal.js";
import { EXIT, EXIT_CODES_HELP, type ExitCode, UsageError } from "./exit.js";
import { askedUncertainty, coverageLine, coverageOf, type IntervalFlags, uncertainColumns } from "./intervals.js";
import { checkOutputs } from "./output-file.js";
import { bytes, probability } from "./parse.js";
import { fitColumns } from "./predict-fit.js";
import { onRanks } from "./ranks.js";
import { addLayoutOptions, type LayoutFlags, layoutOptions, ON_COMMAND_LINE } from "./table-options.js";
import { type Terminal, warn } from "./terminal.js";
import { addThresholdCost, type CostFlags, checkThresholdCost } from "./threshold-cost.js";

interface ModelFlags extends ConformalFlags, LayoutFlags, CostFlags, IntervalFlags {
  readonly out?: string;
  readonly spread?: true;
  readonly json?: true;
  readonly unseen: "error" | "zeros";
}

/** What both commands are given. */
interface Application {
  readonly model: string;
  readonly file: string;
  readonly flags: ModelFlags;
  readonly terminal: Terminal;
  /** The ranks that share the rows; undefined where rank 0 does all of it. */
  readonly cluster: Cluster | undefined;
}

const FILE = 'table with the columns that the model was trained on; "-" reads standard input';

function addReading(command: Command): Command {
  command
    .argument("<model>", "file written by gaussflow train --out, a network or an ensemble, or by gaussflow fit --out")
    .argument("<file>", FILE)
    .addOption(
      new Option("--unseen <rule>", "treatment of a category that training did not see: an error, or zeros as inputs")
        .choices(["error", "zeros"])
        .default("error"),
    );
  return addLayoutOptions(command, { fallback: "as in training" }).option(
    "--memory-limit <bytes>",
    'most memory that the process may use for the table, such as "2GiB" (default: half of the memory)',
    bytes,
  );
}

/** Adds both commands. */
export function addModelCommands(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  addThresholdCost(
    addReading(
      program
        .command("predict")
        .description(
          "predict the targets of a table with a saved model, as CSV; also the standard deviations of a model that was trained with gaussian-nll",
        ),
    ),
  )
    .option("--out <file>", "file to write (default: standard output)")
    .option(
      "--intervals <probability>",
      "of a fit, or of a network of train --uncertainty: also write the standard errors of the predictions, and the interval that holds a new observation with this probability",
      probability,
    )
    .option(
      "--conformal <table>",
      "with --intervals: make them from the errors on this table of rows that the training has not seen, whatever the distribution of the noise",
    )
    .option(
      "--spread",
      "also write the standard deviation of the predictions of an ensemble's networks, one column per target",
    )
    .option(
      "--averaged",
      "write probabilities averaged over the uncertainty of the parameters (classifier of train --uncertainty)",
    )
    .addHelpText(
      "after",
      `\nExamples:\n  $ gaussflow predict cars.json new-cars.csv\n  $ gaussflow predict ensemble.json new-cars.csv --spread\n  $ gaussflow predict cars.json new-cars.csv --intervals 0.9\n  $ cat new-cars.csv | gaussflow predict cars.json - --out predicted.csv\n${EXIT_CODES_HELP}`,
    )
    .action(async (model: string, file: string, flags: ModelFlags) =>
      done(await onRanks(file, (cluster) => predict({ model, file, flags, terminal, cluster }))),
    );
  addThresholdCost(
    addReading(
      program.command("evaluate").description("compare the predictions of a saved model with the targets in a table"),
    ),
  )
    .option("--json", "write one JSON object in place of a table")
    .option(
      "--intervals <probability>",
      "also print which share of the targets lies in their intervals of this probability (network of train --uncertainty)",
      probability,
    )
    .addHelpText("after", `\nExample:\n  $ gaussflow evaluate cars.json held-out.csv\n${EXIT_CODES_HELP}`)
    .action(async (model: string, file: string, flags: ModelFlags) =>
      done(await onRanks(file, (cluster) => evaluate({ model, file, flags, terminal, cluster }))),
    );
}

/** The model and the table. A flag of the table that cannot be is named before any file is opened. */
async function read(
  { model, file, flags, terminal }: Application,
  targets: CsvOptions["targets"],
): Promise<{ loaded: Network | Ensemble; encoding: TableEncoding; data: Dataset }> {
  layoutOptions(flags);
  const loaded = await loadModelOrEnsemble(model);
  const encoding = encodingOf(loaded, model);
  return { loaded, encoding, data: await readAs(encoding, { file, flags, terminal }, targets) };
}

/** The table, read as that of the training; rows outside the range seen there are reported. */
async function readAs(
  encoding: TableEncoding,
  { file, flags, terminal }: Pick<Application, "file" | "flags" | "terminal">,
  targets: CsvOptions["targets"],
): Promise<Dataset> {
  const options = { ...layoutOptions(flags), encoding, targets, unseen: flags.unseen };
  const data = await readTable(file, options, ON_COMMAND_LINE);
  for (const note of data.notes) warn(terminal, note);
  for (const { column, count, firstRow, firstValue, min, max } of outOfRange(data.inputs, encoding)) {
    const rows = count === 1 ? "1 row lies" : `${count} rows lie`;
    const range = `${formatNumber(min)} to ${formatNumber(max)}`;
    warn(
      terminal,
      `${rows} outside the range seen in training, column ${JSON.stringify(column)}: ${formatNumber(firstValue)} in row ${data.rows?.[firstRow - 1] ?? firstRow} against ${range}`,
    );
  }
  return data;
}

const networksOf = (model: Network | Ensemble): readonly Network[] =>
  model instanceof Ensemble ? model.networks : [model];

/** The columns of the table that a model was trained on. */
function encodingOf(model: Network | Ensemble, file: string): TableEncoding {
  const [first, ...others] = networksOf(model).map(({ encoding }) => encoding);
  if (first == null) throw fileError(file, "was trained on arrays, not on a table; use predict of the library");
  const text = JSON.stringify(first);
  if (others.some((other) => JSON.stringify(other) !== text))
    throw fileError(file, "has networks that were trained on different tables; use predict of the library");
  return first;
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Lines of a block: to write them takes a few milliseconds. */
const LINES = 4096;

/** Names of the predictions of a model: its targets, or "p(class)" of each class. */
function predictionNames({ classes }: Network | Ensemble, { targets }: TableEncoding): readonly string[] {
  return classes === null ? targets : classes.map((name) => `p(${name})`);
}

/** Rows of matrices of `columns` columns each, side by side. */
function beside(matrices: readonly Float64Array[], columns: number): Float64Array {
  const [first] = matrices as [Float64Array];
  if (matrices.length === 1) return first;
  const all = new Float64Array(matrices.length * first.length);
  for (let at = 0, to = 0; at < first.length; at += columns)
    for (const matrix of matrices) {
      all.set(matrix.subarray(at, at + columns), to);
      to += columns;
    }
  return all;
}

/**
 * Multiplies predicted rates by the exposures of their rows, in place, where the table has them, and says which of the two is written.
 * @param columns of `predictions`
 */
function byExposure(
  exposure: string,
  { weights }: Dataset,
  predictions: Float64Array,
  columns: number,
  terminal: Terminal,
): void {
  const name = JSON.stringify(exposure);
  if (weights === null) {
    warn(terminal, `the table has no exposures (column ${name}): predictions are rates, counts for an exposure of 1`);
    return;
  }
  for (let k = 0; k < predictions.length; k++) predictions[k]! *= weights[Math.floor(k / columns)]!;
  warn(terminal, `predictions are counts for the exposures in column ${name}`);
}

/** The columns to write, n rows, row-major: the predictions, then their deviations if the network has them, or their spread if requested. */
async function columnsOf(
  model: Network | Ensemble,
  targets: readonly string[],
  inputs: Float64Array,
  { spread: withSpread, ...flags }: Pick<ModelFlags, "spread" | "intervals" | "averaged">,
  uncertainty: Uncertainty | null,
  cluster: Cluster | undefined,
): Promise<{ names: readonly string[]; predictions: Float64Array }> {
  const c = targets.length;
  if (uncertainty !== null) return joined(await uncertainColumns(uncertainty, targets, inputs, flags), c);
  const named = (what: string) => targets.map((name) => `${name} ${what}`);
  const distribution =
    networksOf(model)[0]?.link === "gaussian" ? await predictDistributionAsync(model, inputs, { cluster }) : null;
  const points = model instanceof Ensemble ? await predictAsync(model, inputs, { cluster }) : null;
  const mean = distribution?.mean ?? points?.mean ?? (await predictAsync(model as Network, inputs, { cluster }));
  const columns = [{ names: targets, values: mean }];
  if (distribution !== null) columns.push({ names: named("deviation"), values: distribution.deviation });
  if (points !== null && withSpread) columns.push({ names: named("spread"), values: points.spread });
  return joined(columns, c);
}

/** Groups of `c` columns each, side by side. */
function joined(
  columns: readonly { readonly names: readonly string[]; readonly values: Float64Array }[],
  c: number,
): { names: readonly string[]; predictions: Float64Array } {
  return {
    names: columns.flatMap(({ names }) => names),
    predictions: beside(
      columns.map(({ values }) => values),
      c,
    ),
  };
}

/**
 * One line a row. The row number says which rows were left out for missing values.
 * @param classes the first columns of `values` are their probabilities: the class that is decided on stands before them, the most probable one
 * or by cost, or nothing where a probability is not a number
 */
async function asCsv(
  names: readonly string[],
  values: Float64Array,
  columns: number,
  rows: Uint32Array | null,
  classes: readonly string[] | null,
  costs: number | undefined,
): Promise<string> {
  const texts = classes?.map(quoted) ?? [];
  const table = costTable("--threshold-cost", costs, texts.length);
  const pace = new Pace(undefined);
  const blocks = [names.map(quoted).join(",")];
  const count = values.length / columns;
  for (let first = 0; first < count; first += LINES) {
    const lines: string[] = [];
    for (let i = first; i < Math.min(count, first + LINES); i++) {
      const likeliest = classes === null ? "" : `${texts[decision(values, i * columns, texts.length, table)] ?? ""},`;
      lines.push(`${rows?.[i] ?? i + 1},${likeliest}${values.subarray(i * columns, (i + 1) * columns).join(",")}`);
    }
    blocks.push(lines.join("\n"));
    await pace.turn();
  }
  return `${blocks.join("\n")}\n`;
}

async function predict(application: Application): Promise<ExitCode> {
  const { model, file, flags, terminal, cluster } = application;
  await checkOutputs({ "the model": model, "the table": file, "--conformal": flags.conformal }, [
    { flag: "--out", path: flags.out, what: "the predictions" },
  ]);
  if (file === "-" && flags.conformal === "-")
    throw new UsageError("standard input has one table: give --conformal or the table to predict as a file");
  // Before the fit is opened, as in `read`.
  layoutOptions(flags);
  const fit = await loadFit(model);
  if (fit !== null) return predictByFit(fit, application);
  const { loaded, encoding, data } = await read(application, "ignore");
  if (flags.spread && !(loaded instanceof Ensemble))
    throw new UsageError(
      `--spread is about an ensemble, and ${model} is one network: train an ensemble (gaussflow train --restarts N --ensemble K), or leave --spread out`,
    );
  if (flags.thresholdCost !== undefined && loaded.classes === null)
    throw new UsageError(
      `--threshold-cost decides on a class, and the predictions of ${model} are numbers: leave it out (with ratio r, a probability of yes above 1 / (1 + r) is a yes)`,
    );
  checkThresholdCost(flags, classTargets(linkOf(loaded), encoding.targets, loaded.classes));
  const targets = predictionNames(loaded, encoding);
  const { names, predictions } = await askedColumns(loaded, targets, data, application, encoding);
  if (cluster !== undefined && cluster.rank > 0) return EXIT.ok;
  const c = names.length;
  if (encoding.exposure !== undefined) byExposure(encoding.exposure, data, predictions, c, terminal);
  const bad = predictions.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const row = Math.floor(bad / c);
    warn(terminal, `the prediction is not a finite number, first in row ${data.rows?.[row] ?? row + 1}`);
  }
  const { classes } = loaded;
  const before = classes === null ? ["row"] : ["row", encoding.targets[0]!];
  await write(await asCsv([...before, ...names], predictions, c, data.rows, classes, flags.thresholdCost), application);
  return EXIT.ok;
}

/** The columns that the flags ask for. */
async function askedColumns(
  loaded: Network | Ensemble,
  targets: readonly string[],
  { inputs }: Dataset,
  application: Application,
  encoding: TableEncoding,
): Promise<{ names: readonly string[]; predictions: Float64Array }> {
  const { model, flags, terminal, cluster } = application;
  if (flags.conformal === undefined)
    return columnsOf(loaded, targets, inputs, flags, askedUncertainty(loaded, model, flags), cluster);
  checkConformal(networksOf(loaded)[0] as Network, flags, encoding.exposure, model);
  const held = await readAs(encoding, { ...application, file: flags.conformal }, "require");
  return joined(await conformalColumns(loaded, held, inputs, targets, flags, terminal), targets.length);
}

async function write(text: string, { flags, terminal }: Application): Promise<void> {
  if (flags.out === undefined) terminal.out.write(text);
  else await writeFileAtomic(flags.out, text);
}

/** Predictions of a fitted formula, with --intervals their standard errors and the interval of a new observation. */
async function predictByFit(fit: FittedFormula, application: Application): Promise<ExitCode> {
  const { model, flags, terminal } = application;
  const named = {
    "--conformal": flags.conformal,
    "--spread": flags.spread,
    "--averaged": flags.averaged,
    "--threshold-cost": flags.thresholdCost,
  };
  const other = Object.entries(named).find(([, given]) => given !== undefined)?.[0];
  if (other !== undefined) throw new UsageError(`${other} is about networks, and ${model} is a fit: leave it out`);
  const data = await readAs(fit.encoding, application, "ignore");
  const { names, columns, note } = await fitColumns(fit, data, flags.intervals);
  if (note !== null) warn(terminal, note);
  const bad = columns[0]!.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) warn(terminal, `the prediction is not a finite number, first in row ${data.rows?.[bad] ?? bad + 1}`);
  const values = beside(columns, 1);
  await write(await asCsv(["row", ...names], values, columns.length, data.rows, null, undefined), application);
  return EXIT.ok;
}

async function evaluate(application: Application): Promise<ExitCode> {
  const { model, flags, terminal, cluster } = application;
  const { loaded, data } = await read(application, "require");
  const uncertainty = askedUncertainty(loaded, model, flags);
  checkThresholdCost(flags, classTargets(linkOf(loaded), data.targetNames, data.classes));
  const set = await assess(loaded, "table", data, { costs: flags.thresholdCost, cluster });
  const marks = networksOf(loaded).map(({ summary }) => summary?.rowMarks);
  const seen = await shareOfMarked(marks, data);
  if (seen > 0) {
    const share = seen === 1 ? "all" : `about ${Math.max(1, Math.round(100 * seen))}%`;
    warn(
      terminal,
      `${share} of the rows that the model was trained on are in this table: its errors on new rows will be larger. Judge it by rows it has not seen (gaussflow train --test 0.2 holds some out and shows their errors)`,
    );
  }
  const intervals = uncertainty && (await coverageOf(uncertainty, data, flags.intervals!));
  if (flags.json) terminal.out.write(jsonLine("evaluation", intervals === null ? set : { ...set, intervals }));
  else {
    const line = intervals === null ? "" : `\n${coverageLine(intervals)}\n`;
    terminal.out.write(`${metricsTable([set], terminal.paintOut)}\n${line}`);
  }
  return EXIT.ok;
}
