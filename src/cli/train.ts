// The command gaussflow train FILE: trains a network on a table and saves the model; train-setup.ts is its beginning and train-outcome.ts
// its end. program.ts adds it.

import { type Command, Option } from "commander";
import { scalingKinds } from "../linearize/problem.js";
import { monitor } from "../monitor/monitor.js";
import { ACTIVATION_NAMES } from "../network/activations.js";
import { INITIALIZATION_NAMES } from "../network/initialize.js";
import { TRAIN_ROUTES } from "../plan/route.js";
import { recordLine } from "../report/json-lines.js";
import { Progress } from "../report/progress.js";
import { train } from "../train/train.js";
import { DEFAULT_VALIDATION } from "../train/train-options.js";
import { addEngineOptions, addRunOptions } from "./engine-options.js";
import { EXIT_CODES_HELP, type ExitCode } from "./exit.js";
import { fraction, integer, nonNegative, positive, sizes } from "./parse.js";
import { DEFAULT_TEST } from "./read-parts.js";
import { SignalWatch } from "./signals.js";
import { addTableOptions, TRAINED_ON } from "./table-options.js";
import { silentTerminal, type Terminal } from "./terminal.js";
import { runMany } from "./train-many.js";
import { conclude } from "./train-outcome.js";
import { setUp, type TrainFlags } from "./train-setup.js";

const EXAMPLES = `
Examples:
  $ gaussflow train cars.csv --target mpg --ignore name --missing drop --out cars.json --plot
  $ gaussflow train rig.csv --target torque,speed --hidden 32,32 --activation silu --seconds 60
  $ gaussflow train rig.csv --target torque --restarts 16 --cross-validate 5 --out rig.json
  $ gaussflow train rig.csv --target torque --restarts 16 --ensemble 5 --out ensemble.json
  $ gaussflow convert huge.csv.gz huge.gfd --target y && gaussflow train huge.gfd --out huge.json
  $ zcat big.csv.gz | gaussflow train - --target y --json > run.jsonl
${EXIT_CODES_HELP}`;

/** Adds the command; `done` receives its exit code. */
export function addTrainCommand(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  const command = program.command("train").argument("<file>", TRAINED_ON);
  command.description("train a network on a table and save it");
  addRunOptions(addEngineOptions(addTableOptions(command)))
    .addOption(new Option("--hidden <sizes>", "hidden layers").argParser(sizes).default([16, 16], "16,16"))
    .addOption(new Option("--activation <name>", "of the hidden layers").choices([...ACTIVATION_NAMES]).default("tanh"))
    .addOption(
      new Option("--initialization <name>", "of the parameters (default lecun-normal; he-normal with relu)").choices([
        ...INITIALIZATION_NAMES,
      ]),
    )
    .addOption(
      new Option("--method <name>", "Levenberg-Marquardt or line-searched Gauss-Newton")
        .choices(["lm", "gn"])
        .default("lm"),
    )
    .addOption(new Option("--scaling <name>", "of the damping (lm; default root)").choices([...scalingKinds]))
    .option(
      "--decay <number>",
      "weight decay: so much times half the squares of the parameters is added to half those of the errors",
      nonNegative,
      0,
    )
    .addOption(new Option("--route <name>", "how steps are solved").choices(["auto", ...TRAIN_ROUTES]).default("auto"))
    .option("--validation <fraction>", `of the rows, decides when to stop (default ${DEFAULT_VALIDATION})`, fraction)
    .option("--test <fraction>", `of the rows, held out to the end (default ${DEFAULT_TEST})`, fraction)
    .option("--iterations <count>", "at most so many, from the start of the run", integer(0), 200)
    .option("--seconds <number>", "at most so long", positive)
    .option("--patience <count>", "iterations without a better validation loss before it stops", integer(1), 20)
    .option("--loss <number>", "training loss to stop at (mean of squares, standardized units)", nonNegative)
    .option("--seed <number>", "of the split and the initial parameters", integer(0), 0)
    .option("--restarts <count>", "train from so many starts, one a core, and keep the best", integer(1))
    .option("--ensemble <count>", "keep so many of the best runs of --restarts; they predict their mean", integer(2))
    .option("--cross-validate <folds>", "also say how well such networks predict rows they have not seen", integer(2))
    .option("--out <file>", "where to save the model")
    .option("--checkpoint <file>", "save the state of the run every 10 iterations")
    .option("--resume <file>", "go on from a checkpoint of the same run")
    .option(
      "--monitor",
      "say whether it has converged, how fast, and what holds it back (costs a spectrum an iteration)",
    )
    .option("--plot", "draw the loss")
    .option("--json", "one JSON object a line: records, then the result")
    .option("--quiet", "write nothing but errors; the model goes to --out")
    .option("--verbose", "also show method, units, route, memory and engine")
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
  // Until the data are read there is nothing to save: a signal ends the process at once, also while a pipe is silent.
  const setup = await setUp(file, flags, terminal);
  const progress = json || quiet ? null : new Progress(terminal.err);
  const watch = new SignalWatch(() => {
    if (!json && !quiet) terminal.err.write("  stopping and keeping the best network so far; again to quit at once\n");
  });
  try {
    const result = await train(setup.network, setup.fit, {
      ...setup.options,
      threads: flags.threads,
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
    return await conclude(result, { setup, file, flags, watch }, terminal);
  } finally {
    progress?.done();
    watch.dispose();
  }
}
