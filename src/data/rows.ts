/** The given rows, in their order, of row-major values: a copy. */
export function pickRows(from: Float64Array, rows: ArrayLike<number>, width: number): Float64Array {
  const out = new Float64Array(rows.length * width);
  for (let k = 0; k < rows.length; k++) out.set(from.subarray(rows[k] * width, (rows[k] + 1) * width), k * width);
  return out;
}
