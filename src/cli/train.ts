// The command gaussflow train FILE: trains a network on a table and saves the model; train-setup.ts is its beginning and train-outcome.ts
// its end. program.ts adds it.

import { type Command, Option } from "commander";
import { mpi } from "../cluster/mpi.js";
import { monitor } from "../monitor/monitor.js";
import { ACTIVATION_NAMES } from "../network/activations.js";
import { INITIALIZATION_NAMES } from "../network/initialize.js";
import { TRAIN_ROUTES } from "../plan/route.js";
import { recordLine } from "../report/json-lines.js";
import { Progress } from "../report/progress.js";
import { DEFAULT_BUDGET } from "../search/fit-options.js";
import { train } from "../train/train.js";
import { DEFAULT_VALIDATION } from "../train/train-options.js";
import { addEngineOptions, addRunOptions, DISTRIBUTED } from "./engine-options.js";
import { EXIT, EXIT_CODES_HELP, type ExitCode } from "./exit.js";
import { showLearningCurve } from "./learning-curve.js";
import { addLossOption } from "./loss-flag.js";
import { addMethodOptions } from "./method-flag.js";
import { fraction, integer, nonNegative, orAuto, positive, sizes } from "./parse.js";
import { DEFAULT_TEST } from "./read-parts.js";
import { SignalWatch } from "./signals.js";
import { addTableOptions, TRAINED_ON } from "./table-options.js";
import { silentTerminal, type Terminal } from "./terminal.js";
import { addThresholdCost } from "./threshold-cost.js";
import { runMany } from "./train-many.js";
import { conclude } from "./train-outcome.js";
import { setUp, type TrainFlags } from "./train-setup.js";

const EXAMPLES = `
Examples:
  $ gaussflow train cars.csv --target mpg --ignore name --missing drop --out cars.json --plot
  $ gaussflow train rig.csv --target torque --hidden auto --decay auto --budget 1e13
  $ gaussflow train rig.csv --target torque,speed --hidden 32,32 --activation silu --seconds 60
  $ gaussflow train visits.csv --target bought --loss logistic --decay 1
  $ gaussflow train rig.csv --target torque --loss huber
  $ gaussflow train rig.csv --target torque --method bayes --uncertainty --out rig.json
  $ gaussflow train rig.csv --target torque --restarts 16 --cross-validate 5 --out rig.json
  $ gaussflow train rig.csv --target torque --restarts 16 --ensemble 5 --out ensemble.json
  $ gaussflow convert huge.csv.gz huge.gfd --target y && gaussflow train huge.gfd --out huge.json
  $ zcat big.csv.gz | gaussflow train - --target y --json > run.jsonl
${EXIT_CODES_HELP}`;

/** Adds the command; `done` receives its exit code. */
export function addTrainCommand(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  const command = program.command("train").argument("<file>", TRAINED_ON);
  command.description("train a network on a table and save the model");
  addNetworkOptions(addRunOptions(addEngineOptions(addTableOptions(command))));
  addSearchOptions(command);
  addThresholdCost(addOutputOptions(command))
    .addHelpText("after", EXAMPLES)
    .action(async (file: string, flags: TrainFlags) => {
      const many = flags.restarts !== undefined || flags.crossValidate !== undefined;
      // Machines that ask for lines get them.
      const shown = flags.quiet && !flags.json ? silentTerminal() : terminal;
      done(await (many ? runMany : runOnce)(file, flags, shown));
    });
}

async function runOnce(file: string, flags: TrainFlags, terminal: Terminal): Promise<ExitCode> {
  const { json = false, quiet = false } = flags;
  const cluster = await mpi();
  // Until the data are read there is nothing to save: a signal ends the process at once, also while a pipe is silent.
  const setup = await setUp(file, flags, terminal, cluster);
  const progress = json || quiet ? null : new Progress(terminal.err);
  const watch = new SignalWatch(() => {
    if (!json && !quiet) terminal.err.write("  stopping and keeping the best network so far; again to quit at once\n");
  });
  try {
    const result = await train(setup.network, setup.fit, {
      ...setup.options,
      threads: flags.threads,
      cluster,
      signal: watch.signal,
      monitor: flags.monitor ? monitor() : undefined,
      checkpoint: flags.checkpoint === undefined ? undefined : { path: flags.checkpoint },
      resume: flags.resume,
      onRecord: (record) => {
        if (json) terminal.out.write(recordLine(record));
        progress?.record(record);
      },
    });
    progress?.done();
    // All ranks have the same network: rank 0 judges and saves it.
    if (cluster.rank > 0) return EXIT.ok;
    const code = await conclude(result, { setup, file, flags, watch }, terminal);
    if (flags.learningCurve !== undefined && watch.received === null)
      await showLearningCurve(setup, flags, watch.signal, terminal);
    return code;
  } finally {
    progress?.done();
    watch.dispose();
  }
}

/** The network, and how its steps are found. */
function addNetworkOptions(command: Command): Command {
  return addMethodOptions(addLossOption(command))
    .addOption(
      new Option(
        "--hidden <sizes>",
        'units of each hidden layer, such as 16,16, "none" for a linear model, or "auto" to choose them by cross-validation (default auto; 16,16 where only --decay is given)',
      ).argParser(orAuto(sizes)),
    )
    .addOption(
      new Option("--activation <name>", "activation of the hidden layers")
        .choices([...ACTIVATION_NAMES])
        .default("tanh"),
    )
    .addOption(
      new Option(
        "--initialization <name>",
        "distribution of the initial parameters (default lecun-normal; he-normal with relu)",
      ).choices([...INITIALIZATION_NAMES]),
    )
    .addOption(
      new Option(
        "--decay <number>",
        'weight decay d: adds d/2 times the sum of the squared parameters to the sum of the losses (squared: half the sum of the squared errors); "auto" chooses it by cross-validation (default auto; where only --hidden is given none, and 2 for classes and probabilities)',
      ).argParser(orAuto(nonNegative)),
    )
    .option(
      "--budget <operations>",
      `most planned work of the choice of --hidden and --decay, in floating-point operations; the clock decides nothing (default ${DEFAULT_BUDGET.toExponential()})`,
      positive,
    )
    .addOption(
      new Option(
        "--class-weights <rule>",
        "weights of the rows by class, beside --weights: balanced gives every class the same total weight",
      ).choices(["balanced"]),
    )
    .option(
      "--batch-start [epochs]",
      "begin with an epoch, or so many, of exact Gauss-Newton on batches before the method sees all rows",
      integer(1),
    )
    .addOption(
      new Option("--route <name>", "route by which steps are solved")
        .choices(["auto", ...TRAIN_ROUTES])
        .default("auto"),
    )
    .option("--distributed", DISTRIBUTED);
}

/** Parts of the rows, stop rules, and many trainings at once. */
function addSearchOptions(command: Command): Command {
  return command
    .option(
      "--validation <fraction>",
      `share of the rows held out to decide when to stop (default ${DEFAULT_VALIDATION}; with --method bayes none)`,
      fraction,
    )
    .option(
      "--test <fraction>",
      `share of the rows held out for the errors at the end (default ${DEFAULT_TEST})`,
      fraction,
    )
    .option(
      "--no-stratify",
      "draw test rows, validation rows and the folds of --cross-validate without regard to the classes, of which each part else has its share",
    )
    .option(
      "--iterations <count>",
      "most iterations, counted from the start of the run; with a method on batches its steps (default 200; with batches no limit)",
      integer(0),
    )
    .option("--seconds <number>", "most seconds of training", positive)
    .option("--patience <count>", "validations without a better loss before training stops", integer(1), 20)
    .option(
      "--stop-loss <number>",
      "training loss at which to stop (squared: mean of squares in standardized units; others: mean loss)",
      nonNegative,
    )
    .option("--seed <number>", "seed of the split and of the initial parameters", integer(0), 0)
    .option("--restarts <count>", "number of starts to train from, one per core; the best is kept", integer(1))
    .option(
      "--ensemble <count>",
      "number of the best runs of --restarts to keep; the model predicts their mean",
      integer(2),
    )
    .option(
      "--cross-validate <folds>",
      "number of folds of a cross-validation, which estimates the errors on rows that training has not seen",
      integer(2),
    )
    .option(
      "--learning-curve <folds>",
      "after the training, measure by folds how the errors on held-out rows fall with the number of rows, and whether more rows would help",
      integer(2),
    );
}

/** Files and what is printed. */
function addOutputOptions(command: Command): Command {
  return command
    .option("--out <file>", "file of the model")
    .option(
      "--checkpoint <file>",
      "file in which to save the state of the run every 10 iterations, or every 500 steps on batches",
    )
    .option("--resume <file>", "continue from a checkpoint of the same run")
    .option(
      "--monitor",
      "report whether the training has converged, how fast, and what limits it (costs one spectrum per iteration)",
    )
    .option(
      "--uncertainty",
      "measure how sure the network is and save that with it, for predict --intervals (best with --method bayes)",
    )
    .option("--plot", "draw the loss by iteration")
    .option("--json", "write one JSON object per line: the records, then the result")
    .option("--quiet", "print only errors; the model is still written to --out")
    .option("--verbose", "also print method, units, route, memory and engine");
}
