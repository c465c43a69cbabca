// Defines GaussflowError, the one exception class of the library, and the functions that make it; files in every folder of src throw by
// them. Misuse (a bad argument, a damaged file, a missing addon) throws it. An expected numerical failure (an indefinite matrix, a
// non-finite loss) is a value, never an exception.

/** What went wrong, in a form that programs can test. */
export type ErrorCode =
  | "GAUSSFLOW_ARGUMENT" // an argument breaks a stated rule
  | "GAUSSFLOW_DATA" // a table or a CSV file cannot be used as it is
  | "GAUSSFLOW_FILE" // a file is damaged, foreign or of another version, or cannot be read or written
  | "GAUSSFLOW_NO_NATIVE" // the native engine was requested and is not available
  | "GAUSSFLOW_MPI" // the processes of an MPI run cannot work together: there is no addon, or a rank has failed
  | "GAUSSFLOW_MEMORY" // the problem needs more memory than can be had
  | "GAUSSFLOW_BUSY" // the engine is at work: await the call before
  | "GAUSSFLOW_STATE" // the call does not fit what the engine holds: no curvature, no factor, or it was disposed of
  | "GAUSSFLOW_RANKS" // the ranks of a run differ: in what they were given, or in what they computed
  | "GAUSSFLOW_INTERNAL"; // a bug in gaussflow: please report it

/** Every exception that gaussflow throws on purpose; `code` says which rule was broken. */
export class GaussflowError extends Error {
  /** Always "GaussflowError". */
  override readonly name = "GaussflowError";
  /** Which rule was broken. */
  readonly code: ErrorCode;
  /** The numbers behind the message (row, column, bytes, ...), for programs. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: Record<string, unknown> = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}

/**
 * A GAUSSFLOW_ARGUMENT error in the one form all of them have: the argument's name, the rule, the value received.
 *
 * @example argumentError("options.seconds", "must be a positive number", -3)
 */
export function argumentError(argument: string, rule: string, received: unknown): GaussflowError {
  const value = describe(received);
  return new GaussflowError("GAUSSFLOW_ARGUMENT", `${argument} ${rule}; received ${value}`, { argument, rule, value });
}

/**
 * A GAUSSFLOW_FILE error in the one form all of them have: the file (or its stand-in) and the rule; `details.file` has the file.
 *
 * @example fileError("net.json", "is not JSON", {}, cause)
 */
export function fileError(
  file: string,
  rule: string,
  details: Record<string, unknown> = {},
  cause?: unknown,
): GaussflowError {
  const options = cause === undefined ? undefined : { cause };
  return new GaussflowError("GAUSSFLOW_FILE", `${file}: ${rule}`, { file, rule, ...details }, options);
}

/** A short, safe rendering of any value for an error message. */
export function describe(value: unknown): string {
  if (typeof value === "string")
    return value.length > 60 ? `${JSON.stringify(value.slice(0, 57))}...` : JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return `a function${value.name ? ` (${value.name})` : ""}`;
  if (value === null || typeof value !== "object") return String(value);
  if (ArrayBuffer.isView(value) && "length" in value)
    return `${value.constructor.name} of length ${String(value.length)}`;
  if (Array.isArray(value)) return `an array of length ${value.length}`;
  const { name } = (Object.getPrototypeOf(value) as object | null)?.constructor ?? Object;
  if (name !== "Object" && name !== "") return `an object of class ${name}`;
  const keys = Object.keys(value);
  return `an object with keys {${keys.slice(0, 6).join(", ")}${keys.length > 6 ? ", ..." : ""}}`;
}
