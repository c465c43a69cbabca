// Saves a fitted formula to a file and reads it back: JSON with a checksum (sealed-json.ts), estimates by name so that people can read them.
// gaussflow fit --out writes it, gaussflow predict reads it.
import { encodingFromJson } from "../data/encoding-json.js";
import { fileError } from "../errors.js";
import {
  checkFields,
  checkNumbers,
  countOf,
  decodeFloats,
  fields,
  readText,
  unseal,
  writeSealed,
} from "../sealed-json.js";
import type { FittedFormula, FormulaVariable } from "./fitted-formula.js";

const FORMAT = "gaussflow-fit";
const VERSION = 1;

/** @throws GAUSSFLOW_FILE naming the path and what the system said */
export async function saveFit(path: string, fitted: FittedFormula): Promise<void> {
  const { formula, target, variables, names, estimates, covariance, residualDeviation, degreesOfFreedom, encoding } =
    fitted;
  await writeSealed(path, FORMAT, VERSION, {
    formula,
    target,
    variables,
    parameters: names.map((name, j) => ({ name, estimate: estimates[j] })),
    covariance,
    residualDeviation,
    // JSON has no infinity: the sigmas were known.
    degreesOfFreedom: Number.isFinite(degreesOfFreedom) ? degreesOfFreedom : null,
    encoding,
  });
}

/**
 * Reads the file of a fit; null where the file is of another format.
 *
 * @throws GAUSSFLOW_FILE naming the file, the field and the reason
 */
export async function loadFit(path: string): Promise<FittedFormula | null> {
  const text = await readText(path);
  if (!/^\s*\{\s*"format"\s*:\s*"gaussflow-fit"/.test(text)) return null;
  return fitFromBody(unseal(text, FORMAT, VERSION, path), path);
}

function fitFromBody(value: unknown, where: string): FittedFormula {
  const body = fields(value, where, "the body");
  const required = {
    formula: "text",
    target: "text",
    residualDeviation: "number or null",
    degreesOfFreedom: "count or null",
  } as const;
  checkFields(body, { required }, where, "the body");
  const parameters = list(body.parameters, where, "parameters").map((one, j) => {
    const what = `parameters[${j}]`;
    checkFields(one, { required: { name: "text", estimate: "number" } }, where, what);
    return one as { readonly name: string; readonly estimate: number };
  });
  const variables = list(body.variables, where, "variables").map((one, k) => {
    checkFields(one, { required: { name: "text", column: "text" } }, where, `variables[${k}]`);
    return one as FormulaVariable;
  });
  if (parameters.length === 0) throw fileError(where, "has no parameters");
  const covariance = decodeFloats(body.covariance, parameters.length ** 2, where, "covariance");
  const encoding = encodingFromJson(body.encoding, (rule) => fileError(where, rule));
  for (const { column } of variables)
    if (!encoding.columns.some((one) => one.kind === "numeric" && one.name === column))
      throw fileError(where, `has a variable in column ${JSON.stringify(column)}, which its encoding has not`);
  return {
    formula: body.formula as string,
    target: body.target as string,
    variables,
    names: parameters.map(({ name }) => name),
    estimates: Float64Array.from(parameters, ({ estimate }) => estimate),
    covariance: checkNumbers(covariance, where, "covariance", true),
    residualDeviation: body.residualDeviation as number | null,
    degreesOfFreedom:
      body.degreesOfFreedom === null
        ? Number.POSITIVE_INFINITY
        : countOf(body.degreesOfFreedom, where, "degreesOfFreedom"),
    encoding,
  };
}

function list(value: unknown, where: string, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw fileError(where, `${what} must be a list`);
  return value;
}
