// Checks the moving average of Gram matrices that a linearization forms (`LinearizeRequest.accumulate`), and the matrix that one goes on with
// (`NetworkEngine.restoreCurvature`), for both engines.
import { argumentError } from "../errors.js";
import { checkDoubles, checkOptionNames } from "../options.js";
import type { LinearizeRequest } from "./engine.js";

/** @throws GAUSSFLOW_ARGUMENT naming the field, the rule and the value */
export function checkAccumulation({ curvature, precision = "double", accumulate }: LinearizeRequest): void {
  if (accumulate === undefined) return;
  checkOptionNames("accumulate", accumulate, ["keep", "add"]);
  for (const name of ["keep", "add"] as const)
    if (!(accumulate[name] >= 0 && accumulate[name] < Number.POSITIVE_INFINITY))
      throw argumentError(`accumulate.${name}`, "must be a finite number of at least 0", accumulate[name]);
  if (curvature !== "primal" || precision !== "double")
    throw argumentError(
      "accumulate",
      "must be absent unless the curvature is primal in double precision",
      `${curvature} in ${precision} precision`,
    );
}

/** An entry that breaks a rule. */
interface Broken {
  /** Its place in the array. */
  readonly at: number;
  readonly rule: string;
  readonly value: number;
}

/** The first entry of an order x order matrix that is not finite, or not that of the symmetric one; null = none. */
export function asymmetry(matrix: Float64Array, order: number): Broken | null {
  for (let i = 0; i < order; i++)
    for (let j = 0; j <= i; j++) {
      const [at, across] = [i * order + j, j * order + i];
      const value = matrix[at]!;
      if (!Number.isFinite(value)) return { at, rule: "must be a finite number", value };
      if (matrix[across] !== value)
        return { at: across, rule: `must be ${value}: the matrix is symmetric`, value: matrix[across]! };
    }
  return null;
}

/** Finite and symmetric, as `curvature()` gives it. @throws GAUSSFLOW_ARGUMENT naming the first entry that is not */
export function checkSymmetric(name: string, matrix: Float64Array, order: number): void {
  checkDoubles(name, matrix, order * order);
  const broken = asymmetry(matrix, order);
  if (broken !== null) throw argumentError(`${name}[${broken.at}]`, broken.rule, broken.value);
}
