// Defines Field, a network that was trained on equations in their terms: it predicts the outputs, transforms in, and any formula of them and
// their derivatives at any points. equations.ts makes it for `train`; src/train/field-file.ts reads it from a file.
import { argumentError } from "../errors.js";
import { column, scalarsOf } from "../expression/columns.js";
import { compile } from "../expression/compile.js";
import { TapeEvaluator } from "../expression/evaluate.js";
import type { Expression } from "../expression/expression.js";
import { modelToJson } from "../network/model-file.js";
import type { Network } from "../network/network.js";
import { encodeFloats, seal } from "../sealed-json.js";
import { planTerm, readResiduals } from "./compile-term.js";
import type { FieldDefinition, ReadDefinition } from "./definition.js";
import { checkNameList } from "./derivative-names.js";
import type { ResidualsOf } from "./equation-problem.js";
import { checkTable, type PointTable } from "./points.js";
import { rawName } from "./raw-jets.js";
import { termPoints } from "./term-points.js";

/** Names of the format of a field's file. */
export const FIELD_FORMAT = "gaussflow-field";
/** Version of the format. */
export const FIELD_VERSION = 1;

/** A trained solution of equations. */
export class Field {
  /** Coordinates, outputs, features, transforms and constants. */
  readonly definition: FieldDefinition;
  /** From features to what the transforms take. */
  readonly network: Network;
  /** The trained unknowns by name. */
  readonly unknowns: Readonly<Record<string, number>>;
  readonly #read: ReadDefinition;
  readonly #residuals: ResidualsOf;

  /** `train` makes fields. */
  constructor(read: ReadDefinition, network: Network, unknowns: Float64Array, residuals: ResidualsOf) {
    this.definition = read.definition;
    this.network = network;
    this.unknowns = Object.fromEntries(read.names.unknowns.map((name, k) => [name, unknowns[k]]));
    this.#read = read;
    this.#residuals = residuals;
  }

  /**
   * The outputs at some points, one array an output.
   *
   * @param points one array a coordinate, all of the same length
   * @throws GAUSSFLOW_ARGUMENT
   * @example field.predict({ x: [0, 0.5], t: [1, 1] }).u
   */
  predict(points: PointTable): Record<string, Float64Array> {
    const { inputs, outputs } = this.definition;
    const { names, features, jets } = this.#read;
    const table = this.#table(points);
    const coordinates = inputs.map((x) => column(table.get(x)!));
    const count = table.get(inputs[0])!.length;
    const seen = evaluated(features, inputs, coordinates, count);
    const raw = this.network.predictScaled(seen);
    const own = outputs.map((_, o) => ({ data: raw, offset: o, stride: outputs.length }));
    const values = outputs.map((_, o) => jets.formula({ output: o, kind: "value", along: [] }));
    const known = [...inputs, ...outputs.map((_, o) => rawName(o, { kind: "value" })), ...names.unknowns];
    const out = evaluated(values, known, [...coordinates, ...own, ...scalarsOf(this.#unknownValues())], count);
    return byName(outputs, out, count);
  }

  /**
   * Formulas of outputs, their derivatives, coordinates, constants and unknowns at some points, one array a formula.
   *
   * @param points one array a coordinate, all of the same length
   * @param formulas such as "u", "u_xx", "u_t + u*u_x"
   * @throws GAUSSFLOW_ARGUMENT
   * @example (await field.derivatives({ x: [0, 0.5], t: [1, 1] }, ["u", "u_xx"])).u_xx
   */
  async derivatives(points: PointTable, formulas: readonly string[]): Promise<Record<string, Float64Array>> {
    const { names, features, jets } = this.#read;
    checkNameList("formulas", formulas);
    const table = this.#table(points);
    const columns = [...table.keys()].filter((key) => !names.coordinates.includes(key));
    const residuals = await readResiduals(formulas, names, columns, jets, "formulas");
    const plan = planTerm(residuals, features, names, "formulas");
    const arrays = termPoints(plan, names.coordinates, table, "points");
    const term = {
      name: "derivatives",
      channels: plan.channels,
      ...arrays,
      auxiliaryCount: plan.auxiliary.length,
      residual: plan.residual,
      factors: formulas.map(() => 1),
    };
    const problem = { terms: [term], unknownCount: names.unknowns.length };
    const parameters = new Float64Array(this.network.parameterCount + names.unknowns.length);
    parameters.set(this.network.parameters);
    parameters.set(this.#unknownValues(), this.network.parameterCount);
    const values = await this.#residuals(this.network.architecture, problem, parameters);
    return byName(formulas, values, arrays.points);
  }

  /** The text of a file that `fieldFromJson` reads. */
  toJson(): string {
    return seal(FIELD_FORMAT, FIELD_VERSION, {
      definition: this.definition,
      unknowns: encodeFloats(this.#unknownValues()),
      network: modelToJson(this.network),
    });
  }

  #unknownValues(): Float64Array {
    return Float64Array.from(this.#read.names.unknowns, (name) => this.unknowns[name]);
  }

  #table(points: PointTable): ReadonlyMap<string, Float64Array> {
    const table = checkTable("points", points);
    const missing = this.definition.inputs.find((x) => !table.has(x));
    if (missing !== undefined)
      throw argumentError("points", `must have the coordinate ${missing}`, [...table.keys()].join(", "));
    return table;
  }
}

function evaluated(
  formulas: readonly Expression[],
  names: readonly string[],
  columns: Parameters<TapeEvaluator["values"]>[0],
  points: number,
): Float64Array {
  const out = new Float64Array(points * formulas.length);
  new TapeEvaluator(compile(formulas, names)).values(columns, points, out);
  return out;
}

/** The columns of a row-major table by name. */
function byName(names: readonly string[], values: Float64Array, points: number): Record<string, Float64Array> {
  const columns = names.map((name, k) => {
    const own = Float64Array.from({ length: points }, (_, i) => values[i * names.length + k]);
    return [name, own] as const;
  });
  return Object.fromEntries(columns);
}
