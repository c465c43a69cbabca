// Defines Tape: a function of several numbers as a list of instructions, which both engines evaluate with exact derivatives. compile.ts
// makes tapes from text, for the models of src/fit and the residuals of src/equations.

/**
 * What an instruction computes from its operands a and b. Those of one operand have b = a. The native engine has the same list in the same
 * order (`native/core/jets/tape.h`): the number of an operation is its place.
 */
export const OPERATIONS = [
  "add",
  "subtract",
  "multiply",
  "divide",
  "power",
  "minimum",
  "maximum",
  "atan2",
  "negate",
  "square",
  "sqrt",
  "cbrt",
  "exp",
  "expm1",
  "log",
  "log1p",
  "sin",
  "cos",
  "tan",
  "asin",
  "acos",
  "atan",
  "sinh",
  "cosh",
  "tanh",
  "erf",
  "abs",
  "sign",
] as const;

/** Name of an operation. */
export type Operation = (typeof OPERATIONS)[number];

/** Operations before this place in `OPERATIONS` have two operands. */
export const BINARY_OPERATIONS = OPERATIONS.indexOf("negate");

/**
 * A function from `inputs` numbers to `outputs.length` numbers. Registers 0 ... inputs - 1 hold the arguments, the next ones the constants, and
 * instruction k writes the register after those at place k. It is plain data: it goes to worker threads, the addon and files as it is.
 */
export interface Tape {
  /** Number of arguments. */
  readonly inputs: number;
  /** Values of the registers behind the arguments. */
  readonly constants: readonly number[];
  /** Three numbers an instruction: the operation (its place in `OPERATIONS`) and the registers a and b, both already written. */
  readonly code: readonly number[];
  /** The register of each result. */
  readonly outputs: readonly number[];
}
