// The flag --method of gaussflow train and gaussflow plan, and the flags of its methods: adds them to a command, and makes the method and the
// stop rules from their values. A flag that the chosen method does not have is an error, never left unused.
import { type Command, InvalidArgumentError, Option } from "commander";
import { type ScalingKind, scalingKinds } from "../linearize/problem.js";
import { adam } from "../method/adam.js";
import type { BatchMethod } from "../method/batch-method.js";
import type { BatchSize } from "../method/batch-size.js";
import { cumulativeGaussNewton } from "../method/cumulative/cumulative.js";
import { CUMULATIVE_FORMS, type CumulativeForm } from "../method/cumulative/options.js";
import { ADAPTATIONS, type Adaptation } from "../method/egn-search.js";
import { CURVATURE_CHOICES, type CurvatureChoice, exactGaussNewton } from "../method/exact-gauss-newton.js";
import { gaussNewton } from "../method/gauss-newton.js";
import { ggnScore } from "../method/ggn-score/ggn-score.js";
import { STEP_LENGTHS, type StepLength } from "../method/ggn-score/options.js";
import { type RegularizerName, SMOOTH_RULES } from "../method/ggn-score/smooth-rules.js";
import { gradientDescent } from "../method/gradient-descent.js";
import { lbfgs } from "../method/lbfgs.js";
import { levenbergMarquardt } from "../method/levenberg-marquardt/levenberg-marquardt.js";
import type { Method } from "../method/method.js";
import { RATE_SCHEDULES, type RateScheduleName } from "../method/rate-schedule.js";
import type { StopOptions } from "../train/stop.js";
import { UsageError } from "./exit.js";
import { integer, nonNegative, positive } from "./parse.js";

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
  readonly form?: CumulativeForm;
  readonly tau?: number;
  readonly mu?: number;
  readonly regularizer?: RegularizerName;
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
  make(options: Omit<MethodFlags, "method">): Method | BatchMethod | "auto";
}

/** Every method, by its name on the command line. */
const METHODS = {
  auto: {
    says: "one of the next by sizes, memory and --seconds, which --verbose explains",
    flags: BATCHES,
    make: () => "auto",
  },
  lm: { says: "Levenberg-Marquardt", flags: ["scaling"], make: ({ scaling }) => levenbergMarquardt({ scaling }) },
  gn: { says: "Gauss-Newton with a line search", flags: [], make: () => gaussNewton() },
  egn: {
    says: "exact Gauss-Newton on batches",
    flags: ["curvature", "batch", "damping", "momentum", "adaptation", "lineSearch", ...RATES, ...BATCHES],
    make: exactGaussNewton,
  },
  cumulative: {
    says: "cumulative Gauss-Newton on batches",
    flags: ["batch", "damping", "form", ...RATES, ...BATCHES],
    make: cumulativeGaussNewton,
  },
  "ggn-score": {
    says: "Gauss-Newton with a regularizer that makes weights small",
    flags: ["batch", "damping", "tau", "mu", "regularizer", "step", "proximal", ...BATCHES],
    make: ggnScore,
  },
  adam: { says: "Adam", flags: ["batch", ...RATES, ...BATCHES], make: adam },
  lbfgs: { says: "L-BFGS", flags: ["memory", ...BATCHES], make: lbfgs },
  "gradient-descent": {
    says: "gradient descent with momentum",
    flags: ["batch", "momentum", ...RATES, ...BATCHES],
    make: gradientDescent,
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
      new Option("--scaling <name>", "scaling matrix of the damping (lm only; default root)").choices([
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
      'rows of a batch, or "all" (egn: default 128, for classes and probabilities 32; cumulative: 512; ggn-score: all; adam and gradient-descent: 128)',
      batchSize,
    )
    .option(
      "--epochs <count>",
      "most passes over the rows, with a method on batches (default 20; ggn-score on all rows 200; lbfgs 1000)",
      integer(0),
    )
    .option(
      "--rate <number>",
      "learning rate (egn: default 1; cumulative 0.2; adam 0.001; gradient-descent 0.1)",
      positive,
    )
    .addOption(
      new Option(
        "--schedule <name>",
        "how the learning rate falls (egn and cumulative: default cosine; others constant)",
      ).choices([...RATE_SCHEDULES]),
    )
    .option("--final-rate <number>", "learning rate at the end of --schedule cosine (default 0)", nonNegative)
    .option("--rate-factor <number>", "factor of a fall with --schedule step (default 0.1)", positive)
    .option("--rate-epochs <count>", "epochs between two falls with --schedule step (default 10)", integer(1))
    .option(
      "--damping <number>",
      "damping of the mean loss of a batch (egn: default 0.01, for classes and probabilities 1; cumulative: 0.003; ggn-score: 0)",
      positive,
    )
    .option("--momentum <number>", "momentum, at least 0 and below 1 (egn, gradient-descent; default 0.9)", nonNegative)
    .addOption(
      new Option("--adaptation <name>", "how the damping of egn changes from batch to batch (default none)").choices([
        ...ADAPTATIONS,
      ]),
    )
    .option("--line-search", "search the length of each step of egn on its batch, as published")
    .option("--memory <count>", "pairs of changes that lbfgs keeps (default 10)", integer(1))
    .option(
      "--validate-every <steps>",
      "steps on batches from one validation to the next (default: at the end of each epoch)",
      integer(1),
    );
  return addScoreOptions(command);
}

/** The flags of cumulative and ggn-score. */
function addScoreOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--form <name>", "how cumulative joins the curvatures of batches (default moving-average)").choices([
        ...CUMULATIVE_FORMS,
      ]),
    )
    .option("--tau <number>", "strength of the regularizer of ggn-score (default 1e-4)", positive)
    .option("--mu <number>", "smoothing of that regularizer: smaller weights count as 0 (default 1e-3)", positive)
    .addOption(
      new Option("--regularizer <name>", "regularizer of ggn-score (default pseudo-huber)").choices(
        Object.keys(SMOOTH_RULES),
      ),
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

/** The method of the flags. @throws UsageError for a flag that is about another method */
export function methodOf(flags: MethodFlags): Method | BatchMethod | "auto" {
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
  return make(Object.fromEntries(given.map((flag) => [flag, flags[flag]])));
}

/** The limits of the flags that count steps. */
export function limitsOf({ iterations, epochs, validateEvery }: MethodFlags): StopOptions {
  return {
    ...(iterations === undefined ? {} : { iterations }),
    ...(epochs === undefined ? {} : { epochs }),
    ...(validateEvery === undefined ? {} : { validateEvery }),
  };
}
