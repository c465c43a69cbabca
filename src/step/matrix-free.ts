// Computes the damped step of the matrix-free route, for `damped-step.ts`: preconditioned conjugate gradients on products G v alone, for
// problems in which neither p^2 nor (n c)^2 numbers fit the memory. In the units of D, y = D^(1/2) s:
//
//   (A + mu I) y = b,   A = D^(-1/2) (G + decay I) D^(-1/2),   b = -D^(-1/2) gradient
//
// The step is inexact, so its predicted reduction includes the residual r = b - (A + mu I) y:
//   predicted = -gradient.s - 1/2 s^T (G + decay I) s = 1/2 b.y + 1/2 r.y + 1/2 mu y.y
// A rejected trial changes mu alone: it keeps the preconditioner and starts from the step before, scaled to the minimum of the model.
//
// With the exact Hessian in place of G (hessian-step.ts gives the reason) the same formulas hold, and conjugate gradients may end at a
// direction of negative curvature.
import { dot } from "../algebra/vectors.js";
import type { Failure } from "../backend/engine.js";
import { defaultMatrixFree, type MatrixFreeSettings, type Point, type Problem } from "../linearize/problem.js";
import { Slot } from "../linearize/workspace.js";
import { conjugateGradients } from "./conjugate-gradients.js";
import { exactPrediction, hessianImage, hessianTolerance } from "./hessian-model.js";
import { makePreconditioner } from "./make-preconditioner.js";
import type { Preconditioner } from "./preconditioner.js";
import type { DampedStep } from "./step-model.js";

/** The values that all trials from one point share. */
interface Trials {
  /** D^(-1/2), or null for D = I. */
  readonly root: Float64Array | null;
  readonly b: Float64Array;
  readonly preconditioner: Preconditioner;
  /** The last step in the units of D, and A times it. */
  last: { readonly y: Float64Array; readonly product: Float64Array } | null;
}

const trialsSlot = new Slot<Trials>("matrix-free trials");

/** Tolerance of a solve whose point sets none. */
const alone = 1e-10;

/**
 * The damped step at `point`, the engine's last (matrix-free) linearization.
 * @param exact on the exact Hessian of all samples in place of G, for an engine that has it
 */
export async function matrixFreeStep(
  problem: Problem,
  point: Point,
  damping: number,
  signal?: AbortSignal,
  exact = false,
): Promise<DampedStep | Failure> {
  const start = performance.now();
  const { matrixFree = defaultMatrixFree } = problem;
  const trials = point.workspace.get(trialsSlot) ?? (await startTrials(problem, matrixFree, point, signal));
  point.workspace.set(trialsSlot, trials);
  const solved = await solve(problem, point, trials, damping, exact, signal);
  // Without an iterate it is the Gauss-Newton step that is tried.
  const none = exact && solved.end === "negative-curvature" && solved.x.every((value) => value === 0);
  const {
    x: y,
    r,
    iterations,
    residual,
    tolerance,
    end,
  } = none ? await solve(problem, point, trials, damping, false, signal) : solved;
  const { root, b } = trials;
  const step = scaled(y, root);
  const bad = step.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const message = `the products with the curvature are not finite: no step with damping ${damping.toExponential(3)}`;
    return { code: "non-finite", message, where: { what: "curvature", parameter: bad } };
  }
  trials.last = none ? null : { y, product: y.map((value, j) => b[j] - r[j] - damping * value) };
  const found = {
    ok: true as const,
    step,
    predicted: 0.5 * (dot(b, y) + dot(r, y) + damping * dot(y, y)),
    slope: dot(point.gradient, step),
    damping,
    condition: null,
    quadratic: dot(b, y) - dot(r, y),
    inner: { iterations, preconditioner: matrixFree.preconditioner, residual, tolerance, end },
  };
  const seconds = () => (performance.now() - start) / 1000;
  if (!exact) return { ...found, seconds: seconds() };
  const hessian = {
    iterations: solved.iterations,
    residual: solved.residual,
    tolerance: solved.tolerance,
    end: solved.end,
  };
  const predicted = none ? await exactPrediction(problem, found, signal) : found.predicted;
  return { ...found, predicted, hessian, seconds: seconds() };
}

/** s = D^(-1/2) y. */
function scaled(y: Float64Array, root: Float64Array | null): Float64Array {
  return root === null ? y : y.map((value, j) => value * root[j]);
}

/** (A + mu I) y = b, with the exact Hessian in A or with G. */
async function solve(
  problem: Problem,
  point: Point,
  { root, b, preconditioner, last }: Trials,
  damping: number,
  exact: boolean,
  signal: AbortSignal | undefined,
) {
  const { engine, decay, matrixFree = defaultMatrixFree } = problem;
  const multiply = async (y: Float64Array) => {
    const s = scaled(y, root);
    const image = exact ? await hessianImage(problem, s, signal) : await engine.curvatureProduct(s, signal);
    if (decay > 0 && !exact) for (let j = 0; j < s.length; j++) image[j] += decay * s[j];
    if (root !== null) for (let j = 0; j < s.length; j++) image[j] *= root[j];
    if (damping > 0) for (let j = 0; j < s.length; j++) image[j] += damping * y[j];
    return image;
  };
  const tolerance = exact ? hessianTolerance(point.gradientCosine) : (point.tolerance ?? alone);
  const solved = await conjugateGradients(b, {
    multiply,
    precondition: await preconditioner.at(damping),
    tolerance,
    iterations: matrixFree.iterations,
    indefinite: exact,
    start: last === null ? null : along(b, last, damping),
  });
  return { ...solved, tolerance };
}

async function startTrials(
  problem: Problem,
  settings: MatrixFreeSettings,
  point: Point,
  signal: AbortSignal | undefined,
): Promise<Trials> {
  const root = point.scaling?.map((value) => 1 / Math.sqrt(value)) ?? null;
  const b = point.gradient.map((value, j) => -value * (root?.[j] ?? 1));
  return { root, b, preconditioner: await makePreconditioner(problem, settings, point, root, signal), last: null };
}

/** t y and (A + mu I) t y, with the t that minimizes the model along y. */
function along(b: Float64Array, { y, product }: NonNullable<Trials["last"]>, damping: number) {
  const image = product.map((value, j) => value + damping * y[j]);
  const curvature = dot(y, image);
  const t = curvature > 0 ? dot(b, y) / curvature : 0;
  return { x: y.map((value) => t * value), product: image.map((value) => t * value) };
}
