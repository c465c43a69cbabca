// Checks a method that a caller wrote: its fields when the options of a training are checked (train-options.ts), and
// its first state at the first point (first-point.ts).
import { argumentError } from "../errors.js";
import { scalingKinds } from "../linearize/problem.js";
import { checkCount, checkPositive, isObject } from "../options.js";
import { type BatchMethod, isBatchMethod } from "./batch-method.js";
import type { Method, MethodState } from "./method.js";

const FUNCTIONS = ["start", "damping", "propose", "judge"] as const;
const BATCH_FUNCTIONS = ["needs", "start", "step"] as const;
const REGULARIZATION = ["decay", "evidence", "due", "stale", "settled", "kept", "hastened", "renew", "assess"] as const;
const PLAIN = ["string", "boolean"];
/**
 * Members that `fidelity` replaces: without an error a method that has them would train in double precision on all
 * samples.
 */
const REPLACED = ["precision", "curvatureSamples", "wantsDouble"];

/** @throws GAUSSFLOW_ARGUMENT naming the member, the rule and the value */
export function checkMethod(argument: string, method: unknown): asserts method is Method | BatchMethod {
  if (!isObject(method))
    throw argumentError(
      argument,
      'must be "auto", or made by levenbergMarquardt(), gaussNewton(), exactGaussNewton() or another method of docs/methods.md, or have the form of docs/own-method.md',
      method,
    );
  if (method.kind === "joint")
    throw argumentError(
      argument,
      "must be a method that trains one network: this one moves the two players of minmax(generator, discriminator, rows)",
      method.name,
    );
  checkDescription(argument, method);
  if (isBatchMethod(method)) checkBatchMethod(argument, method);
  else checkWholeMethod(argument, method);
}

/** Name, label and settings. */
function checkDescription(argument: string, method: Readonly<Record<string, unknown>>): void {
  for (const name of ["name", "label"])
    if (typeof method[name] !== "string" || method[name] === "")
      throw argumentError(`${argument}.${name}`, "must be a text that is not empty", method[name]);
  if (!isObject(method.settings)) throw argumentError(`${argument}.settings`, "must be an object", method.settings);
  for (const [name, value] of Object.entries(method.settings))
    if (!PLAIN.includes(typeof value) && !Number.isFinite(value))
      throw argumentError(`${argument}.settings.${name}`, "must be a text, a finite number or a boolean", value);
}

function checkBatchMethod(argument: string, method: BatchMethod): void {
  for (const name of BATCH_FUNCTIONS)
    if (typeof method[name] !== "function")
      throw argumentError(`${argument}.${name}`, "must be a function", method[name]);
  checkCount(`${argument}.epochs`, method.epochs, 1);
  if (method.continuation !== undefined) checkCount(`${argument}.continuation`, method.continuation, 0);
  if (typeof method.remedy !== "string") throw argumentError(`${argument}.remedy`, "must be a text", method.remedy);
}

function checkWholeMethod(argument: string, method: Readonly<Record<string, unknown>>): void {
  if (!(scalingKinds as readonly unknown[]).includes(method.scaling))
    throw argumentError(`${argument}.scaling`, `must be one of ${scalingKinds.join(", ")}`, method.scaling);
  for (const name of FUNCTIONS)
    if (typeof method[name] !== "function")
      throw argumentError(`${argument}.${name}`, "must be a function", method[name]);
  const { fidelity } = method;
  if (fidelity !== undefined && !isObject(fidelity))
    throw argumentError(`${argument}.fidelity`, "must be an object with the functions planned and next", fidelity);
  for (const name of ["planned", "next"])
    if (fidelity !== undefined && typeof fidelity[name] !== "function")
      throw argumentError(`${argument}.fidelity.${name}`, "must be a function", fidelity[name]);
  checkRegularization(`${argument}.regularization`, method.regularization);
  for (const name of REPLACED)
    if (method[name] !== undefined)
      throw argumentError(
        `${argument}.${name}`,
        "must not be there: fidelity.next decides it (docs/own-method.md)",
        method[name],
      );
}

/** What sets the weight decay of a run. */
function checkRegularization(argument: string, policy: unknown): void {
  if (policy === undefined) return;
  if (!isObject(policy)) throw argumentError(argument, `must be an object with ${REGULARIZATION.join(", ")}`, policy);
  checkPositive(`${argument}.first`, policy.first as number);
  for (const name of REGULARIZATION)
    if (typeof policy[name] !== "function")
      throw argumentError(`${argument}.${name}`, "must be a function", policy[name]);
}

/** The state that a method starts with: a checkpoint can hold nothing else. @throws GAUSSFLOW_ARGUMENT */
export function checkState(argument: string, state: unknown): asserts state is MethodState {
  if (!isObject(state)) throw argumentError(argument, "must answer an object", state);
  for (const [name, value] of Object.entries(state))
    if (typeof value !== "number" && !(value instanceof Float64Array))
      throw argumentError(argument, `must answer numbers and Float64Arrays, which ${name} is not`, value);
}
