// Reads the table of gaussflow fit: finds which names of the model are columns, its variables, and which are parameters, and reads those
// columns alone, so that texts and gaps in others do not matter. fit.ts calls it.
import { nameOfPlace } from "../data/csv-header.js";
import type { Dataset } from "../data/dataset.js";
import type { TableEncoding } from "../data/encoding.js";
import { readTable } from "../data/read-csv.js";
import { GaussflowError } from "../errors.js";
import { formulaNames } from "../expression/parse.js";
import type { FormulaVariable } from "../fit/fitted-formula.js";
import { listed, nearest } from "../suggest.js";
import { UsageError } from "./exit.js";
import { type HeldParameters, type NamedBounds, type NamedNumbers, NO_NAMES } from "./fit-flags.js";
import { givenTableFlags, type LayoutFlags, layoutOptions, ON_COMMAND_LINE } from "./table-options.js";

/** The flags that say what the columns are for. */
export interface FitTableFlags extends LayoutFlags {
  readonly model: string;
  readonly target?: string;
  readonly x?: string;
  readonly sigma?: string;
  readonly weights?: string;
  readonly start?: NamedNumbers;
  readonly fixed?: HeldParameters;
  readonly bounds?: NamedBounds;
  readonly starts?: number;
}

/** A table as the model reads it. */
export interface FitTable {
  /** The right side of the model. */
  readonly formula: string;
  readonly target: string;
  readonly variables: readonly FormulaVariable[];
  /** Names of the parameters: those with a start first, then the others in the order of the model. */
  readonly parameters: readonly string[];
  /** One array a variable. */
  readonly columns: readonly Float64Array[];
  readonly observed: Float64Array;
  readonly sigma: Float64Array | null;
  readonly weights: Float64Array | null;
  /** Row numbers of the table; null where no row was left out. */
  readonly rows: Uint32Array | null;
  readonly encoding: TableEncoding;
  readonly notes: readonly string[];
}

/** @throws UsageError where a name is neither a column nor a parameter, or both; GAUSSFLOW_DATA for the table */
export async function readFitTable(file: string, flags: FitTableFlags): Promise<FitTable> {
  const { formula, left } = sides(flags.model);
  const names = await formulaNames(formula, "--model");
  const roles = new Roles(file, flags, formula, names, left);
  const options = { ...layoutOptions(flags), task: "regression" as const, weights: flags.weights };
  const data = await readTable(file, options, ON_COMMAND_LINE, (columns) => roles.choose(columns));
  return roles.table(data);
}

/** "y = b1*x" has its target on the left. */
function sides(model: string): { formula: string; left: string | null } {
  const [first = "", ...others] = model.split("=");
  if (others.length === 0) return { formula: model, left: null };
  return { formula: others.join("="), left: first.trim() };
}

class Roles {
  readonly #file: string;
  readonly #flags: FitTableFlags;
  readonly #formula: string;
  readonly #names: readonly string[];
  readonly #left: string | null;
  #target = "";
  #variables: FormulaVariable[] = [];
  #parameters: string[] = [];

  constructor(file: string, flags: FitTableFlags, formula: string, names: readonly string[], left: string | null) {
    this.#file = file;
    this.#flags = flags;
    this.#formula = formula.trim();
    this.#names = names;
    this.#left = left;
  }

  /** The columns that are read; "" stands for one that --ignore leaves out. */
  choose(columns: readonly string[]) {
    const { sigma, weights, dates = [] } = this.#flags;
    const place = (name: string, flag: string) => this.#place(columns, name, flag);
    this.#variables = this.#names.flatMap((name) => {
      const column = this.#columnOf(name, columns);
      return column === null ? [] : [{ name, column }];
    });
    const inputs = this.#variables.map(({ column }) => place(column, "--x"));
    if (sigma !== undefined) inputs.push(place(sigma, "--sigma"));
    const weight = weights === undefined ? [] : [place(weights, "--weights")];
    const target = this.#targetOf(columns, new Set([...inputs, ...weight]));
    this.#target = columns[target]!;
    this.#check(columns, [...inputs, ...weight, target]);
    const used = new Set([...inputs, ...weight, target]);
    const numeric = [...inputs, target].filter((at) => !dates.includes(columns[at]!));
    return {
      target: [target],
      ignore: columns.flatMap((_, at) => (used.has(at) ? [] : [at])),
      numeric: [...new Set(numeric)],
    };
  }

  table(data: Dataset): FitTable {
    const { inputs, inputSize, sampleCount, featureNames } = data;
    const columnOf = (name: string) => {
      const at = featureNames.indexOf(name);
      return Float64Array.from({ length: sampleCount }, (_, i) => inputs[i * inputSize + at]!);
    };
    const { sigma } = this.#flags;
    const encoding = data.fitted().encoding!;
    const variables = new Set(this.#variables.map(({ column }) => column));
    return {
      formula: this.#formula,
      target: this.#target,
      variables: this.#variables,
      parameters: this.#parameters,
      columns: this.#variables.map(({ column }) => columnOf(column)),
      observed: data.targets,
      sigma: sigma === undefined ? null : columnOf(sigma),
      weights: data.weights,
      rows: data.rows,
      // A prediction needs no standard deviations.
      encoding: { ...encoding, columns: encoding.columns.filter(({ name }) => variables.has(name)) },
      notes: data.notes,
    };
  }

  /** The column of a name of the model, or null for a parameter. */
  #columnOf(name: string, columns: readonly string[]): string | null {
    if (name === "x" && this.#flags.x !== undefined) return this.#flags.x;
    return columns.includes(name) ? name : null;
  }

  #place(columns: readonly string[], name: string, flag: string): number {
    const place = columns.indexOf(name);
    if (place >= 0 && name !== "") return place;
    const byPlace = columns.findIndex((column, at) => column !== "" && nameOfPlace(at) === name);
    if (byPlace >= 0) return byPlace;
    const near = nearest(name, columns);
    const known =
      near === null ? `its columns are ${shown(columns, this.#flags)}` : `did you mean ${JSON.stringify(near)}?`;
    throw new GaussflowError(
      "GAUSSFLOW_DATA",
      `${this.#file}: has no column ${JSON.stringify(name)} (${flag}); ${known}`,
      { file: this.#file, column: name },
    );
  }

  /** --target, the left side of the model, or the last column that has no other use. */
  #targetOf(columns: readonly string[], used: ReadonlySet<number>): number {
    const { target } = this.#flags;
    if (target !== undefined) return this.#place(columns, target, "--target");
    if (this.#left !== null && this.#left !== "") return this.#place(columns, this.#left, "--model, left of =");
    const last = columns.findLastIndex((name, at) => name !== "" && !used.has(at));
    if (last < 0)
      throw new UsageError(`no column of ${this.#file} is left for the target: --target names the column to fit`);
    return last;
  }

  /** Every name of the model must be a column or a parameter with a start, and no column may have two uses. */
  #check(columns: readonly string[], used: readonly number[]): void {
    const { start = NO_NAMES, fixed = NO_NAMES, bounds = NO_NAMES, starts = 1 } = this.#flags;
    const twice = used.find((at, k) => used.indexOf(at) !== k);
    if (twice !== undefined)
      throw new UsageError(
        `column ${JSON.stringify(columns[twice])} has two uses: target, variables, --sigma and --weights are different columns`,
      );
    const variables = new Set(this.#variables.map(({ name }) => name));
    const given = Object.entries({ start, fixed, bounds }).flatMap(([flag, named]) =>
      Object.keys(named).map((name) => ({ name, flag: `--${flag}` })),
    );
    const both = given.find(({ name }) => variables.has(name));
    if (both !== undefined)
      throw new UsageError(
        `${both.flag} names ${both.name}, which is a column of ${this.#file} and so a variable of the model: rename the parameter, or leave the column out by --ignore ${both.name}`,
      );
    const others = this.#names.filter((name) => !variables.has(name));
    const foreign = given.find(({ name }) => !others.includes(name));
    if (foreign !== undefined) {
      const near = nearest(foreign.name, others);
      throw new UsageError(
        `--model has no parameter ${JSON.stringify(foreign.name)} (${foreign.flag}); ${near === null ? `it has ${others.length === 0 ? "none" : listed(others)}` : `did you mean ${JSON.stringify(near)}?`}`,
      );
    }
    const drawn = (name: string) => starts > 1 && (bounds[name] ?? [null]).every((end) => end !== null);
    const missing = others.filter(
      (name) => !Object.hasOwn(start, name) && typeof fixed[name] !== "number" && !drawn(name),
    );
    if (missing.length > 0)
      throw new UsageError(
        `--model has ${listed(missing)}, which ${missing.length === 1 ? "is" : "are"} no column of ${this.#file} (${shown(columns, this.#flags)}) and ${missing.length === 1 ? "has" : "have"} no start: give --start ${missing.map((name) => `${name}=NUMBER`).join(",")}${starts > 1 ? ", or --bounds with both ends" : ""}`,
      );
    if (variables.size === 0)
      throw new UsageError(
        `--model has no variable: none of its names (${listed(this.#names)}) is a column of ${this.#file} (${shown(columns, this.#flags)})`,
      );
    this.#parameters = [...Object.keys(start), ...others.filter((name) => !Object.hasOwn(start, name))];
  }
}

/** The columns, and the flags by which the table was read: one of them may be the reason that a name is missing. */
function shown(columns: readonly string[], flags: LayoutFlags): string {
  const given = givenTableFlags(flags);
  const read = given.length === 0 ? "" : `; read with ${given.join(" ")}`;
  return `${listed(columns.filter((name) => name !== ""))}${read}`;
}
