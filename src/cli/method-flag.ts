// The flag --method of gaussflow train and gaussflow plan, and the flags of its methods: adds them to a command, and makes the method and the
// stop rules from their values. A flag that the chosen method does not have is an error, never left unused.
import { type Command, InvalidArgumentError, Option } from "commander";
import { type ScalingKind, scalingKinds } from "../linearize/problem.js";
import { adam } from "../method/adam.js";
import type { BatchMethod } from "../method/batch-method.js";
import type { BatchSize } from "../method/batch-size.js";
import { bayesianRegularization } from "../method/bayesian/bayesian-regularization.js";
import { cumulativeGaussNewton } from "../method/cumulative/cumulative.js";
import { CUMULATIVE_FORMS, type CumulativeForm } from "../method/cumulative/options.js";
import { ADAPTATIONS, type Adaptation } from "../method/egn-search.js";
import { CURVATURE_CHOICES, type CurvatureChoice, exactGaussNewton } from "../method/exact-gauss-newton.js";
import { gaussNewton } from "../method/gauss-newton.js";
import { ggnScore } from "../method/ggn-score/ggn-score.js";
import { STEP_LENGTHS, type StepLength } from "../method/ggn-score/options.js";
import { type RegularizerName, SMOOTH_RULES } from "../method/ggn-score/smooth-rules.js";
import { unitGroups } from "../method/ggn-score/unit-groups.js";
import { gradientDescent } from "../method/gradient-descent.js";
import { lbfgs } from "../method/lbfgs.js";
import { levenbergMarquardt } from "../method/levenberg-marquardt/levenberg-marquardt.js";
import type { Method } from "../method/method.js";
import { RATE_SCHEDULES, type RateScheduleName } from "../method/rate-schedule.js";
import type { Network } from "../network/network.js";
import type { StopOptions } from "../train/stop.js";
import { UsageError } from "./exit.js";
import { finite, integer, nonNegative, positive } from "./parse.js";

/** As commander collects them; absent where they were not given. */
export interface MethodFlags {
  readonly method: MethodName;
  readonly scaling?: ScalingKind;
  readonly curvature?: CurvatureChoice;
  readonly batch?: BatchSize;
  readonly rate?: number;
  readonly schedule?: RateScheduleName;
  readonly finalRate?: number;
  readonly rateFactor?: number;
  readonly rateEpochs?: number;
  readonly damping?: number;
  readonly momentum?: number;
  readonly adaptation?: Adaptation;
  readonly lineSearch?: true;
  readonly memory?: number;
  readonly decoupledDecay?: number;
  readonly nesterov?: true;
  readonly form?: CumulativeForm;
  readonly keep?: number;
  readonly curvatureRows?: number;
  readonly warmUp?: number;
  readonly largestRise?: number;
  readonly radius?: number;
  readonly tau?: number;
  readonly mu?: number;
  readonly regularizer?: RegularizerName;
  readonly lower?: number;
  readonly upper?: number;
  readonly groups?: "units";
  readonly step?: StepLength;
  readonly proximal?: true;
  readonly iterations?: number;
  readonly epochs?: number;
  readonly validateEvery?: number;
}

/** Flags of one method and not of all, by their names in `MethodFlags`. */
type OwnFlag = Exclude<keyof MethodFlags, "method" | "iterations">;

const RATES = ["rate", "schedule", "finalRate", "rateFactor", "rateEpochs"] as const;
const BATCHES = ["epochs", "validateEvery"] as const;

interface MethodChoice {
  /** For --help. */
  readonly says: string;
  /** The flags that it takes; those of the same name are options of the method. */
  readonly flags: readonly OwnFlag[];
  /** Flags to change after numbers that are not finite. */
  readonly remedies: (flags: MethodFlags) => readonly string[];
  /** @param net network of the training; absent while it is not known yet */
  make(options: Omit<MethodFlags, "method">, net?: Network): Method | BatchMethod | "auto";
}

/** Of a method with a learning rate and a damping, and of one with the rate alone. */
const DAMPED = () => ["--rate", "--damping"];
const RATED = () => ["--rate"];
const NONE = () => [];

/** Every method, by its name on the command line. */
const METHODS = {
  auto: {
    says: "one of the next by sizes, memory and --seconds, which --verbose explains",
    flags: BATCHES,
    remedies: NONE,
    make: () => "auto",
  },
  lm: {
    says: "Levenberg-Marquardt",
    flags: ["scaling"],
    remedies: NONE,
    make: ({ scaling }) => levenbergMarquardt({ scaling }),
  },
  bayes: {
    says: "Bayesian regularization, which finds the weight decay and holds no rows out",
    flags: ["scaling"],
    remedies: NONE,
    make: ({ scaling }) => bayesianRegularization({ scaling }),
  },
  gn: { says: "Gauss-Newton with a line search", flags: [], remedies: NONE, make: () => gaussNewton() },
  egn: {
    says: "exact Gauss-Newton on batches",
    flags: ["curvature", "batch", "damping", "momentum", "adaptation", "lineSearch", ...RATES, ...BATCHES],
    remedies: DAMPED,
    make: (options) => exactGaussNewton(options),
  },
  cumulative: {
    says: "cumulative Gauss-Newton on batches",
    flags: [
      "batch",
      "damping",
      "form",
      "keep",
      "curvatureRows",
      "warmUp",
      "largestRise",
      "radius",
      ...RATES,
      ...BATCHES,
    ],
    remedies: DAMPED,
    make: (options) => cumulativeGaussNewton(options),
  },
  "ggn-score": {
    says: "Gauss-Newton with a regularizer that makes weights small",
    flags: ["batch", "damping", "tau", "mu", "regularizer", "lower", "upper", "groups", "step", "proximal", ...BATCHES],
    remedies: ({ step }) => (step === "published" ? ["--step majorizing", "--mu"] : ["--tau", "--damping"]),
    make: ({ groups, ...options }, net) =>
      ggnScore({ ...options, groups: groups === undefined || net === undefined ? undefined : unitGroups(net) }),
  },
  adam: {
    says: "Adam",
    flags: ["batch", "decoupledDecay", ...RATES, ...BATCHES],
    remedies: RATED,
    make: (options) => adam(options),
  },
  lbfgs: {
    says: "L-BFGS",
    flags: ["memory", ...BATCHES],
    remedies: () => ["--seed"],
    make: (options) => lbfgs(options),
  },
  "gradient-descent": {
    says: "gradient descent with momentum",
    flags: ["batch", "momentum", "nesterov", ...RATES, ...BATCHES],
    remedies: RATED,
    make: (options) => gradientDescent(options),
  },
} as const satisfies Record<string, MethodChoice>;

type MethodName = keyof typeof METHODS;
const NAMES = Object.keys(METHODS) as readonly MethodName[];

/** Flags that the loop reads and not the method. */
const OF_THE_LOOP: readonly string[] = BATCHES;

/** Adds the flags to a command. */
export function addMethodOptions(command: Command): Command {
  const choices = NAMES.map((name) => `${METHODS[name].says} (${name})`).join(", ");
  command
    .addOption(new Option("--method <name>", `training method: ${choices}`).choices(NAMES).default("lm"))
    .addOption(
      new Option("--scaling <name>", "scaling matrix of the damping (lm and bayes; default root)").choices([
        ...scalingKinds,
      ]),
    )
    .addOption(
      new Option("--curvature <name>", "curvature of a batch (egn; default auto: sampled from 5 outputs on)").choices([
        ...CURVATURE_CHOICES,
      ]),
    )
    .option(
      "--batch <rows>",
      'rows of a batch, or "all" (egn: default 128, for classes and probabilities of fewer than 5 outputs 32; cumulative: 512; ggn-score: all; adam and gradient-descent: 128)',
      batchSize,
    )
    .option(
      "--epochs <count>",
      "most passes over the rows, with a method on batches (default 20; ggn-score on all rows 200; lbfgs 1000)",
      integer(0),
    );
  addRateOptions(command)
    .option(
      "--damping <number>",
      "damping (egn: default 0.01, for classes and probabilities 1, from 5 outputs on 3; cumulative: 0.003, other forms 30; ggn-score: 0, with bounds 1e-4)",
      nonNegative,
    )
    .option("--momentum <number>", "momentum, at least 0 and below 1 (egn, gradient-descent; default 0.9)", nonNegative)
    .addOption(
      new Option("--adaptation <name>", "how the damping of egn changes from batch to batch (default none)").choices([
        ...ADAPTATIONS,
      ]),
    )
    .option("--line-search", "search the length of each step of egn on its batch, as published")
    .option("--nesterov", "Nesterov's form of the momentum of gradient-descent")
    .option(
      "--decoupled-decay <number>",
      "share of the parameters that every step of adam takes away, times the rate (default 0)",
      nonNegative,
    )
    .option("--memory <count>", "pairs of changes that lbfgs keeps (default 10)", integer(1))
    .option(
      "--validate-every <steps>",
      "steps on batches from one validation to the next (default: at the end of each epoch)",
      integer(1),
    );
  return addScoreOptions(addCumulativeOptions(command));
}

/** The flags of a learning rate. */
function addRateOptions(command: Command): Command {
  return command
    .option(
      "--rate <number>",
      "learning rate (egn: default 1; cumulative: 0.2, other forms 1; adam: 0.001; gradient-descent: 0.1)",
      positive,
    )
    .addOption(
      new Option(
        "--schedule <name>",
        "how the learning rate falls (egn, and cumulative by its moving average: default cosine; others: constant)",
      ).choices([...RATE_SCHEDULES]),
    )
    .option("--final-rate <number>", "learning rate at the end of --schedule cosine (default 0)", nonNegative)
    .option("--rate-factor <number>", "factor of a fall with --schedule step (default 0.1)", positive)
    .option("--rate-epochs <count>", "epochs between two falls with --schedule step (default 10)", integer(1));
}

/** The flags of cumulative. */
function addCumulativeOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--form <name>", "how cumulative joins the curvatures of batches (default moving-average)").choices([
        ...CUMULATIVE_FORMS,
      ]),
    )
    .option(
      "--keep <share>",
      "share of the curvature so far that cumulative keeps: of the moving average from one update to the next (default 0.8), of the form forgetting from batch to batch (0.995)",
      positive,
    )
    .option(
      "--curvature-rows <rows>",
      "rows of a batch of which cumulative forms the curvature of its moving average (default half of them)",
      integer(1),
    )
    .option(
      "--warm-up <number>",
      "rows of which that average is formed before the first step, divided by the parameters (default 4; one epoch at most)",
      nonNegative,
    )
    .option(
      "--largest-rise <share>",
      "cumulative takes no step that raises the loss of its batch by more (default 0.05; other forms: no limit)",
      positive,
    )
    .option(
      "--radius <number>",
      "cumulative in its published form: steps are projected onto the ball of this radius around the start (default: no projection)",
      positive,
    );
}

/** The flags of ggn-score. */
function addScoreOptions(command: Command): Command {
  return command
    .option("--tau <number>", "strength of the regularizer of ggn-score (default 1e-4)", positive)
    .option("--mu <number>", "smoothing of that regularizer: smaller weights count as 0 (default 1e-3)", positive)
    .addOption(
      new Option("--regularizer <name>", "regularizer of ggn-score (default pseudo-huber)").choices(
        Object.keys(SMOOTH_RULES),
      ),
    )
    .option("--lower <number>", "lower bound of the parameters (exponential: default 0; boxes: -1)", finite)
    .option("--upper <number>", "upper bound of the parameters, with the boxes (default 1)", finite)
    .addOption(
      new Option(
        "--groups <name>",
        "regularize groups in place of single parameters: units, the incoming weights of each unit together",
      ).choices(["units"]),
    )
    .addOption(
      new Option("--step <name>", "curvature and length of the steps of ggn-score (default majorizing)").choices([
        ...STEP_LENGTHS,
      ]),
    )
    .option("--proximal", "soft thresholds after each step of ggn-score, which make small weights exactly 0");
}

/** A number of rows, or all. */
function batchSize(text: string): BatchSize {
  if (text === "all") return text;
  try {
    return integer(1)(text);
  } catch {
    throw new InvalidArgumentError('It must be an integer of at least 1, or "all".');
  }
}

/**
 * The method of the flags.
 * @param net network of the training, from which --groups follows; absent while it is not known yet
 * @throws UsageError for a flag that is about another method
 */
export function methodOf(flags: MethodFlags, net?: Network): Method | BatchMethod | "auto" {
  const { says, flags: own, make }: MethodChoice = METHODS[flags.method];
  const all = new Set(NAMES.flatMap((name): readonly OwnFlag[] => METHODS[name].flags));
  for (const flag of all) {
    if (flags[flag] === undefined || own.includes(flag)) continue;
    const takers = NAMES.filter((name) => (METHODS[name].flags as readonly OwnFlag[]).includes(flag));
    const name = flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new UsageError(
      `--${name} is not about --method ${flags.method} (${says}): leave it out, or choose --method ${takers.join(" or ")}`,
    );
  }
  const given = own.filter((flag) => !OF_THE_LOOP.includes(flag) && flags[flag] !== undefined);
  return make(Object.fromEntries(given.map((flag) => [flag, flags[flag]])), net);
}

/** " (--rate, --damping)": the flags to change after numbers that are not finite, or "". */
export function remedyFlags(flags: MethodFlags): string {
  const { remedies }: MethodChoice = METHODS[flags.method];
  const named = remedies(flags);
  return named.length === 0 ? "" : ` (${named.join(", ")})`;
}

/** The limits of the flags that count steps. */
export function limitsOf({ iterations, epochs, validateEvery }: MethodFlags): StopOptions {
  return {
    ...(iterations === undefined ? {} : { iterations }),
    ...(epochs === undefined ? {} : { epochs }),
    ...(validateEvery === undefined ? {} : { validateEvery }),
  };
}
