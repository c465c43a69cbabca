// Defines Column, where the numbers of one argument of a tape stand, so that tapes read tables as they are: columns, rows and single numbers.

/** The argument at point i is data[offset + i stride]. Stride 0 is one number for all points, which may change between calls. */
export interface Column {
  readonly data: Float64Array;
  readonly offset: number;
  readonly stride: number;
}

/** An array with one number a point. */
export const column = (data: Float64Array): Column => ({ data, offset: 0, stride: 1 });

/** The columns of a row-major table of `width` numbers a point. */
export const columnsOf = (data: Float64Array, width: number): Column[] =>
  Array.from({ length: width }, (_, offset) => ({ data, offset, stride: width }));

/** Numbers that are the same at all points, read anew in every call. */
export const scalarsOf = (data: Float64Array): Column[] =>
  Array.from({ length: data.length }, (_, offset) => ({ data, offset, stride: 0 }));
