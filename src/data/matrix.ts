// Makes checked copies of the tables of numbers that callers pass: rows of numbers, or a flat array with a column count. Every value must
// be finite; the error names row and column (from 1). `dataset`, `outOfRange` and the predictions (`predict`, `predictAsync`) call it on
// their arguments.
import { argumentError, describe, GaussflowError } from "../errors.js";
import { finish, STEP, type Steps } from "../event-loop-yield.js";
import { isTypedNumbers, type NumberArray } from "../options.js";

/** Rows of numbers, or all of them one after the other (row-major). */
export type MatrixLike = readonly ArrayLike<number>[] | NumberArray;

/** True for an array of rows, as against a flat array. */
function isRows(value: unknown): value is readonly ArrayLike<number>[] {
  return Array.isArray(value) && (typeof value[0] === "object" || value.length === 0);
}

/** Throws GAUSSFLOW_ARGUMENT at the first of the values from place `from` on that is not a finite number. */
function checkFinite(values: Float64Array, from: number, columns: number, name: string, firstRow: number): void {
  const end = Math.min(values.length, from + STEP);
  for (let i = from; i < end; i++) {
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
  return finish(matrixSteps(value, columns, name, firstRow));
}

/** The same in pieces. */
export function* matrixSteps(value: MatrixLike, columns: number, name: string, firstRow = 0): Steps<Float64Array> {
  if (!Number.isInteger(columns) || columns < 1)
    throw argumentError(`${name}: the number of columns`, "must be a positive integer", columns);
  matrixRows(value, columns, name);
  if (!isTypedNumbers(value))
    return yield* isRows(value) ? fromRows(value, columns, name, firstRow) : fromList(value, columns, name, firstRow);
  const copy = new Float64Array(value.length);
  for (let k = 0; k < copy.length; k += STEP) {
    copy.set(value.subarray(k, k + STEP), k);
    checkFinite(copy, k, columns, name, firstRow);
    yield;
  }
  return copy;
}

function* fromRows(
  rows: readonly ArrayLike<number>[],
  columns: number,
  name: string,
  firstRow: number,
): Steps<Float64Array> {
  const matrix = new Float64Array(rows.length * columns);
  const piece = Math.max(1, Math.floor(CELLS / columns));
  for (let i = 0; i < rows.length; i++) {
    const row: unknown = rows[i];
    const place = `${name}, row ${firstRow + i + 1}`;
    if (!Array.isArray(row) && !isTypedNumbers(row)) throw argumentError(place, "must be an array of numbers", row);
    const cells = row as ArrayLike<unknown>;
    if (cells.length !== columns) throw argumentError(place, `must have ${columns} numbers`, `${cells.length} of them`);
    for (let j = 0; j < columns; j++) matrix[i * columns + j] = cellOf(cells[j], firstRow + i, j, name);
    if (i % piece === piece - 1) yield;
  }
  return matrix;
}

/** Cells of a piece where each is looked at on its own. */
const CELLS = STEP / 8;

/** Number of rows of `value`, whose cells are not looked at. @throws GAUSSFLOW_ARGUMENT */
export function matrixRows(value: MatrixLike, columns: number, name: string): number {
  if (!Array.isArray(value) && !isTypedNumbers(value))
    throw argumentError(name, "must be rows of numbers, or all of them in one array", value);
  if (value.length === 0) throw argumentError(name, "must have at least one row", value);
  if (isRows(value)) return value.length;
  if (value.length % columns !== 0)
    throw argumentError(name, `must hold one or more whole rows of ${columns} numbers`, value);
  return value.length / columns;
}

function* fromList(list: readonly unknown[], columns: number, name: string, firstRow: number): Steps<Float64Array> {
  // Checked before the memory is taken, because a list without entries may have any length.
  cellOf(list[0], firstRow, 0, name);
  const matrix = new Float64Array(list.length);
  for (let k = 0; k < matrix.length; k++) {
    matrix[k] = cellOf(list[k], firstRow + Math.floor(k / columns), k % columns, name);
    if (k % CELLS === CELLS - 1) yield;
  }
  return matrix;
}

function cellOf(cell: unknown, i: number, j: number, name: string): number {
  if (typeof cell === "number" && Number.isFinite(cell)) return cell;
  throw new GaussflowError(
    "GAUSSFLOW_ARGUMENT",
    `${name}, row ${i + 1}, column ${j + 1}: must be a finite number; received ${describe(cell)}`,
    { argument: name, row: i + 1, column: j + 1, value: cell },
  );
}

/** `count` rows of `value` from number `first` on (from 0), in the form that it has. */
export function rowsOf(value: MatrixLike, first: number, count: number, columns: number): MatrixLike {
  if (isTypedNumbers(value)) return value.subarray(first * columns, (first + count) * columns);
  return isRows(value)
    ? value.slice(first, first + count)
    : (value.slice(first * columns, (first + count) * columns) as readonly number[]);
}

/** Number of columns of `value`: from its first row, or `given` for a flat array; null if neither is known. */
export function columnsOf(value: MatrixLike, given: number | undefined): number | null {
  if (given !== undefined) return given;
  if (isRows(value) && value.length > 0) {
    const first: unknown = value[0];
    if (Array.isArray(first) || isTypedNumbers(first)) return first.length;
  }
  return null;
}
