// The public `checkAssumptions`, which users and the experiment on real data call before a run: tests whether the theory applies to a
// network and its data. It returns one finding per assumption, with a remedy for each that does not hold.
import { norm } from "../algebra/vectors.js";
import { type BackendOptions, createEngine } from "../backend/create.js";
import type { EngineData } from "../backend/engine.js";
import type { Dataset } from "../data/dataset.js";
import type { DatasetInput } from "../data/dataset-input.js";
import { GaussflowError } from "../errors.js";
import { isSmooth } from "../network/activations.js";
import { network as makeNetwork, type Network } from "../network/network.js";
import { type JacobianRank, jacobianRank } from "../spectrum/jacobian-rank.js";
import { deadNetwork } from "./observation.js";
import { deadRemedy, type OutputScaleAdvice, recommendOutputScale, singularAdvice } from "./output-scale.js";
import { percent } from "./percent.js";
import { type AdviceOptions, prepareAdvice } from "./prepared.js";

/** Whether one assumption holds. */
export interface Finding {
  /** Which assumption it is. */
  readonly assumption: "smooth" | "regular" | "starts-at-zero" | "output-scale";
  /** True if the assumption holds. */
  readonly holds: boolean;
  /** What was found, with the numbers. */
  readonly message: string;
  /** What to change; null if it holds. */
  readonly remedy: string | null;
}

/** Whether the theory applies to a network and its data. */
export interface Assumptions {
  /** p <= n c: Gauss-Newton flow, rho = 0. p > n c: Levenberg-Marquardt flow with spectral damping. */
  readonly regime: "under" | "over";
  /** Number of parameters, p. */
  readonly parameterCount: number;
  /** Number of equations, n c. */
  readonly equationCount: number;
  /** Numerical rank of J; min(p, n c) is full. */
  readonly rank: number;
  /** Relative tolerance of the rank. */
  readonly tolerance: number;
  /** Nonzero eigenvalues of K = J J^T without the output scale: extremes above rounding, and their ratio; NaN where not known. */
  readonly spectrum: {
    /** The largest eigenvalue. */
    readonly largest: number;
    /** The smallest eigenvalue above rounding. */
    readonly smallest: number;
    /** Ratio of both. */
    readonly condition: number;
  };
  /** Rate of the loss that the theory promises at the start: 2, or 1 + lambda with spectralDamping(); 0 where J is 0. */
  readonly expectedRate: number;
  /** True if all findings hold. */
  readonly applies: boolean;
  /** One entry an assumption. */
  readonly findings: readonly Finding[];
  /** All findings, in sentences. */
  readonly text: string;
}

/**
 * Checks the assumptions of the theory at the network's parameters (`docs/theory.md`).
 * @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_DATA
 */
export async function checkAssumptions(
  network: Network,
  data: Dataset | DatasetInput,
  options: AdviceOptions = {},
): Promise<Assumptions> {
  const { start, data: prepared, backend } = await prepareAdvice(network, data, options);
  const { signal } = options;
  const { architecture, parameters, parameterCount } = start;
  const alpha = architecture.outputScale;
  const equationCount = prepared.sampleCount * architecture.outputSize;
  const over = parameterCount > equationCount;
  const engine = createEngine(architecture, prepared, backend);
  try {
    const rank = await jacobianRank(engine, parameters, alpha, signal);
    if (rank === null)
      throw new GaussflowError("GAUSSFLOW_ARGUMENT", "the network's Jacobian is not finite at its parameters");
    const outputs = norm(start.predictScaled(prepared.inputs));
    const advice = await recommendOutputScale(network, data, options);
    const findings = [
      smoothness(start),
      regularity(start, rank, over, rank.rank < rank.of ? await inputRank(prepared, backend, signal) : null),
      startAtZero(outputs, norm(prepared.targets), alpha),
      scale(alpha, advice),
    ];
    const dead = rank.largest === 0;
    const known = rank.smallestAbove ?? (dead ? 0 : Number.NaN);
    const [largest, smallest] = [rank.largest ** 2, known ** 2];
    const facts = {
      regime: over ? ("over" as const) : ("under" as const),
      parameterCount,
      equationCount,
      rank: rank.rank,
      tolerance: rank.tolerance,
      spectrum: { largest, smallest, condition: dead ? Number.POSITIVE_INFINITY : largest / smallest },
      expectedRate: dead ? 0 : over ? 1 + smallest : 2,
      applies: findings.every(({ holds }) => holds),
      findings,
    };
    return { ...facts, text: describe(facts) };
  } finally {
    engine.dispose();
  }
}

function smoothness({ architecture }: Network): Finding {
  const rough = architecture.layers.findIndex(({ activation }) => !isSmooth(activation));
  return {
    assumption: "smooth",
    holds: rough < 0,
    message:
      rough < 0
        ? "all activations are smooth"
        : `layer ${rough + 1} has the activation ${architecture.layers[rough].activation}, which has a kink: J jumps, and the flow with it`,
    remedy: rough < 0 ? null : "use a smooth activation such as silu, gelu or softplus",
  };
}

/** Rank of the inputs with a column of ones: the Jacobian of a linear model. */
async function inputRank(
  data: EngineData,
  backend: BackendOptions,
  signal?: AbortSignal,
): Promise<JacobianRank | null> {
  const linear = makeNetwork({ layers: [data.inputs.length / data.sampleCount, 1] });
  const targets = new Float64Array(data.sampleCount);
  const engine = createEngine(linear.architecture, { ...data, targets }, backend);
  return jacobianRank(engine, linear.parameters, 1, signal).finally(() => engine.dispose());
}

function regularity(
  { options }: Network,
  { rank, of, largest, smallestAbove, tolerance }: JacobianRank,
  over: boolean,
  inputs: JacobianRank | null,
): Finding {
  const full = rank === of;
  // What rounding leaves unknown of the smallest singular value; the kernel has its square.
  const unsure = smallestAbove === null ? 0 : ((tolerance * largest) / smallestAbove) ** (over ? 2 : 1);
  const holds = full && unsure <= mostUnsure;
  const side = over ? "row" : "column";
  const dependent = inputs !== null && inputs.rank < inputs.of && !over;
  const why =
    largest === 0
      ? deadRemedy
      : over
        ? "remove duplicate samples, or use more units"
        : dependent
          ? `the inputs with a constant have rank ${inputs.rank} of ${inputs.of}, and every unit loses as much: leave a column out, such as one category of a group`
          : options.drawn?.initialization === "symmetric"
            ? "paired units have parallel columns: use centered: true instead of symmetric"
            : "use fewer units, another seed, or a damping above 0";
  return {
    assumption: "regular",
    holds,
    message: full
      ? `J has full ${side} rank ${of}; smallest singular value ${smallestAbove?.toExponential(2)}${holds ? "" : `, of which rounding leaves ${percent(unsure)} unknown (sigma_min/sigma_max = ${((smallestAbove ?? 0) / largest).toExponential(1)}): undamped, steps would be set by rounding`}`
      : largest === 0
        ? deadNetwork
        : `J has ${side} rank ${rank} of ${of} at relative tolerance ${tolerance.toExponential(1)}`,
    remedy: holds ? null : why,
  };
}

/** Share of the smallest singular value that rounding may leave unknown. */
const mostUnsure = 0.01;

/** Largest predictions at the start, relative to the targets, that count as a start at 0. */
const nearZero = 0.01;

function startAtZero(outputs: number, targets: number, alpha: number): Finding {
  const holds = outputs <= nearZero * targets;
  return {
    assumption: "starts-at-zero",
    holds,
    message: holds
      ? "the predictions start at 0"
      : `the predictions start at ${outputs.toPrecision(3)}, the targets are ${targets.toPrecision(3)}: with outputScale ${alpha} the start itself moves away as the scale grows`,
    remedy: holds ? null : "use centered: true (any regime) or initialization: symmetric (p > n c)",
  };
}

function scale(alpha: number, advice: OutputScaleAdvice): Finding {
  const assumption = "output-scale";
  if (advice.rank === 0) return { assumption, holds: false, message: deadNetwork, remedy: deadRemedy };
  if (advice.displacement === 0)
    return {
      assumption,
      holds: true,
      message: "the network starts at the targets, to rounding: all output scales are equivalent",
      remedy: null,
    };
  return scaleOfWay(alpha, advice);
}

function scaleOfWay(alpha: number, { outputScale, roundingBound, lipschitz, rank, of }: OutputScaleAdvice): Finding {
  const linear = lipschitz === 0;
  const holds = linear || (outputScale !== null && alpha >= outputScale && alpha <= roundingBound);
  const bound = roundingBound === 0 ? "no output scale" : `at most ${roundingBound.toPrecision(3)}`;
  return {
    assumption: "output-scale",
    holds,
    message: linear
      ? "the network is linear in its parameters: all output scales are equivalent"
      : outputScale === null
        ? `no output scale was found at which the flow stays near its linear way; rounding allows ${bound}`
        : `outputScale is ${alpha}, recommended is ${outputScale.toPrecision(3)} or more, rounding allows ${bound}`,
    remedy: holds
      ? null
      : outputScale !== null
        ? `use outputScale ${outputScale.toPrecision(3)}`
        : rank < of
          ? singularAdvice
          : "damp the flow, or start elsewhere",
  };
}

const shown = (value: number, how: (value: number) => string) => (Number.isNaN(value) ? "unknown" : how(value));

function describe(facts: Omit<Assumptions, "text">): string {
  const { regime, parameterCount, equationCount, spectrum, expectedRate, findings, applies } = facts;
  const relation = regime === "under" ? "at most" : "more than";
  const lines = [
    `${parameterCount} parameters, ${relation} ${equationCount} equations: ${regime === "under" ? "underparameterized, Gauss-Newton flow (rho = 0)" : "overparameterized, Levenberg-Marquardt flow (spectralDamping())"}.`,
    spectrum.largest === 0
      ? "The kernel is 0: no rate is expected."
      : `Kernel eigenvalues from ${shown(spectrum.smallest, (value) => value.toExponential(2))} to ${spectrum.largest.toExponential(2)}; expected rate of the loss ${shown(expectedRate, (value) => value.toPrecision(5))}.`,
    ...findings.map(
      ({ assumption, holds, message, remedy }) =>
        `${holds ? "holds" : "DOES NOT HOLD"}  ${assumption}: ${message}${remedy === null ? "" : `. Remedy: ${remedy}`}.`,
    ),
    applies ? "The theory applies." : "The theory does not apply as it stands.",
  ];
  return lines.join("\n");
}
