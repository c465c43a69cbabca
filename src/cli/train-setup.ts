// The beginning of gaussflow train, called by train.ts for one run and by train-many.ts for many: reads the table in parts, makes the
// network and the train options from the flags, and opens the channels for notes and warnings.
import type { Cluster } from "../cluster/cluster.js";
import { isDataFile } from "../data/data-file.js";
import { dataWarnings } from "../data/data-warnings.js";
import { classTargets } from "../loss/class-metrics.js";
import { type Loss, lossRule } from "../loss/rules.js";
import { outputCount } from "../loss/target-rules.js";
import type { MonitorReport } from "../monitor/monitor-report.js";
import type { ActivationName } from "../network/architecture.js";
import type { InitializationName } from "../network/initialize.js";
import { type Network, network } from "../network/network.js";
import type { TrainRoute } from "../plan/route.js";
import type { TableSearch } from "../search/search.js";
import type { TrainOptions } from "../train/train-options.js";
import type { EngineFlags, RunFlags } from "./engine-options.js";
import { UsageError } from "./exit.js";
import { answersNote, type LossChoice, lossOf } from "./loss-flag.js";
import { limitsOf, type MethodFlags, methodOf } from "./method-flag.js";
import { checkOutputs } from "./output-file.js";
import { type PartFlags, type Parts, readParts } from "./read-parts.js";
import { type Terminal, warn } from "./terminal.js";
import { type CostFlags, checkThresholdCost } from "./threshold-cost.js";
import {
  asked,
  type ChosenNetwork,
  chooseNetwork,
  flagsOf,
  isSearched,
  type SearchFlags,
  tellNotSearched,
} from "./train-search.js";

/** As commander collects them. */
export interface TrainFlags extends PartFlags, EngineFlags, RunFlags, CostFlags, SearchFlags, MethodFlags {
  readonly activation: ActivationName;
  readonly initialization?: InitializationName;
  readonly classWeights?: "balanced";
  /** true where the flag names no epochs. */
  readonly batchStart?: number | true;
  readonly route: "auto" | TrainRoute;
  readonly distributed?: true;
  readonly seconds?: number;
  readonly patience: number;
  readonly loss?: LossChoice;
  readonly stopLoss?: number;
  readonly ensemble?: number;
  readonly out?: string;
  readonly checkpoint?: string;
  readonly resume?: string;
  readonly uncertainty?: true;
  readonly plot?: true;
  readonly json?: true;
  readonly quiet?: true;
  readonly verbose?: true;
}

export interface TrainSetup extends Parts {
  readonly network: Network;
  /** All but signal and callbacks. */
  readonly options: TrainOptions<MonitorReport>;
  /** Null where sizes and decay were given. */
  readonly search: TableSearch | null;
  /** `validation` of the trainings of a cross-validation. */
  readonly foldValidation: TrainOptions["validation"];
  readonly tell: (note: string) => void;
  readonly caution: (text: string) => void;
  readonly warnings: readonly string[];
}

/**
 * @param cluster whose ranks share the work; the first writes the files
 * @throws UsageError for flags that contradict each other, GAUSSFLOW_FILE for output that cannot be written, and what the table throws
 */
export async function setUp(
  file: string,
  given: TrainFlags,
  terminal: Terminal,
  cluster: Cluster,
): Promise<TrainSetup> {
  const flags = withoutHeldRows(file, given);
  if (cluster.size > 1 && file === "-")
    throw new UsageError(
      `the table must be a file on ${cluster.size} ranks, because standard input reaches one of them`,
    );
  const outputs = [
    { flag: "--out", path: flags.out, what: "the model" },
    { flag: "--checkpoint", path: flags.checkpoint, what: "the checkpoint", mayShare: "--resume" },
  ];
  await checkOutputs({ "the table": file, "--resume": flags.resume }, cluster.rank === 0 ? outputs : []);
  const method = methodOf(flags);
  checkManyRuns(flags);
  const { json = false, quiet = false } = flags;
  const warnings: string[] = [];
  const tell = (text: string) => {
    if (!quiet && !json) terminal.err.write(`  ${text}\n`);
  };
  const caution = (text: string) => {
    warnings.push(text);
    if (!json) warn(terminal, text);
  };
  const what = asked(file, flags);
  tellNotSearched(flags, what, tell);
  const read = await readParts(file, flags, tell, isSearched(what));
  if (flags.classWeights !== undefined && read.fit.classes === null)
    throw new UsageError(
      "--class-weights is about classes, and the target is a number: --task classification makes a class of each of its values, or leave --class-weights out",
    );
  const loss = lossOf(flags.loss, read.fit);
  for (const note of answersNote(flags.loss, read.fit)) tell(note);
  checkThresholdCost(flags, classTargets(lossRule(loss).link, read.fit.targetNames, read.fit.classes));
  const base = baseOptions(flags, loss, method);
  const shape = { activation: flags.activation, initialization: flags.initialization };
  if (isSearched(what))
    tell(
      `comparing networks for ${[what.hidden === null ? "hidden layers" : "", what.decay === null ? "weight decay" : ""].filter(Boolean).join(" and ")} first (--hidden 16,16 trains at once)`,
    );
  const chosen = await chooseNetwork(what, read, base, shape, flags, { terminal, cluster });
  const { hidden, decay, parts, search, foldValidation } = chosen;
  const { fit } = parts;
  if (isSearched(what)) tellOfSearch(chosen, flags, tell);
  // Before the training; its result has the same sentence.
  if (!json) for (const warning of await dataWarnings(fit)) warn(terminal, warning);
  const layers = [fit.inputSize, ...hidden, outputCount(loss, fit.outputSize)];
  const net = network({ layers, ...shape, seed: flags.seed });
  const validation: TrainOptions["validation"] = parts.validation ?? false;
  // Groups of parameters follow from the network.
  const { uncertainty } = flags;
  const options = { ...base, method: methodOf(flags, net), loss: { ...loss, decay }, validation, uncertainty };
  return { ...parts, network: net, options, search, foldValidation, tell, caution, warnings };
}

/** Flags of many runs, against each other and those of one. @throws UsageError */
function checkManyRuns(flags: TrainFlags): void {
  if (flags.restarts !== undefined || flags.crossValidate !== undefined)
    for (const name of ["checkpoint", "resume", "monitor"] as const)
      if (flags[name] !== undefined)
        throw new UsageError(`--${name} is about one run: leave it out with --restarts and --cross-validate`);
  const { restarts = 1, ensemble } = flags;
  if (ensemble !== undefined && ensemble > restarts)
    throw new UsageError(
      `--ensemble takes the best of the runs of --restarts, of which there ${restarts === 1 ? "is 1" : `are ${restarts}`}: received ${ensemble}; give --restarts ${ensemble} or more`,
    );
  if (flags.learningCurve !== undefined && (flags.restarts ?? flags.crossValidate) !== undefined)
    throw new UsageError("--learning-curve has folds of its own: leave --restarts and --cross-validate out");
  if (flags.learningCurve !== undefined && flags.splitColumn !== undefined)
    throw new UsageError("--learning-curve makes parts of its own: leave --split-column out");
  if (ensemble !== undefined && flags.uncertainty)
    throw new UsageError(
      "--uncertainty is about one network: leave it out with --ensemble, whose --spread says something else",
    );
  if (flags.crossValidate !== undefined && flags.splitColumn !== undefined)
    throw new UsageError("--cross-validate makes parts of its own: leave --split-column out");
}

/** Bayesian regularization needs no rows to decide when to stop: none are drawn without --validation. */
function withoutHeldRows(file: string, flags: TrainFlags): TrainFlags {
  const drawn = flags.method === "bayes" && flags.splitColumn === undefined && (file === "-" || !isDataFile(file));
  return drawn ? { ...flags, validation: flags.validation ?? 0 } : flags;
}

/** The train options of the flags, with this loss and without a validation part. */
function baseOptions(flags: TrainFlags, loss: Loss, method: NonNullable<TrainOptions["method"]>) {
  return {
    method,
    loss,
    classWeights: flags.classWeights,
    batchStart: typeof flags.batchStart === "number" ? { epochs: flags.batchStart } : flags.batchStart,
    stop: {
      ...limitsOf(flags),
      patience: flags.patience,
      ...(flags.seconds === undefined ? {} : { seconds: flags.seconds }),
      ...(flags.stopLoss === undefined ? {} : { loss: flags.stopLoss }),
    },
    route: flags.route,
    backend: flags.backend,
    memoryLimit: flags.memoryLimit,
    slots: flags.slots,
    distributed: flags.distributed,
    seed: flags.seed,
  };
}

/** What to know of a search beside its table. */
function tellOfSearch(chosen: ChosenNetwork, flags: TrainFlags, tell: (note: string) => void): void {
  if (flags.crossValidate !== undefined)
    tell(
      "sizes and decay were chosen on the rows that the folds hold out: the errors of the folds are slightly too small",
    );
  if (flags.checkpoint !== undefined) tell(`to resume from ${flags.checkpoint}, also give ${flagsOf(chosen)}`);
}
