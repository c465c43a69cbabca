// The row form of GGN-SCORE (row-form.ts) for itself: its step against the dense normal equations where the kernel has several tiles, and the
// turns of the event loop that its loops leave.
import { expect, it } from "vitest";
import { Pace } from "../../src/event-loop-yield.js";
import { rowStep, weightRows } from "../../src/method/ggn-score/row-form.js";
import { Random } from "../../src/random.js";
import { eliminate } from "../helpers/dense.js";

const draw = new Random(8, 1);
const drawn = (count: number) => Float64Array.from({ length: count }, () => draw.normal());

/** A pace that counts its turns. */
class Counted extends Pace {
  turns = 0;

  constructor() {
    super(undefined);
  }

  override async turn(): Promise<void> {
    this.turns++;
  }
}

it.each([1, 63, 64, 65, 150])("%i rows: the step solves the normal equations", async (m) => {
  const p = 160;
  const [rows, z, rest] = [drawn(m * p), drawn(m), drawn(p)];
  const diagonal = Float64Array.from({ length: p }, () => 1 + draw.uniform());
  const matrix = new Float64Array(p * p);
  const right = rest.map((value) => -value);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < p; j++) {
      right[j] -= rows[i * p + j] * z[i];
      for (let k = 0; k < p; k++) matrix[j * p + k] += rows[i * p + j] * rows[i * p + k];
    }
  for (let j = 0; j < p; j++) matrix[j * p + j] += diagonal[j];
  const expected = eliminate(matrix, right, p);
  const step = (await rowStep({ rows, z, diagonal, rest }, new Counted()))!;
  // The condition is at most that of (1 + (sqrt(m) + sqrt(p))^2): some 600.
  for (let j = 0; j < p; j++) expect(Math.abs(step[j] - expected[j])).toBeLessThan(600 * p * Number.EPSILON);
});

it("weights the rows of a sample by its whole factor", async () => {
  const [count, c, p] = [5, 3, 7];
  const [jacobian, factor] = [drawn(count * c * p), drawn(count * c * c)];
  const before = jacobian.slice();
  await weightRows(jacobian, factor, c, p, new Counted());
  for (let i = 0; i < count; i++)
    for (let b = 0; b < c; b++)
      for (let j = 0; j < p; j++) {
        let sum = 0;
        for (let a = 0; a < c; a++) sum += factor[(i * c + b) * c + a] * before[(i * c + a) * p + j];
        expect(jacobian[(i * c + b) * p + j]).toBe(sum);
      }
});

it("leaves a turn of the event loop after each four million multiply-adds", async () => {
  const [m, p] = [3, 1 << 21];
  const rows = new Float64Array(m * p).fill(1e-3);
  const pace = new Counted();
  await weightRows(rows, new Float64Array(m).fill(1), 1, p, pace);
  // Two rows are a piece.
  expect(pace.turns).toBe(1);
  await weightRows(rows, new Float64Array(m * m).fill(1), m, p, pace);
  // A row by a factor of three is a piece for itself.
  expect(pace.turns).toBe(1 + 2);
  pace.turns = 0;
  const system = {
    rows,
    z: new Float64Array(m).fill(1),
    diagonal: new Float64Array(p).fill(1),
    rest: new Float64Array(p),
  };
  expect(await rowStep(system, pace)).not.toBeNull();
  // Three loops over the rows, and six entries of the kernel.
  expect(pace.turns).toBeGreaterThanOrEqual(3 + 6);
});
