// The orthogonal route of the reference engine: R of [J~ r~] = Q R by Householder reflections, block after block. curvature/triangle.ts
// fills the system in a linearization, and asks it for steps, rank and spectrum. The step is a least-squares problem with R, and p rows
// more for damping and decay, solved by column-pivoted QR, with least norm if the rank is deficient (Golub and Van Loan, 5.2, 5.4 and 5.5).
// jacobi.ts computes the singular values of R.

import { addScaled, largest, norm } from "../../algebra/vectors.js";
import type { Pace } from "../../event-loop-yield.js";
import type { Failure, RankReport, SolveRequest } from "../engine.js";
import { pendingSums } from "../slots.js";
import { pivotedQr, reflect } from "./householder.js";
import { singularValues } from "./jacobi.js";
import { semiNormalStep } from "./semi-normal.js";

/** A step, how far it misses the normal equations (relative), and the rank of what it was solved with. */
interface TriangleStep {
  readonly step: Float64Array;
  readonly residual: number;
  readonly rank: RankReport;
}

export class OrthogonalSystem {
  /** Where the caller puts the next rows, as columns: entry (i, j) of `count` rows stands at j * count + i. */
  readonly block: Float64Array;
  readonly parameters: Float64Array;
  readonly #columns: number;
  /** (p + 1) x (p + 1), row-major, upper; the last column holds Q^T r~. */
  readonly #r: Float64Array;
  #equations = 0;
  /** #pending[level]: the packed triangle of 2^level slots that waits for the 2^level slots after it. */
  readonly #pending: readonly Float64Array[];
  /** Of the objective, for losses other than squared error. */
  #gradient: Float64Array | null = null;
  /** Whether the residual is too large for the last column, or not finite. */
  #byGradient = false;

  /** @param rows the most a block will hold */
  constructor(parameters: Float64Array, rows: number, slots: number) {
    this.parameters = parameters;
    this.#columns = parameters.length + 1;
    const { triangle, block, packed } = OrthogonalSystem.doubles(parameters.length, rows, slots);
    this.#r = new Float64Array(triangle);
    this.block = new Float64Array(block);
    this.#pending = Array.from({ length: pendingSums(slots) }, () => new Float64Array(packed));
  }

  /**
   * Doubles of the triangle of p parameters, of its copy with the damping, of blocks of `rows` rows, or of the rows of a triangle, and of a packed
   * one, of which there are `pendingSums(slots)`; nothing is made.
   */
  static doubles(p: number, rows: number, slots: number) {
    const triangle = (p + 1) ** 2;
    const most = slots > 1 ? Math.max(rows, p + 1) : rows;
    return { triangle, folded: triangle, block: (p + 1) * most, packed: ((p + 1) * (p + 2)) / 2 };
  }

  get bytes(): number {
    const pending = this.#pending.reduce((sum, { byteLength }) => sum + byteLength, 0);
    return this.#r.byteLength + this.block.byteLength + pending;
  }

  /** Absorbs the block's `count` rows, which are overwritten. */
  async absorb(count: number, pace: Pace): Promise<void> {
    await this.#reduce(count, pace);
    this.#equations += count;
  }

  /** Joins the triangle of slot k to those of the slots before, which have ended: R of the rows of both is that of the one above the other. */
  async endSlot(slot: number, pace: Pace): Promise<void> {
    let level = 0;
    for (; ((slot >> level) & 1) === 1; level++) {
      this.#rows();
      this.#unpack(this.#pending[level]!);
      await this.#reduce(this.#columns, pace);
    }
    if (level === this.#pending.length) return;
    this.#pack(this.#pending[level]!);
    this.#r.fill(0);
  }

  /** The triangle as rows of the block. */
  #rows(): void {
    const n = this.#columns;
    for (let j = 0; j < n; j++) for (let i = 0; i < n; i++) this.block[j * n + i] = this.#r[i * n + j];
  }

  #pack(packed: Float64Array): void {
    const n = this.#columns;
    for (let i = 0, at = 0; i < n; at += n - i, i++) packed.set(this.#r.subarray(i * n + i, (i + 1) * n), at);
  }

  #unpack(packed: Float64Array): void {
    const n = this.#columns;
    for (let i = 0, at = 0; i < n; at += n - i, i++) this.#r.set(packed.subarray(at, at + n - i), i * n + i);
  }

  /** The triangle becomes that of its rows and of the block's `count` rows below them. */
  async #reduce(count: number, pace: Pace): Promise<void> {
    const n = this.#columns;
    const [r, rows] = [this.#r, this.block];
    for (let j = 0; j < n; j++) {
      // One reflection of (r_jj, block column j), applied to the columns right of it.
      const own = rows.subarray(j * count, (j + 1) * count);
      const reflection = reflect(r[j * n + j], own);
      if (reflection === null) continue;
      const { kept, tau } = reflection;
      r[j * n + j] = kept;
      for (let k = j + 1; k < n; k++) {
        let dot = r[j * n + k];
        for (let i = 0; i < count; i++) dot += own[i] * rows[k * count + i];
        const factor = tau * dot;
        r[j * n + k] -= factor;
        for (let i = 0; i < count; i++) rows[k * count + i] -= factor * own[i];
      }
      if (pace.due()) await pace.turn();
    }
  }

  /**
   * Gives the gradient of the objective, p entries, which is copied: residuals of steps are measured by it, and with `solve` steps are
   * solved for from it.
   */
  useGradient(gradient: Float64Array, solve: boolean): void {
    this.#gradient = gradient.slice();
    this.#byGradient = solve;
  }

  /** R^T R, p x p. */
  gram(): Float64Array {
    const [n, p] = [this.#columns, this.#columns - 1];
    const out = new Float64Array(p * p);
    for (let i = 0; i < p; i++)
      for (let j = i; j < p; j++) {
        let sum = 0;
        for (let k = 0; k <= i; k++) sum += this.#r[k * n + i] * this.#r[k * n + j];
        out[i * p + j] = sum;
        out[j * p + i] = sum;
      }
    return out;
  }

  /**
   * min |[R; E] s + [q; e]| with E^2 = decay + damping D and E e = decay w: by R as it stands while that is clearly regular, by
   * pivoted QR and with the rank that this reveals otherwise.
   */
  async solve({ damping, decay, scaling }: SolveRequest, pace: Pace): Promise<TriangleStep | Failure> {
    const [n, p] = [this.#columns, this.#columns - 1];
    const shift = Float64Array.from({ length: p }, (_, j) => decay + damping * (scaling === null ? 1 : scaling[j]));
    const offset = this.parameters.map((value) => decay * value);
    const m = damping > 0 || decay > 0 ? 2 * p : p;
    if (this.#byGradient) return this.#solveByGradient(this.#gradient as Float64Array, shift, m, pace);
    if (this.#equations < p && scaling === null && shift[0] > 0) return this.#wide(shift, offset, pace);
    // Columns of the matrix, each m long; the right-hand side is carried along.
    const a = this.#dampedColumns(shift, m);
    const right = new Float64Array(m);
    for (let i = 0; i < p; i++) {
      right[i] = -this.#r[i * n + p];
      if (shift[i] > 0) right[p + i] = -offset[i] / Math.sqrt(shift[i]);
    }
    const tolerance = Math.max(this.#equations + m - p, p) * Number.EPSILON;
    const plain = m === p ? extremes(a) : { largest: 0, smallest: 0 };
    if (plain.smallest > clearlyRegular * tolerance * plain.largest) {
      const step = leastNorm(a, right, p, p);
      return { step, residual: this.#residual(step, shift, offset), rank: { rank: p, tolerance, ...plain } };
    }
    const order = await pivotedQr(a, right, pace);
    const { largest, smallest } = extremes(a);
    // A diagonal entry may exceed the smallest singular value of its triangle by far: both have to be above the tolerance.
    let rank = 0;
    while (rank < p && Math.abs(a[rank][rank]) > tolerance * Math.abs(a[0][0])) rank++;
    while (rank > 0 && extremes(a.slice(0, rank)).smallest <= tolerance * largest) rank--;
    const step = new Float64Array(p);
    leastNorm(a, right, rank, p).forEach((value, k) => {
      step[order[k]] = value;
    });
    return { step, residual: this.#residual(step, shift, offset), rank: { rank, tolerance, largest, smallest } };
  }

  /** Columns of [R; E], `m` entries each. */
  #dampedColumns(shift: Float64Array, m: number): Float64Array[] {
    const [n, p] = [this.#columns, this.#columns - 1];
    return Array.from({ length: p }, (_, j) => {
      const column = new Float64Array(m);
      for (let i = 0; i <= j; i++) column[i] = this.#r[i * n + j];
      if (shift[j] > 0) column[p + j] = Math.sqrt(shift[j]);
      return column;
    });
  }

  /** The same step without the residual: (R^T R + E^2) s = -gradient by the triangle of [R; E]. */
  async #solveByGradient(
    gradient: Float64Array,
    shift: Float64Array,
    m: number,
    pace: Pace,
  ): Promise<TriangleStep | Failure> {
    const p = this.#columns - 1;
    const a = this.#dampedColumns(shift, m);
    const multiply = (s: Float64Array) => this.#multiply(s, shift);
    const tolerance = Math.max(this.#equations + m - p, p) * Number.EPSILON;
    const solved = await semiNormalStep(a, gradient, multiply, pace);
    if ("code" in solved) return solved;
    return { ...solved, rank: { rank: p, tolerance, ...extremes(a.map((column) => column.subarray(0, p))) } };
  }

  /** (R^T R + E^2) s. */
  #multiply(s: Float64Array, shift: Float64Array): Float64Array {
    const [n, p] = [this.#columns, this.#columns - 1];
    const image = new Float64Array(p);
    for (let i = 0; i < p; i++) for (let j = i; j < p; j++) image[i] += this.#r[i * n + j] * s[j];
    const out = s.map((value, j) => shift[j] * value);
    for (let i = 0; i < p; i++) for (let j = i; j < p; j++) out[j] += this.#r[i * n + j] * image[i];
    return out;
  }

  /**
   * The same for more columns than equations and one damping for all, in the space of the k rows that R has but for rounding: with
   * t = E s + e and A = R/E it is min |A t + q - A e|^2 + |t|^2, whose t lies in the row space of A. No p x p system is factored.
   */
  async #wide(shift: Float64Array, offset: Float64Array, pace: Pace): Promise<TriangleStep> {
    const [n, p] = [this.#columns, this.#columns - 1];
    const [k, root] = [this.#equations, Math.sqrt(shift[0])];
    const e = offset.map((value) => value / root);
    const a = Array.from({ length: p }, (_, j) =>
      Float64Array.from({ length: p }, (_, i) => (i <= j ? this.#r[i * n + j] / root : 0)),
    );
    const right = Float64Array.from({ length: p }, (_, i) =>
      a.reduce((sum, column, j) => sum + column[i] * e[j], -this.#r[i * n + p]),
    );
    const order = await pivotedQr(a, right, pace, k);
    // Rows of the trapezoid as columns: T^T = Q L^T.
    const rows = Array.from({ length: k }, (_, i) =>
      Float64Array.from({ length: p }, (_, j) => (i <= j ? a[j][i] : 0)),
    );
    const { q, l } = orthogonalize(rows, p);
    const system = l.map((column, j) => {
      const long = new Float64Array(2 * k);
      long.set(column);
      long[k + j] = 1;
      return long;
    });
    const b = new Float64Array(2 * k);
    b.set(right.subarray(0, k));
    const inner = await pivotedQr(system, b, pace);
    const z = leastNorm(system, b, k, k);
    const step = e.map((value) => -value / root);
    z.forEach((value, i) => {
      for (let j = 0; j < p; j++) step[order[j]] += (value * q[inner[i]][j]) / root;
    });
    const tolerance = Math.max(this.#equations + p, p) * Number.EPSILON;
    const largest = root * extremes(system.map((column) => column.subarray(0, k))).largest;
    return {
      step,
      residual: this.#residual(step, shift, offset),
      rank: { rank: p, tolerance, largest, smallest: root },
    };
  }

  /** Squared singular values of R ascending; vectors as rows. */
  async eigen(vectors: boolean, pace: Pace): Promise<{ values: Float64Array; vectors: Float64Array | null }> {
    const [n, p] = [this.#columns, this.#columns - 1];
    const a = Array.from({ length: p }, (_, j) => Float64Array.from({ length: p }, (_, i) => this.#r[i * n + j]));
    const found = await singularValues(a, vectors, pace, Math.min(p, this.#equations));
    return { values: found.values.map((value) => value * value), vectors: found.vectors };
  }

  /** Of the normal equations, relative to their right-hand side. */
  #residual(step: Float64Array, shift: Float64Array, offset: Float64Array): number {
    const [n, p] = [this.#columns, this.#columns - 1];
    const gradient = this.#gradient;
    if (gradient !== null) {
      const bottom = largest(gradient);
      return bottom > 0 ? largest(addScaled(this.#multiply(step, shift), 1, gradient)) / bottom : 0;
    }
    const miss = new Float64Array(p);
    for (let i = 0; i < p; i++) {
      miss[i] = this.#r[i * n + p];
      for (let j = i; j < p; j++) miss[i] += this.#r[i * n + j] * step[j];
    }
    let [top, bottom] = [0, 0];
    for (let j = 0; j < p; j++) {
      let sum = shift[j] * step[j] + offset[j];
      let right = offset[j];
      for (let i = 0; i <= j; i++) {
        sum += this.#r[i * n + j] * miss[i];
        right += this.#r[i * n + j] * this.#r[i * n + p];
      }
      top = Math.max(top, Math.abs(sum));
      bottom = Math.max(bottom, Math.abs(right));
    }
    return bottom > 0 ? top / bottom : 0;
  }
}

/** Power iterations end here, or once an estimate moves by less than a hundredth. */
const iterations = 16;
const settled = 0.01;
/**
 * Above this multiple of the rank's tolerance the estimate of sigma_min alone says that the rank is full: it may exceed the true value,
 * but not a hundredfold.
 */
const clearlyRegular = 100;

/** Extreme singular values of an upper triangle given as columns, by iterations with R^T R and its inverse. */
function extremes(a: readonly Float64Array[]): { largest: number; smallest: number } {
  const p = a.length;
  /** The root of the growth by one turn, which is two halves: the square would overflow earlier. */
  const iterate = (halves: readonly ((x: Float64Array) => Float64Array)[]) => {
    let x: Float64Array = Float64Array.from({ length: p }, (_, j) => 1 + 0.5 * Math.sin(j + 1));
    for (let i = 0, before = 0; ; i++) {
      let size = 1;
      for (const half of halves) {
        const length = norm(x);
        if (length === 0 || !Number.isFinite(length)) return length;
        x = half(x.map((value) => value / length));
        size *= Math.sqrt(norm(x));
      }
      if (i === iterations - 1 || !Number.isFinite(size) || Math.abs(size - before) <= settled * size) return size;
      before = size;
    }
  };
  const largest = iterate([
    (x) => x.map((_, i) => a.reduce((sum, column, j) => (j < i ? sum : sum + column[i] * x[j]), 0)),
    (y) => y.map((_, j) => y.reduce((sum, value, i) => (i > j ? sum : sum + a[j][i] * value), 0)),
  ]);
  if (a.some((column, j) => column[j] === 0)) return { largest, smallest: 0 };
  const inverse = iterate([
    (x) => {
      for (let j = 0; j < p; j++) {
        for (let i = 0; i < j; i++) x[j] -= a[j][i] * x[i];
        x[j] /= a[j][j];
      }
      return x;
    },
    (y) => {
      for (let j = p - 1; j >= 0; j--) {
        y[j] /= a[j][j];
        for (let i = 0; i < j; i++) y[i] -= a[j][i] * y[j];
      }
      return y;
    },
  ]);
  return { largest, smallest: Number.isFinite(inverse) ? 1 / inverse : 0 };
}

/** Vectors v_i of p entries as sum_j l[j][i] q_j with orthonormal q, by Gram-Schmidt twice; q_j is 0 where v_j adds no direction. */
function orthogonalize(vectors: Float64Array[], p: number): { q: Float64Array[]; l: Float64Array[] } {
  const q: Float64Array[] = [];
  const l = vectors.map(() => new Float64Array(vectors.length));
  vectors.forEach((v, i) => {
    for (let pass = 0; pass < 2; pass++)
      q.forEach((direction, j) => {
        const share = direction.reduce((sum, entry, c) => sum + entry * v[c], 0);
        l[j][i] += share;
        for (let c = 0; c < p; c++) v[c] -= share * direction[c];
      });
    const length = norm(v);
    l[i][i] = length;
    q.push(length > 0 ? v.map((entry) => entry / length) : v);
  });
  return { q, l };
}

/** Solution of least norm of R_11..R_1n x = right with the first `rank` rows: by QR of their transpose. */
function leastNorm(a: Float64Array[], right: Float64Array, rank: number, p: number): Float64Array {
  const x = new Float64Array(p);
  if (rank === p) {
    for (let i = p - 1; i >= 0; i--) {
      let sum = right[i];
      for (let k = i + 1; k < p; k++) sum -= a[k][i] * x[k];
      x[i] = sum / a[i][i];
    }
    return x;
  }
  // Rows of the trapezoid as columns: T = Q L^T, x = Q L^-1 right. Orthogonalized twice, which is as good as reflections.
  const rows = Array.from({ length: rank }, (_, i) =>
    Float64Array.from({ length: p }, (_, k) => (k >= i ? a[k][i] : 0)),
  );
  const q: Float64Array[] = [];
  const y = new Float64Array(rank);
  for (let i = 0; i < rank; i++) {
    const v = rows[i];
    let value = right[i];
    for (let pass = 0; pass < 2; pass++)
      q.forEach((direction, k) => {
        const share = direction.reduce((sum, entry, j) => sum + entry * v[j], 0);
        value -= share * y[k];
        for (let j = 0; j < p; j++) v[j] -= share * direction[j];
      });
    const length = norm(v);
    y[i] = value / length;
    q.push(v.map((entry) => entry / length));
    for (let j = 0; j < p; j++) x[j] += y[i] * q[i][j];
  }
  return x;
}
