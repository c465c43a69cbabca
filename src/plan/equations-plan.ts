// Predicts the memory and time of a training on equations, from sizes alone. src/train/equations-train.ts calls it before it makes the engine,
// refuses a run that does not fit the memory limit, and train/plan.ts makes the public plan by it.
import { jetEngineBytes } from "../backend/estimate.js";
import { showBytes } from "../bytes.js";
import { channelCount, type JetProblem, type JetTerm } from "../equations/jet-problem.js";
import { GaussflowError } from "../errors.js";
import type { Architecture } from "../network/architecture.js";
import { PASS_BLOCK } from "../network/forward.js";
import { costsOf, secondsOf } from "./cost-model.js";
import type { EngineName, Work } from "./costs.js";

const DOUBLE = Float64Array.BYTES_PER_ELEMENT;
/** The parser of formulas once it is loaded, with the garbage of its first use; measured on 4,608 points of Burgers' equation. */
const FORMULA_BYTES = 40e6;
/** Vectors of p entries alive at once, as in other trainings (`memory-model.ts`). */
const VECTORS = 13;

/** What a training on equations was predicted to need. */
export interface EquationPlan {
  /** Parameters, p: those of the network and the unknowns. */
  readonly parameterCount: number;
  /** Residuals, N. */
  readonly equationCount: number;
  /** Predicted bytes of the process at its peak. */
  readonly bytes: number;
  /** What they are for: Gram matrix and factor, points, workspaces of the engine, vectors, and the process itself. */
  readonly parts: {
    /** Gram matrix and factor. */
    readonly matrices: number;
    /** Points, here and in the engine. */
    readonly points: number;
    /** Blocks of jets and rows of J. */
    readonly workspaces: number;
    /** Vectors of p entries. */
    readonly vectors: number;
    /** Node and the library. */
    readonly process: number;
  };
  /** Bytes that it may use. */
  readonly memoryLimit: number;
  /** Threads that the engine may use. */
  readonly threads: number;
  /** Flops of one iteration. */
  readonly flops: number;
  /** Predicted seconds of one iteration. */
  readonly seconds: number;
}

/** The plan of a training; `refuseEquations` is a separate step. */
export function planEquations(
  architecture: Architecture,
  problem: JetProblem,
  engine: EngineName,
  threads: number,
  memoryLimit: number,
): EquationPlan {
  const p = architecture.parameterCount + problem.unknownCount;
  const rows = problem.terms.reduce((sum, term) => sum + term.points * seedsOf(term), 0);
  const parts = bytesOf(architecture, problem, p, engine, threads);
  const bytes = Object.values(parts).reduce((sum, size) => sum + size, 0);
  const work = workOf(architecture, problem, p, engine);
  const flops = work.reduce((sum, one) => sum + one.flops, 0);
  const seconds = secondsOf(work, engine, threads);
  return { parameterCount: p, equationCount: rows, bytes, parts, memoryLimit, threads, flops, seconds };
}

/** @throws GAUSSFLOW_MEMORY where the plan does not fit the memory limit */
export function refuseEquations({ bytes, parts, parameterCount, memoryLimit }: EquationPlan): void {
  if (bytes <= memoryLimit) return;
  throw new GaussflowError(
    "GAUSSFLOW_MEMORY",
    `a training on these equations needs ${showBytes(bytes)} at its peak (${showBytes(parts.matrices)} Gram matrix and factor of ${parameterCount} parameters, ${showBytes(parts.points)} points, ${showBytes(parts.workspaces)} workspaces), and the memory limit is ${showBytes(memoryLimit)}: take fewer parameters or points, or an options.memoryLimit of ${Math.ceil(bytes)} bytes`,
    { bytes, memoryLimit },
  );
}

function seedsOf({ residual }: JetTerm): number {
  return residual.outputs.length;
}

/** Multiplications of weights by inputs in one pass. */
function weightCount({ layers }: Architecture): number {
  return layers.reduce((sum, { inputSize, outputSize }) => sum + inputSize * outputSize, 0);
}

/** Here the problem's own points; the engine has a copy. */
function bytesOf(net: Architecture, problem: JetProblem, p: number, engine: EngineName, threads: number) {
  const own = problem.terms.reduce((sum, term) => sum + pointDoubles(net, term), 0);
  const held = engine === "native" ? nativeBytes(net, problem, threads) : referenceBytes(net, problem, p);
  return {
    matrices: held.matrices,
    points: DOUBLE * own + held.points,
    workspaces: held.workspaces,
    vectors: DOUBLE * VECTORS * p,
    process: costsOf(engine).processBytes + FORMULA_BYTES,
  };
}

function pointDoubles({ inputSize }: Architecture, { points, channels, auxiliaryCount }: JetTerm): number {
  return points * (channelCount(channels) * inputSize + auxiliaryCount);
}

function nativeBytes(net: Architecture, problem: JetProblem, threads: number) {
  const { data, curvature, factor, workspaces, packing } = jetEngineBytes(net, problem, threads);
  return { matrices: curvature + factor, points: data, workspaces: workspaces + packing };
}

function referenceBytes(net: Architecture, { terms }: JetProblem, p: number) {
  const units = net.layers.reduce((sum, { outputSize }) => sum + outputSize, 0);
  let [points, panels, rows] = [0, 0, 0];
  for (const term of terms) {
    const [Q, R, block] = [channelCount(term.channels), seedsOf(term), Math.min(PASS_BLOCK, term.points)];
    points += pointDoubles(net, term);
    // Jets of z and h with three derivatives and the products of firsts, and the deltas of each residual; of every term.
    panels += block * (units * ((2 + R) * Q + 3 + term.channels.seconds.length) + net.inputSize * Q);
    rows = Math.max(rows, block * R * p);
  }
  return { matrices: 2 * DOUBLE * p * p, points: DOUBLE * points, workspaces: DOUBLE * (panels + rows) };
}

/** A linearization, a solve, its acceleration and an evaluation. */
function workOf(net: Architecture, { terms }: JetProblem, p: number, engine: EngineName): Work[] {
  const run = engine === "native" ? "elsewhere" : "alone";
  const weights = weightCount(net);
  const units = net.layers.reduce((sum, { outputSize }) => sum + outputSize, 0);
  let [passes, gram] = [0, 0];
  for (const term of terms) {
    const [Q, R, m] = [channelCount(term.channels), seedsOf(term), term.points];
    // Forward, a way back and a row for each residual; the curve along a step takes five products, the way back of its seed one; a trial one.
    passes += 2 * m * Q * weights * (1 + 2 * R + 6 + 1);
    gram += m * R * p * p;
  }
  return [
    { operation: "passes", flops: passes, size: weights / units, calls: 3, run },
    { operation: "gram", flops: gram, size: p, calls: 0, run },
    { operation: "cholesky", flops: p ** 3 / 3 + 16 * p * p, size: p, calls: 2, run },
  ];
}
