// Checks a tape that comes from a file or another program: engines index registers without looking.
import { fileError } from "../errors.js";
import { OPERATIONS, type Tape } from "./tape.js";

/**
 * Tests that `value` is a tape with `inputs` arguments whose instructions read only what is written before.
 *
 * @param file what the tape comes from, for the error
 * @throws GaussflowError (GAUSSFLOW_FILE) that names the wrong part
 */
export function checkTape(value: unknown, inputs: number, file: string): Tape {
  const refuse = (rule: string) => fileError(file, `its tape ${rule}`);
  if (typeof value !== "object" || value === null) throw refuse("is no object");
  const { inputs: given, constants, code, outputs } = value as Record<string, unknown>;
  if (given !== inputs) throw refuse(`must have ${inputs} inputs, not ${String(given)}`);
  const numbers = (list: unknown, test: (entry: number) => boolean): list is number[] =>
    Array.isArray(list) && list.every((entry) => typeof entry === "number" && test(entry));
  if (!numbers(constants, Number.isFinite)) throw refuse("must have finite constants");
  if (!numbers(code, Number.isInteger) || code.length % 3 !== 0)
    throw refuse("must have three integers an instruction");
  const first = inputs + constants.length;
  for (let k = 0, at = 0; at < code.length; k++, at += 3) {
    const [operation, a, b] = code.slice(at, at + 3);
    if (operation < 0 || operation >= OPERATIONS.length)
      throw refuse(`has no operation ${operation} (instruction ${k})`);
    if (Math.min(a, b) < 0 || Math.max(a, b) >= first + k)
      throw refuse(`reads a register that is not written (instruction ${k})`);
  }
  const registers = first + code.length / 3;
  if (!numbers(outputs, (entry) => Number.isInteger(entry) && entry >= 0 && entry < registers))
    throw refuse("has an output that is no register");
  return { inputs, constants, code, outputs };
}
