// gaussflow train FILE: from a table to a saved model.
import { type Command, Option } from "commander";
import type { Dataset } from "../data/dataset.js";
import { readCsv } from "../data/read-csv.js";
import { constantInputs } from "../data/scaling.js";
import type { EngineRoute } from "../linearise/problem.js";
import type { TrainRecord } from "../linearise/record.js";
import type { SetMetrics } from "../loss/metrics.js";
import { squaredError } from "../loss/squared-error.js";
import { gaussNewton } from "../method/gauss-newton.js";
import { levenbergMarquardt } from "../method/levenberg-marquardt.js";
import { monitor } from "../monitor/monitor.js";
import { ACTIVATION_NAMES } from "../network/activations.js";
import type { ActivationName } from "../network/architecture.js";
import { INITIALISATION_NAMES, type InitialisationName } from "../network/initialise.js";
import { saveModel } from "../network/model-file.js";
import { network } from "../network/network.js";
import { jsonLine, recordLine, resultLine } from "../report/json-lines.js";
import { lossChart } from "../report/loss-chart.js";
import { metricsTable } from "../report/metrics-table.js";
import { counted, formatSeconds } from "../report/numbers.js";
import { Progress } from "../report/progress.js";
import { type TrainResult, train } from "../train/train.js";
import { assess } from "./assess.js";
import { addEngineOptions, type EngineFlags } from "./engine-options.js";
import { EXIT, EXIT_CODES_HELP, type ExitCode, UsageError } from "./exit.js";
import { checkOutputFile } from "./output-file.js";
import { fraction, integer, nonNegative, positive, sizes } from "./parse.js";
import { shellWord } from "./shell-word.js";
import { SignalWatch } from "./signals.js";
import { addTableOptions, csvOptions, type TableFlags } from "./table-options.js";
import { type Terminal, warn } from "./terminal.js";

interface TrainFlags extends TableFlags, EngineFlags {
  readonly hidden: readonly number[];
  readonly activation: ActivationName;
  readonly initialisation?: InitialisationName;
  readonly method: "lm" | "gn";
  readonly scaling?: "identity" | "marquardt";
  readonly decay: number;
  readonly route: "auto" | EngineRoute;
  readonly validation?: number;
  readonly test?: number;
  readonly iterations: number;
  readonly seconds?: number;
  readonly patience: number;
  readonly loss?: number;
  readonly seed: number;
  readonly out?: string;
  readonly checkpoint?: string;
  readonly resume?: string;
  readonly monitor?: true;
  readonly plot?: true;
  readonly json?: true;
  readonly quiet?: true;
}

const EXAMPLES = `
Examples:
  $ gaussflow train cars.csv --target mpg --ignore name --missing drop --out cars.json --plot
  $ gaussflow train rig.csv --target torque,speed --hidden 32,32 --activation silu --seconds 60
  $ zcat big.csv.gz | gaussflow train - --target y --json > run.jsonl
${EXIT_CODES_HELP}`;

/** Adds the command; `done` receives its exit code. */
export function addTrainCommand(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  const command = program.command("train").argument("<file>", 'table to train on; "-" is standard input');
  command.description("train a network on a table and save it");
  addEngineOptions(addTableOptions(command))
    .option("--hidden <sizes>", "hidden layers", sizes, [16, 16])
    .addOption(new Option("--activation <name>", "of the hidden layers").choices([...ACTIVATION_NAMES]).default("tanh"))
    .addOption(new Option("--initialisation <name>", "of the parameters").choices([...INITIALISATION_NAMES]))
    .addOption(
      new Option("--method <name>", "Levenberg-Marquardt or line-searched Gauss-Newton")
        .choices(["lm", "gn"])
        .default("lm"),
    )
    .addOption(
      new Option("--scaling <name>", "of the damping (lm; default marquardt)").choices(["identity", "marquardt"]),
    )
    .option("--decay <number>", "weight decay, in units of the sum loss", nonNegative, 0)
    .addOption(new Option("--route <name>", "how steps are solved").choices(["auto", "primal", "dual"]).default("auto"))
    .option("--validation <fraction>", "of the rows, decides when to stop (default 0.15)", fraction)
    .option("--test <fraction>", "of the rows, held out to the end (default 0.15)", fraction)
    .option("--iterations <count>", "at most", integer(0), 200)
    .option("--seconds <number>", "at most", positive)
    .option("--patience <count>", "iterations without a better validation loss", integer(1), 20)
    .option("--loss <number>", "training loss to stop at (mean of squares, standardised units)", nonNegative)
    .option("--seed <number>", "of the split and the initial parameters", integer(0), 0)
    .option("--out <file>", "where to save the model")
    .option("--checkpoint <file>", "save the state of the run every 10 iterations")
    .option("--resume <file>", "go on from a checkpoint of the same run")
    .option(
      "--monitor",
      "say whether it has converged, how fast, and what holds it back (costs a spectrum an iteration)",
    )
    .option("--plot", "draw the loss")
    .option("--json", "one JSON object a line: records, then the result")
    .option("--quiet", "no progress, only the result")
    .addHelpText("after", EXAMPLES)
    .action(async (file: string, flags: TrainFlags) => done(await run(file, flags, terminal)));
}

interface Parts {
  readonly fit: Dataset;
  readonly validation: Dataset | null;
  readonly test: Dataset | null;
}

async function readParts(file: string, flags: TrainFlags, tell: (note: string) => void): Promise<Parts> {
  const data = await readCsv(file, csvOptions(flags));
  for (const note of data.notes) tell(note);
  const { seed } = flags;
  if (data.parts !== null) {
    if (flags.validation !== undefined || flags.test !== undefined)
      throw new UsageError("--split-column already names the parts: leave --validation and --test out");
    const { train: fit, validation, test } = data.split();
    return { fit, validation, test };
  }
  // Tiny tables are trained on whole: a validation part of a handful of rows says nothing.
  const tiny = data.sampleCount < 40;
  const { validation = tiny ? 0 : 0.15, test = tiny ? 0 : 0.15 } = flags;
  const parts = data.split({ validation, test, seed });
  return { fit: parts.train, validation: parts.validation, test: parts.test };
}

async function run(file: string, flags: TrainFlags, terminal: Terminal): Promise<ExitCode> {
  for (const [path, what] of [
    [flags.out, "the model"],
    [flags.checkpoint, "the checkpoint"],
  ] as const)
    if (path !== undefined) await checkOutputFile(path, what);
  if (flags.method === "gn" && flags.scaling !== undefined)
    throw new UsageError("--scaling is about the damping of --method lm; Gauss-Newton has none: leave it out");
  const { json = false, quiet = false } = flags;
  const warnings: string[] = [];
  const tell = (text: string) => {
    if (!quiet && !json) terminal.err.write(`  ${text}\n`);
  };
  const caution = (text: string) => {
    warnings.push(text);
    if (!json) warn(terminal, text);
  };
  const { fit, validation, test } = await readParts(file, flags, tell);
  const constant = constantInputs(fit);
  if (constant.length > 0) caution(`constant in the training rows, so of no use: ${constant.join(", ")}`);

  const net = network({
    layers: [fit.inputSize, ...flags.hidden, fit.outputSize],
    activation: flags.activation,
    initialisation: flags.initialisation,
    seed: flags.seed,
  });
  const progress = json || quiet ? null : new Progress(terminal.err);
  const watch = new SignalWatch(() => tell("stopping at the next tile; again to quit at once"));
  let result: TrainResult;
  try {
    result = await train(net, fit, {
      method: flags.method === "lm" ? levenbergMarquardt({ scaling: flags.scaling ?? "marquardt" }) : gaussNewton(),
      loss: squaredError({ decay: flags.decay }),
      validation: validation ?? false,
      stop: {
        iterations: flags.iterations,
        patience: flags.patience,
        ...(flags.seconds === undefined ? {} : { seconds: flags.seconds }),
        ...(flags.loss === undefined ? {} : { loss: flags.loss }),
      },
      route: flags.route,
      backend: flags.backend,
      threads: flags.threads,
      seed: flags.seed,
      signal: watch.signal,
      monitor: flags.monitor ? monitor() : undefined,
      checkpoint: flags.checkpoint === undefined ? undefined : { path: flags.checkpoint },
      resume: flags.resume,
      onRecord: (record: TrainRecord) => {
        if (json) terminal.out.write(recordLine(record));
        progress?.record(record);
      },
    });
  } finally {
    progress?.done();
    watch.dispose();
  }
  const sets: SetMetrics[] = [assess(result.network, "train", fit)];
  if (validation !== null) sets.push(assess(result.network, "validation", validation));
  if (test !== null) sets.push(assess(result.network, "test", test));
  if (flags.out !== undefined) await saveModel(flags.out, result.network);
  if (json) {
    terminal.out.write(jsonLine("chosen", { chosen: result.chosen }));
    terminal.out.write(
      resultLine({
        reason: result.reason,
        iterations: result.iterations,
        seconds: result.seconds,
        route: result.plan.route,
        engine: result.engine,
        interrupted: watch.received,
        monitor: result.monitor && {
          rate: result.monitor.rate,
          verdict: result.monitor.verdict,
          converged: result.monitor.converged,
        },
        sets,
        model: flags.out ?? null,
        warnings,
      }),
    );
  } else show(result, sets, file, flags, terminal);
  return (
    watch.exitCode ??
    (result.reason.code === "non-finite" || result.reason.code === "memory" ? EXIT.numerical : EXIT.ok)
  );
}

function show(
  result: TrainResult,
  sets: readonly SetMetrics[],
  file: string,
  flags: TrainFlags,
  { out, paintOut }: Terminal,
): void {
  const lines = [
    result.chosen,
    "",
    metricsTable(sets, paintOut),
    "",
    `${counted(result.iterations, "iteration")} in ${formatSeconds(result.seconds)}; stopped because ${result.reason.message}`,
    `kept: iteration ${result.bestIteration}`,
  ];
  if (result.monitor !== null)
    lines.push(
      "",
      `verdict: ${result.monitor.verdict.code}: ${result.monitor.verdict.message}`,
      `converged: ${result.monitor.converged.message}`,
    );
  if (flags.plot) {
    const width = Math.min(100, out.columns ?? 80);
    lines.push("", lossChart(result.records, { width, paint: paintOut, kept: result.bestIteration }));
  }
  lines.push("");
  lines.push(
    flags.out === undefined
      ? "Nothing was saved. To keep the model, add: --out model.json"
      : `Saved ${flags.out}. Next: gaussflow predict ${shellWord(flags.out)} ${file === "-" ? "FILE" : shellWord(file)}`,
  );
  out.write(`${lines.join("\n")}\n`);
}
