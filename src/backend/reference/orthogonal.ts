// The orthogonal route in plain TypeScript: R of [J~ r~] = Q R by Householder reflections, block after block; the step is a least
// squares problem with R by column-pivoted QR, of least norm where the rank is short (Golub and Van Loan, 5.2, 5.4 and 5.5).
import type { RankReport } from "../engine.js";

export class Triangle {
  readonly columns: number;
  equations = 0;
  /** (p + 1) x (p + 1), row-major, upper; the last column holds Q^T r~. */
  readonly r: Float64Array;

  constructor(readonly parameterCount: number) {
    this.columns = parameterCount + 1;
    this.r = new Float64Array(this.columns ** 2);
  }

  /** Absorbs rows given as columns: `rows[j * count + i]` is entry (i, j). They are overwritten. */
  absorb(rows: Float64Array, count: number): void {
    const n = this.columns;
    const r = this.r;
    for (let j = 0; j < n; j++) {
      // One reflection of (r_jj, block column j), applied to the columns right of it.
      let square = 0;
      for (let i = 0; i < count; i++) square += rows[j * count + i] ** 2;
      if (square === 0) continue;
      const top = r[j * n + j];
      const length = Math.sqrt(top * top + square);
      const alpha = top > 0 ? -length : length;
      const head = top - alpha;
      const beta = 2 / (head * head + square);
      for (let k = j + 1; k < n; k++) {
        let dot = head * r[j * n + k];
        for (let i = 0; i < count; i++) dot += rows[j * count + i] * rows[k * count + i];
        const factor = beta * dot;
        r[j * n + k] -= factor * head;
        for (let i = 0; i < count; i++) rows[k * count + i] -= factor * rows[j * count + i];
      }
      r[j * n + j] = alpha;
    }
    this.equations += count;
  }

  /** The rows [sqrt(decay) I, sqrt(decay) w] of a weight decay. */
  absorbDecay(scratch: Float64Array, decay: number, parameters: Float64Array): void {
    const p = this.parameterCount;
    const rows = scratch.fill(0).subarray(0, this.columns * p);
    const root = Math.sqrt(decay);
    for (let j = 0; j < p; j++) {
      rows[j * p + j] = root;
      rows[p * p + j] = root * parameters[j];
    }
    this.absorb(rows, p);
  }

  /** R^T R, p x p. */
  gram(): Float64Array {
    const [n, p] = [this.columns, this.parameterCount];
    const out = new Float64Array(p * p);
    for (let i = 0; i < p; i++)
      for (let j = i; j < p; j++) {
        let sum = 0;
        for (let k = 0; k <= i; k++) sum += this.r[k * n + i] * this.r[k * n + j];
        out[i * p + j] = sum;
        out[j * p + i] = sum;
      }
    return out;
  }

  /** min |[R; sqrt(damping D)] s + [q; 0]|, and the rank that pivoting reveals. */
  solve(damping: number, scaling: Float64Array | null): { step: Float64Array; residual: number; rank: RankReport } {
    const [n, p] = [this.columns, this.parameterCount];
    const m = damping > 0 ? 2 * p : p;
    // Columns of the matrix, each m long; the right-hand side is carried along.
    const a = Array.from({ length: p }, (_, j) => {
      const column = new Float64Array(m);
      for (let i = 0; i <= j; i++) column[i] = this.r[i * n + j];
      if (damping > 0) column[p + j] = Math.sqrt(damping * (scaling === null ? 1 : scaling[j]));
      return column;
    });
    const right = new Float64Array(m);
    for (let i = 0; i < p; i++) right[i] = -this.r[i * n + p];
    const tolerance = Math.max(this.equations, p) * Number.EPSILON;
    const order = pivotedQr(a, right);
    const { largest, smallest } = extremes(a);
    let rank = 0;
    while (rank < p && Math.abs(a[rank][rank]) > tolerance * Math.abs(a[0][0])) rank++;
    const step = new Float64Array(p);
    leastNorm(a, right, rank, p).forEach((value, k) => {
      step[order[k]] = value;
    });
    return { step, residual: this.#residual(step, damping, scaling), rank: { rank, tolerance, largest, smallest } };
  }

  /** Squared singular values of R ascending; vectors as rows. */
  eigen(vectors: boolean): { values: Float64Array; vectors: Float64Array | null } {
    const [n, p] = [this.columns, this.parameterCount];
    const a = Array.from({ length: p }, (_, j) => Float64Array.from({ length: p }, (_, i) => this.r[i * n + j]));
    const v = vectors
      ? Array.from({ length: p }, (_, j) => Float64Array.from({ length: p }, (_, i) => (i === j ? 1 : 0)))
      : null;
    const values = singularValues(a, v);
    const out = v && new Float64Array(p * p);
    v?.forEach((column, k) => {
      out?.set(column, k * p);
    });
    return { values: values.map((value) => value * value), vectors: out };
  }

  #residual(step: Float64Array, damping: number, scaling: Float64Array | null): number {
    const [n, p] = [this.columns, this.parameterCount];
    const miss = new Float64Array(p);
    for (let i = 0; i < p; i++) {
      miss[i] = this.r[i * n + p];
      for (let j = i; j < p; j++) miss[i] += this.r[i * n + j] * step[j];
    }
    let [top, bottom] = [0, 0];
    for (let j = 0; j < p; j++) {
      let sum = damping * (scaling === null ? 1 : scaling[j]) * step[j];
      let right = 0;
      for (let i = 0; i <= j; i++) {
        sum += this.r[i * n + j] * miss[i];
        right += this.r[i * n + j] * this.r[i * n + p];
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

/** Extreme singular values of an upper triangle given as columns, by iterations with R^T R and its inverse. */
function extremes(a: readonly Float64Array[]): { largest: number; smallest: number } {
  const p = a.length;
  const iterate = (turn: (x: Float64Array) => Float64Array) => {
    let x: Float64Array = Float64Array.from({ length: p }, (_, j) => 1 + 0.5 * Math.sin(j + 1));
    for (let i = 0, before = 0; ; i++) {
      const length = norm(x);
      x = turn(x.map((value) => value / length));
      const size = norm(x);
      if (i === iterations - 1 || !Number.isFinite(size) || Math.abs(size - before) <= settled * size)
        return Math.sqrt(size);
      before = size;
    }
  };
  const largest = iterate((x) => {
    const y = x.map((_, i) => a.reduce((sum, column, j) => (j < i ? sum : sum + column[i] * x[j]), 0));
    return x.map((_, j) => y.reduce((sum, value, i) => (i > j ? sum : sum + a[j][i] * value), 0));
  });
  if (a.some((column, j) => column[j] === 0)) return { largest, smallest: 0 };
  const inverse = iterate((x) => {
    const y = x.slice();
    for (let j = 0; j < p; j++) {
      for (let i = 0; i < j; i++) y[j] -= a[j][i] * y[i];
      y[j] /= a[j][j];
    }
    for (let j = p - 1; j >= 0; j--) {
      y[j] /= a[j][j];
      for (let i = 0; i < j; i++) y[i] -= a[j][i] * y[j];
    }
    return y;
  });
  return { largest, smallest: Number.isFinite(inverse) ? 1 / inverse : 0 };
}

function norm(x: Float64Array): number {
  const most = x.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  if (most === 0 || !Number.isFinite(most)) return most;
  return most * Math.sqrt(x.reduce((sum, value) => sum + (value / most) ** 2, 0));
}

/** Householder QR with column pivoting, in place: a[k][i] becomes R_ik for i <= k. Returns the order of the columns. */
function pivotedQr(a: Float64Array[], right: Float64Array): number[] {
  const p = a.length;
  const m = right.length;
  const order = a.map((_, j) => j);
  for (let j = 0; j < p && j < m; j++) {
    const rest = a.map((column, k) => (k < j ? -1 : column.subarray(j).reduce((sum, value) => sum + value * value, 0)));
    const pivot = rest.indexOf(Math.max(...rest));
    [a[j], a[pivot]] = [a[pivot], a[j]];
    [order[j], order[pivot]] = [order[pivot], order[j]];
    const length = Math.sqrt(rest[pivot]);
    if (length === 0) break;
    const v = a[j].slice(j);
    const alpha = v[0] > 0 ? -length : length;
    v[0] -= alpha;
    const beta = 2 / v.reduce((sum, value) => sum + value * value, 0);
    for (const column of [...a.slice(j), right]) {
      let dot = 0;
      for (let i = j; i < m; i++) dot += v[i - j] * column[i];
      for (let i = j; i < m; i++) column[i] -= beta * dot * v[i - j];
    }
    for (let i = j + 1; i < m; i++) a[j][i] = 0;
  }
  return order;
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
  // Rows of the trapezoid as columns: T = Q L^T, x = Q L^-1 right. Orthogonalised twice, which is as good as reflections.
  const rows = Array.from({ length: rank }, (_, i) =>
    Float64Array.from({ length: p }, (_, k) => (k >= i ? a[k][i] : 0)),
  );
  const q: Float64Array[] = [];
  const y = new Float64Array(rank);
  // From the last row up, each is nearly orthogonal to fewer others; any order serves.
  for (let i = 0; i < rank; i++) {
    const v = rows[i];
    let value = right[i];
    for (let pass = 0; pass < 2; pass++)
      q.forEach((direction, k) => {
        const share = direction.reduce((sum, entry, j) => sum + entry * v[j], 0);
        value -= share * y[k];
        for (let j = 0; j < p; j++) v[j] -= share * direction[j];
      });
    const length = Math.sqrt(v.reduce((sum, entry) => sum + entry * entry, 0));
    y[i] = value / length;
    q.push(v.map((entry) => entry / length));
    for (let j = 0; j < p; j++) x[j] += y[i] * q[i][j];
  }
  return x;
}

/** One-sided Jacobi (Hestenes): singular values ascending, of columns that are overwritten; keeps tiny ones accurate. */
function singularValues(given: readonly Float64Array[], vectors: Float64Array[] | null = null): Float64Array {
  const a = given.map((column) => column.slice());
  const p = a.length;
  for (let sweep = 0, turned = true; turned && sweep < 60; sweep++) {
    turned = false;
    for (let j = 0; j < p; j++)
      for (let k = j + 1; k < p; k++) {
        let [jj, kk, jk] = [0, 0, 0];
        for (let i = 0; i < a[j].length; i++) {
          jj += a[j][i] * a[j][i];
          kk += a[k][i] * a[k][i];
          jk += a[j][i] * a[k][i];
        }
        if (jk === 0 || Math.abs(jk) <= Number.EPSILON * Math.sqrt(jj) * Math.sqrt(kk)) continue;
        turned = true;
        const zeta = (kk - jj) / (2 * jk);
        const t = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const c = 1 / Math.hypot(1, t);
        rotate(a[j], a[k], c, c * t);
        if (vectors !== null) rotate(vectors[j], vectors[k], c, c * t);
      }
  }
  const lengths = a.map((column) => Math.hypot(...column));
  const order = lengths.map((_, j) => j).sort((one, other) => lengths[one] - lengths[other]);
  if (vectors !== null) vectors.splice(0, p, ...order.map((j) => vectors[j]));
  return Float64Array.from(order, (j) => lengths[j]);
}

function rotate(x: Float64Array, y: Float64Array, c: number, s: number): void {
  for (let i = 0; i < x.length; i++) {
    const value = x[i];
    x[i] = c * value - s * y[i];
    y[i] = s * value + c * y[i];
  }
}
