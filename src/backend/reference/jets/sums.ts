// Sums over all residuals of a jet problem, block of points after block of points, term after term: loss, gradient, Gram matrix and products.
// engine.ts calls them, each with the blocks of its terms.
import { channelCount, type JetChannels } from "../../../equations/jet-problem.js";
import type { Pace } from "../../../event-loop-yield.js";
import type { Architecture } from "../../../network/architecture.js";
import { PASS_BLOCK, passWeights } from "../../../network/forward.js";
import { addRankUpdate } from "../matrices.js";
import { forwardJets, outputJets } from "./passes.js";
import { jetSpace } from "./space.js";
import type { JetPoint, TermBlocks } from "./term.js";

/** The parameters of the network and, behind them, the unknowns. */
export function pointOf(architecture: Architecture, parameters: Float64Array): JetPoint {
  return {
    weights: passWeights(architecture, parameters),
    unknowns: parameters.slice(architecture.parameterCount),
  };
}

/** Calls body(term, first point, points, row of the first residual) for all blocks in the order of the rows. */
async function eachJetBlock(
  terms: readonly TermBlocks[],
  pace: Pace,
  body: (term: TermBlocks, first: number, count: number, row: number) => void | Promise<void>,
): Promise<void> {
  let row = 0;
  for (const term of terms)
    for (let first = 0; first < term.term.points; first += term.capacity) {
      const count = Math.min(term.capacity, term.term.points - first);
      await body(term, first, count, row);
      row += count * term.seeds;
      await pace.turn();
    }
}

/** All residuals, in the order of the rows. */
export async function residualsOf(
  terms: readonly TermBlocks[],
  point: JetPoint,
  rows: number,
  pace: Pace,
): Promise<Float64Array> {
  const out = new Float64Array(rows);
  await eachJetBlock(terms, pace, (term, first, count, row) => {
    term.evaluate(point, first, count);
    out.set(term.residuals.subarray(0, count * term.seeds), row);
  });
  return out;
}

/** Sum loss, J^T r, diag J^T J, and G where there is a place for it. */
export interface JetSums {
  readonly residuals: Float64Array;
  readonly gradient: Float64Array;
  readonly diagonal: Float64Array;
  readonly curvatureSeconds: number;
}

/** @param matrix zeros, p x p, that the lower triangle of G is added to; null: gradient alone, and no diagonal */
export async function linearizeJets(
  terms: readonly TermBlocks[],
  point: JetPoint,
  sizes: { readonly rows: number; readonly parameters: number },
  matrix: Float64Array | null,
  pace: Pace,
): Promise<JetSums> {
  const p = sizes.parameters;
  const [gradient, diagonal] = [new Float64Array(p), new Float64Array(p)];
  const residuals = new Float64Array(sizes.rows);
  const widest = terms.reduce((most, { capacity, seeds }) => Math.max(most, capacity * seeds), 0);
  const scratch = new Float64Array(matrix === null ? 0 : p * widest);
  let curvatureSeconds = 0;
  await eachJetBlock(terms, pace, async (term, first, count, row) => {
    term.differentiate(point, first, count);
    const width = count * term.seeds;
    residuals.set(term.residuals.subarray(0, width), row);
    if (matrix === null) {
      term.addTransposed(point, count, residuals, row, gradient);
      return;
    }
    term.rows(point, count, scratch);
    addRowProducts(scratch, width, residuals.subarray(row, row + width), gradient, diagonal);
    const before = performance.now();
    await addRankUpdate(matrix, p, scratch, width, pace);
    curvatureSeconds += (performance.now() - before) / 1000;
  });
  return { residuals, gradient, diagonal, curvatureSeconds };
}

/** gradient += rows^T r and diagonal += the squares, for `width` rows in transposed form. */
function addRowProducts(
  transposed: Float64Array,
  width: number,
  r: Float64Array,
  gradient: Float64Array,
  diagonal: Float64Array,
): void {
  for (let j = 0, at = 0; j < gradient.length; j++) {
    let [weighted, square] = [0, 0];
    for (let i = 0; i < width; i++, at++) {
      weighted += transposed[at] * r[i];
      square += transposed[at] * transposed[at];
    }
    gradient[j] += weighted;
    diagonal[j] += square;
  }
}

/** J^T r_vv, with the exact second derivative r_vv of the residuals along `direction`. */
export async function bentGradient(
  terms: readonly TermBlocks[],
  point: JetPoint,
  direction: JetPoint,
  parameters: number,
  pace: Pace,
): Promise<Float64Array> {
  const gradient = new Float64Array(parameters);
  const second = new Float64Array(terms.reduce((most, term) => Math.max(most, term.capacity * term.seeds), 0));
  await eachJetBlock(terms, pace, (term, first, count) => {
    term.differentiate(point, first, count);
    term.secondDerivative(point, direction, first, count, second, 0);
    term.addTransposed(point, count, second, 0, gradient);
  });
  return gradient;
}

/** Rows [first, first + count) of J, row-major. */
export async function jacobianRows(
  terms: readonly TermBlocks[],
  point: JetPoint,
  span: { readonly first: number; readonly count: number; readonly parameters: number },
  pace: Pace,
): Promise<Float64Array> {
  const { first: from, count: wanted, parameters: p } = span;
  const out = new Float64Array(wanted * p);
  await eachJetBlock(terms, pace, (term, first, count, row) => {
    const width = count * term.seeds;
    const [start, end] = [Math.max(row, from), Math.min(row + width, from + wanted)];
    if (start >= end) return;
    const scratch = new Float64Array(p * width);
    term.differentiate(point, first, count);
    term.rows(point, count, scratch);
    for (let i = start; i < end; i++)
      for (let j = 0; j < p; j++) out[(i - from) * p + j] = scratch[j * width + i - row];
  });
  return out;
}

/** Jets of psi at any points: points x c x Q. */
export async function jetsAt(
  architecture: Architecture,
  parameters: Float64Array,
  channels: JetChannels,
  inputs: Float64Array,
  pace: Pace,
): Promise<Float64Array> {
  const [Q, { inputSize: d, outputSize: c, outputScale }] = [channelCount(channels), architecture];
  const points = inputs.length / (Q * d);
  const space = jetSpace(architecture, channels, Math.min(points, PASS_BLOCK), 0);
  const weights = passWeights(architecture, parameters);
  const out = new Float64Array(points * c * Q);
  for (let first = 0; first < points; first += PASS_BLOCK) {
    const count = Math.min(PASS_BLOCK, points - first);
    forwardJets(space, weights, inputs, first, count);
    const f = outputJets(space);
    for (let i = 0; i < count; i++)
      for (let o = 0; o < c; o++)
        for (let q = 0; q < Q; q++) out[((first + i) * c + o) * Q + q] = outputScale * f[(i * Q + q) * c + o];
    await pace.turn();
  }
  return out;
}
