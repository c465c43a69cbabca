// Finds the directions in parameter space that the data determine, and how well: eigenvalues and eigenvectors of the curvature at a trained
// network, from the engine of its training. measure.ts calls it.
//   p <= n c   of G = J~^T J~, with weight decay from G itself, without from the triangle of J~ = QR, which squares no condition number
//   p > n c    of the kernel K = J~ J~^T, which has the same values but for p - n c zeros
import { dot } from "../algebra/vectors.js";
import { failed } from "../backend/engine.js";
import type { NetworkEngine } from "../backend/network-engine.js";
import type { Posterior } from "../network/posterior.js";

/** Eigenvalues and -vectors, as a posterior keeps them, or the sentence why there are none. */
export type Directions =
  | (Pick<Posterior, "space" | "values" | "vectors" | "gamma"> & {
      readonly ok: true;
      /** The step to the minimum of the linearized objective, p entries, and how much lower that is; null where none was found. */
      readonly remaining: { readonly step: Float64Array; readonly reduction: number } | null;
    })
  | { readonly ok: false; readonly message: string };

/** @throws GAUSSFLOW_MEMORY, and the signal's reason once it has been aborted */
export async function findDirections(
  engine: NetworkEngine,
  parameters: Float64Array,
  decay: number,
  signal: AbortSignal | undefined,
): Promise<Directions> {
  const { parameterCount: p, sampleCount: n, outputSize: c } = engine;
  if (p > n * c) return directionsBy("dual", engine, parameters, decay, signal);
  const found = decay === 0 ? null : await directionsBy("primal", engine, parameters, decay, signal);
  // A decay below the rounding of G does not hide that its small eigenvalues are noise.
  const rounded = found?.ok === true && decay < p * Number.EPSILON * found.values.at(-1)!;
  if (found !== null && !rounded) return found;
  return directionsBy("orthogonal", engine, parameters, decay, signal);
}

async function directionsBy(
  curvature: "primal" | "dual" | "orthogonal",
  engine: NetworkEngine,
  parameters: Float64Array,
  decay: number,
  signal: AbortSignal | undefined,
): Promise<Directions> {
  const linear = await engine.linearize(parameters, { curvature, decay, scaling: null }, signal);
  if (failed(linear)) return { ok: false, message: linear.message };
  const solved = await engine.solve({ damping: 0, decay, scaling: null }, signal);
  const remaining = failed(solved) ? null : { step: solved.step, reduction: -dot(linear.gradient, solved.step) / 2 };
  const { values: all, vectors } = await engine.eigen(true, signal);
  if (vectors === null || !all.every(Number.isFinite))
    return { ok: false, message: "the curvature has no eigenvalues" };
  const order = all.length;
  const largest = all.at(-1)!;
  if (!(largest > 0))
    return { ok: false, message: "the predictions do not depend on the parameters: all slopes are 0" };
  // With decay every direction of parameter space has a variance, whatever the data say of it.
  const whole = decay > 0 && curvature !== "dual";
  const rows = Math.max(order, engine.sampleCount * engine.outputSize);
  const relative = curvature === "orthogonal" ? (rows * Number.EPSILON) ** 2 : order * Number.EPSILON;
  const first = whole ? 0 : all.findIndex((value) => value > relative * largest);
  const values = all.slice(first).map((value) => Math.max(0, value));
  const gamma = values.reduce((sum, value) => sum + value / (value + decay), 0);
  const space = curvature === "dual" ? "samples" : "parameters";
  return { ok: true, space, values, vectors: vectors.slice(first * order), gamma, remaining };
}
