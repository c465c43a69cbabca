// Checks the problem that a jet engine is created from, and the points that replace those of a term: native code reads these arrays by the
// sizes that the problem names. Both engines and create.ts call it.

import { channelCount, type JetChannels, type JetProblem, type JetTerm } from "../equations/jet-problem.js";
import { argumentError } from "../errors.js";
import { BINARY_OPERATIONS, OPERATIONS, type Tape } from "../expression/tape.js";
import type { Architecture } from "../network/architecture.js";
import { checkCount, checkDoubles, checkNonNegative, checkOptionNames, checkText } from "../options.js";
import { checkArchitecture } from "./check-engine.js";

const TERM_FIELDS = [
  "name",
  "channels",
  "points",
  "inputs",
  "auxiliary",
  "auxiliaryCount",
  "residual",
  "factors",
] as const;

/** @throws GAUSSFLOW_ARGUMENT naming the field, the rule and the value */
export function checkJetProblem(architecture: Architecture, problem: JetProblem): void {
  checkArchitecture(architecture);
  checkOptionNames("problem", problem, ["terms", "unknownCount"]);
  checkCount("problem.unknownCount", problem.unknownCount, 0);
  if (!Array.isArray(problem.terms) || problem.terms.length === 0)
    throw argumentError("problem.terms", "must be an array of at least one term", problem.terms);
  problem.terms.forEach((term: JetTerm, t) => {
    checkTerm(`problem.terms[${t}]`, term, architecture, problem.unknownCount);
  });
}

function checkTerm(name: string, term: JetTerm, architecture: Architecture, unknowns: number): void {
  const { inputSize, outputSize, layers } = architecture;
  checkOptionNames(name, term, TERM_FIELDS);
  checkText(`${name}.name`, term.name);
  checkChannels(`${name}.channels`, term.channels);
  if (term.channels.seconds.length > 0 && layers.some(({ activation }) => activation === "relu"))
    throw argumentError(
      `${name}.channels.seconds`,
      "must be empty for a network with relu, whose second derivative is zero wherever it has one: the equation would not depend on the network there; choose tanh, sin, silu, gelu or softplus",
      `${term.channels.seconds.length} second-order channels`,
    );
  checkCount(`${name}.points`, term.points, 1);
  checkCount(`${name}.auxiliaryCount`, term.auxiliaryCount, 0);
  checkTermPoints(name, term, inputSize, term);
  const channels = channelCount(term.channels);
  checkTape(`${name}.residual`, term.residual, outputSize * channels + term.auxiliaryCount + unknowns);
  const { factors, residual } = term;
  if (!Array.isArray(factors) || factors.length !== residual.outputs.length)
    throw argumentError(`${name}.factors`, `must be an array of ${residual.outputs.length} numbers`, factors);
  factors.forEach((factor, i) => {
    checkNonNegative(`${name}.factors[${i}]`, factor);
  });
}

/** @throws GAUSSFLOW_ARGUMENT where the arrays are not as long as the term's sizes say */
export function checkTermPoints(
  name: string,
  { channels, points, auxiliaryCount }: JetTerm,
  inputSize: number,
  { inputs, auxiliary }: { readonly inputs: Float64Array; readonly auxiliary: Float64Array },
): void {
  checkDoubles(`${name}.inputs`, inputs, points * channelCount(channels) * inputSize);
  checkDoubles(`${name}.auxiliary`, auxiliary, points * auxiliaryCount);
}

/** @throws GAUSSFLOW_ARGUMENT where a second-order channel is empty or names no first derivative */
export function checkChannels(name: string, channels: JetChannels): void {
  checkOptionNames(name, channels, ["firsts", "seconds"]);
  const { firsts, seconds } = channels;
  checkCount(`${name}.firsts`, firsts, 0);
  if (!Array.isArray(seconds)) throw argumentError(`${name}.seconds`, "must be an array of lists", seconds);
  const isFirst = (i: unknown) => Number.isInteger(i) && (i as number) >= 0 && (i as number) < firsts;
  seconds.forEach((list: unknown, k) => {
    if (!Array.isArray(list) || list.length === 0)
      throw argumentError(`${name}.seconds[${k}]`, "must be a list of at least one [i, j, coefficient]", list);
    for (const [t, one] of list.entries())
      if (!(Array.isArray(one) && one.length === 3 && isFirst(one[0]) && isFirst(one[1]) && Number.isFinite(one[2])))
        throw argumentError(
          `${name}.seconds[${k}][${t}]`,
          `must be [i, j, coefficient] with i and j below ${firsts} and a finite coefficient`,
          one,
        );
  });
}

/** Every instruction reads registers that stand before its own. @throws GAUSSFLOW_ARGUMENT where one does not */
function checkTape(name: string, tape: Tape, inputs: number): void {
  checkOptionNames(name, tape, ["inputs", "constants", "code", "outputs"]);
  if (tape.inputs !== inputs) throw argumentError(`${name}.inputs`, `must be ${inputs}`, tape.inputs);
  const { constants, code, outputs } = tape;
  for (const [field, list] of Object.entries({ constants, code, outputs }))
    if (!Array.isArray(list)) throw argumentError(`${name}.${field}`, "must be an array of numbers", list);
  if (code.length % 3 !== 0)
    throw argumentError(`${name}.code`, "must have three numbers an instruction", `${code.length} numbers`);
  constants.forEach((value, i) => {
    if (typeof value !== "number") throw argumentError(`${name}.constants[${i}]`, "must be a number", value);
  });
  const below = (value: unknown, end: number) =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) < end;
  const first = inputs + constants.length;
  for (let at = 0; at < code.length; at += 3) {
    const [operation, a, b] = code.slice(at, at + 3);
    const fits = below(operation, OPERATIONS.length) && below(a, first + at / 3) && below(b, first + at / 3);
    if (!fits || (operation! >= BINARY_OPERATIONS && a !== b))
      throw argumentError(
        `${name}.code`,
        `must read registers that are written before (those of one operand twice), in instruction ${at / 3}`,
        [operation, a, b],
      );
  }
  if (outputs.length === 0) throw argumentError(`${name}.outputs`, "must name at least one register", outputs);
  outputs.forEach((register, i) => {
    if (!below(register, first + code.length / 3))
      throw argumentError(`${name}.outputs[${i}]`, `must be a register below ${first + code.length / 3}`, register);
  });
}
