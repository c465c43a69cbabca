// Measures the uncertainty of a trained network on the engine of its training: directions, noise, leverages, residuals without the row.
// src/train calls it before the engine goes, and for networks that were trained before.
//   noise of target a   sigma_a^2 = sum_i s_i e_ia^2 / (n - gamma_a),   gamma_a = sum_i (H_ii)_aa,   sum of gamma_a = gamma
//   MacKay, Neural Computation 4 (1992) 415-447 and 448-472, and for the degrees of freedom Moody, NIPS 4 (1992) 847-854
import type { EngineData } from "../backend/engine.js";
import type { NetworkEngine } from "../backend/network-engine.js";
import type { Network } from "../network/network.js";
import type { Posterior } from "../network/posterior.js";
import { curvatureFactor } from "./curvature-factor.js";
import { type Directions, findDirections } from "./eigen-directions.js";
import { diagonals, leaveOneOut, leverageBlocks } from "./leverage.js";

/** What the training rows mean to the fit, in the order of the rows that were fitted: those with a weight. */
export interface RowDiagnostics {
  /**
   * Diagonal of the hat matrix, from 0 to 1, n x c row-major: how strongly a row pulls its own prediction. They sum to the effective number of
   * parameters.
   */
  readonly leverage: Float64Array;
  /** Target less prediction, n x c in raw units; null for classes. */
  readonly residuals: Float64Array | null;
  /**
   * Target less the prediction of a network that was trained without the row, to first order, n x c in raw units; null for classes. NaN
   * where a row alone decides a direction of the fit; `warnings` count them.
   */
  readonly leaveOneOut: Float64Array | null;
}

/** What is measured at the end of a training. */
export interface Measured {
  readonly ok: true;
  readonly posterior: Posterior;
  readonly rows: RowDiagnostics;
  readonly warnings: readonly string[];
}

/** Share of the equations above which intervals of an undecayed fit are too narrow (docs/uncertainty.md). */
const CROWDED = 0.1;
/** Distance from the minimum, in root mean square standard errors of a direction, above which it is said. */
const FAR = 0.3;
/** Degrees of freedom of a noise below which nothing is said of it. */
const FEWEST_DEGREES = 1;

/**
 * @param engine of the rows of `data`, at rest
 * @param network at the parameters to measure at
 * @param data in the units of training, in memory
 * @returns the sentence why there is nothing to say where that is so
 * @throws GAUSSFLOW_MEMORY, and the signal's reason once it has been aborted
 */
export async function measure(
  engine: NetworkEngine,
  network: Network,
  data: Pick<EngineData, "inputs" | "targets" | "weights">,
  decay: number,
  signal: AbortSignal | undefined,
): Promise<Measured | { readonly ok: false; readonly message: string }> {
  const { parameters, link } = network;
  const { outputSize: c, sampleCount: n } = engine;
  const directions = await findDirections(engine, parameters, decay, signal);
  if (!directions.ok) return directions;
  const psi = await engine.forward(parameters, signal);
  const roots = data.weights?.map(Math.sqrt) ?? null;
  const factor = curvatureFactor(link, psi, roots, c);
  const blocks = await leverageBlocks(engine, parameters, { ...directions, decay }, factor, signal);
  const leverage = diagonals(blocks, c);
  const { space, values, vectors, gamma } = directions;
  const ofSamples = space === "samples";
  const posterior = {
    ...{ space, decay, values, vectors, gamma, samples: n },
    ...{ inputs: ofSamples ? data.inputs.slice() : null, roots: ofSamples ? roots : null },
  };
  if (link !== "identity") {
    const rows = { leverage, residuals: null, leaveOneOut: null };
    return {
      ok: true,
      posterior: { ...posterior, noise: null, degrees: null },
      rows,
      warnings: [...distanceWarnings(directions, 1), ...undecayedWarnings(decay)],
    };
  }
  const residuals = data.targets.map((target, k) => target - psi[k]!);
  const { noise, degrees } = noiseOf(residuals, leverage, data.weights ?? null, c);
  const few = degrees.findIndex((count) => !(count >= FEWEST_DEGREES));
  if (few >= 0) return { ok: false, message: tooFew(degrees[few]!, n * c, gamma, decay) };
  const far = distanceWarnings(directions, pooledVariance(noise, degrees));
  const step = far.length > 0 ? null : (directions.remaining?.step ?? null);
  const without = leaveOneOut(await residualsAfter(step, residuals, engine, parameters, signal), blocks, c);
  const warnings = [...far, ...crowdedWarnings(gamma, n * c, decay)];
  if (without.undecided > 0)
    warnings.push(
      `leave-one-out residuals of ${without.undecided} of ${n} rows are NaN: each of these rows alone decides a direction of the fit`,
    );
  const scale = network.scaling?.targets.scale;
  const raw = (values: Float64Array) => values.map((value, k) => value * (scale?.[k % c] ?? 1));
  const rows = { leverage, residuals: raw(residuals), leaveOneOut: raw(without.residuals) };
  return { ok: true, posterior: { ...posterior, noise, degrees }, rows, warnings };
}

/** Residuals after a short step, to first order: a training ends close to the minimum, and a refit without a row goes to it. */
async function residualsAfter(
  step: Float64Array | null,
  residuals: Float64Array,
  engine: NetworkEngine,
  parameters: Float64Array,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  if (step === null) return residuals;
  const change = await engine.jacobianProduct(parameters, step, signal);
  return residuals.map((one, k) => one - change[k]!);
}

/** Noise variance of all targets together, by their degrees of freedom: (sum of squares) / (n c - gamma). */
export function pooledVariance(noise: Float64Array, degrees: Float64Array): number {
  const squares = noise.reduce((sum, one, a) => sum + degrees[a]! * one * one, 0);
  return squares / degrees.reduce((sum, one) => sum + one, 0);
}

function noiseOf(residuals: Float64Array, leverage: Float64Array, weights: Float64Array | null, c: number) {
  const squares = new Float64Array(c);
  const degrees = new Float64Array(c);
  for (let k = 0; k < residuals.length; k++) {
    squares[k % c]! += (weights?.[Math.floor(k / c)] ?? 1) * residuals[k]! ** 2;
    degrees[k % c]! += 1 - leverage[k]!;
  }
  return { noise: squares.map((square, a) => Math.sqrt(square / degrees[a]!)), degrees };
}

function tooFew(degrees: number, equations: number, gamma: number, decay: number): string {
  const cure =
    decay === 0
      ? "train with a weight decay, with fewer units or with more rows"
      : "train with more rows, fewer units or a larger weight decay";
  return `the noise cannot be told from the fit: ${equations} equations and ${gamma.toFixed(1)} effective parameters leave ${degrees.toFixed(2)} degrees of freedom, and at least ${FEWEST_DEGREES} is needed: ${cure}`;
}

/** @param variance of the noise */
function distanceWarnings(
  { remaining, gamma }: Extract<Directions, { readonly ok: true }>,
  variance: number,
): string[] {
  const distance = remaining === null || variance === 0 ? 0 : Math.sqrt((2 * remaining.reduction) / (variance * gamma));
  if (distance <= FAR) return [];
  return [
    `the network is not at the minimum of its training loss, but ${distance.toPrecision(2)} standard errors from it in a direction's root mean square, as a network is that validation rows stopped early: intervals are those around a minimum; train with a weight decay and without validation rows for intervals that hold`,
  ];
}

function undecayedWarnings(decay: number): string[] {
  if (decay > 0) return [];
  return [
    "averages of probabilities need a weight decay: without one the outputs of rows that are told apart have no bound, and directions that the data leave open count as certain",
  ];
}

function crowdedWarnings(gamma: number, equations: number, decay: number): string[] {
  if (decay > 0 || gamma <= CROWDED * equations) return [];
  return [
    `intervals of the mean are too narrow: ${Math.round(gamma)} parameters are determined by ${equations} equations without a weight decay, more than a tenth; train with a weight decay`,
  ];
}
