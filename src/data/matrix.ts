// Checked copies of what users hand in as a table of numbers: rows of numbers, or a flat Float64Array with a column count.
// Every value must be finite; the error names row and column (from 1).
import { argumentError, describe, GaussflowError } from "../errors.js";

/** Rows of numbers, or all of them one after the other (row-major). */
export type MatrixLike = readonly ArrayLike<number>[] | Float64Array;

/** True for an array of rows, as against a flat array. */
function isRows(value: unknown): value is readonly ArrayLike<number>[] {
  return Array.isArray(value);
}

/** Throws GAUSSFLOW_ARGUMENT at the first value that is not a finite number. */
function checkFinite(values: Float64Array, columns: number, name: string, firstRow: number): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    const row = firstRow + Math.floor(i / columns) + 1;
    const column = (i % columns) + 1;
    throw new GaussflowError(
      "GAUSSFLOW_ARGUMENT",
      `${name}, row ${row}, column ${column}: must be a finite number; received ${values[i]}`,
      { argument: name, row, column, value: values[i] },
    );
  }
}

/**
 * A row-major copy [rows x columns] of `value`, checked: no ragged row, no missing or infinite number, at least one row.
 * @param name how errors call the argument
 * @param firstRow number of the first row of `value` where it is a part of the argument: errors count from there
 * @throws GAUSSFLOW_ARGUMENT with row and column
 */
export function toMatrix(value: MatrixLike, columns: number, name: string, firstRow = 0): Float64Array {
  if (!Number.isInteger(columns) || columns < 1)
    throw argumentError(`${name}: the number of columns`, "must be a positive integer", columns);
  const rows = matrixRows(value, columns, name);
  if (value instanceof Float64Array) {
    const copy = value.slice();
    checkFinite(copy, columns, name, firstRow);
    return copy;
  }
  const matrix = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    const row: unknown = value[i];
    if (typeof row === "number")
      throw argumentError(name, "must be an array of rows (write [[1, 2]] for one sample)", row);
    if (!Array.isArray(row) && !(ArrayBuffer.isView(row) && "length" in row))
      throw argumentError(`${name}, row ${firstRow + i + 1}`, "must be an array of numbers", row);
    const cells = row as ArrayLike<unknown>;
    if (cells.length !== columns)
      throw argumentError(
        `${name}, row ${firstRow + i + 1}`,
        `must have ${columns} numbers`,
        `${cells.length} of them`,
      );
    for (let j = 0; j < columns; j++) {
      const cell = cells[j];
      if (typeof cell !== "number" || !Number.isFinite(cell))
        throw new GaussflowError(
          "GAUSSFLOW_ARGUMENT",
          `${name}, row ${firstRow + i + 1}, column ${j + 1}: must be a finite number; received ${describe(cell)}`,
          { argument: name, row: firstRow + i + 1, column: j + 1, value: cell },
        );
      matrix[i * columns + j] = cell;
    }
  }
  return matrix;
}

/** Number of rows of `value`, whose cells are not looked at. @throws GAUSSFLOW_ARGUMENT */
export function matrixRows(value: MatrixLike, columns: number, name: string): number {
  if (value instanceof Float64Array) {
    if (value.length === 0 || value.length % columns !== 0)
      throw argumentError(name, `must hold one or more whole rows of ${columns} numbers`, value);
    return value.length / columns;
  }
  if (!isRows(value)) throw argumentError(name, "must be an array of rows or a Float64Array", value);
  if (value.length === 0) throw argumentError(name, "must have at least one row", value);
  return value.length;
}

/** Number of columns of `value`: from its first row, or `given` for a flat array; null when neither tells. */
export function columnsOf(value: MatrixLike, given: number | undefined): number | null {
  if (given !== undefined) return given;
  if (isRows(value) && value.length > 0) {
    const first: unknown = value[0];
    if (Array.isArray(first) || ArrayBuffer.isView(first)) return (first as unknown as ArrayLike<number>).length;
  }
  return null;
}
