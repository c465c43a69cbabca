// Which column of a table plays which part: header or not, names, and the use of each column, from the options of a training
// table or from the encoding of a model.
import { argumentError, GaussflowError } from "../errors.js";
import { suggestion } from "../suggest.js";
import { parseNumber } from "./csv-number.js";
import type { ColumnReference, CsvPlan } from "./csv-options.js";
import type { InputColumn } from "./encoding.js";

/** What a used column is for; columns without a use are not read. */
export interface ColumnUse {
  /** Position in the file, from 0. */
  readonly index: number;
  readonly name: string;
  readonly use: "input" | "target" | "weight" | "split";
  readonly kind: "undecided" | "numeric" | "categorical";
  /** The input column of the encoding that is applied, or null. */
  readonly stored: InputColumn | null;
}

export interface TableRoles {
  readonly header: boolean;
  readonly names: readonly string[];
  /** In the order in which the Dataset holds them. */
  readonly uses: readonly ColumnUse[];
  readonly notes: readonly string[];
}

function isHeader(first: readonly string[], plan: CsvPlan): boolean {
  if (plan.header !== null) return plan.header;
  const named = [plan.target ?? [], plan.ignore, plan.categorical, plan.numeric, plan.weights ?? [], plan.split ?? []];
  const cells = new Set(first.map((cell) => cell.trim()));
  if (named.flat().some((name) => typeof name === "string" && cells.has(name))) return true;
  return first.every((cell) => Number.isNaN(parseNumber(cell.trim(), plan.decimal)));
}

function headerNames(first: readonly string[], file: string, notes: string[]): string[] {
  const seen = new Map<string, number>();
  return first.map((cell, i) => {
    let name = cell.trim();
    if (name === "") {
      name = `column ${i + 1}`;
      notes.push(`column ${i + 1} has no name in the header and is called "${name}"`);
    }
    const before = seen.get(name);
    if (before !== undefined)
      throw new GaussflowError(
        "GAUSSFLOW_DATA",
        `${file}, line 1: columns ${before + 1} and ${i + 1} have the same name, ${JSON.stringify(name.slice(0, 60))}`,
        { file, line: 1, column: name },
      );
    seen.set(name, i);
    return name;
  });
}

/** Settles the parts from the first record of the table. */
export function settleRoles(first: readonly string[], plan: CsvPlan, file: string): TableRoles {
  const notes: string[] = [];
  const header = isHeader(first, plan);
  const names = header ? headerNames(first, file, notes) : first.map((_, i) => `column ${i + 1}`);
  const indexOf = new Map(names.map((name, i) => [name, i]));

  const find = (option: string, reference: ColumnReference): number => {
    if (typeof reference === "number") {
      const index = reference < 0 ? names.length + reference : reference;
      if (index < 0 || index >= names.length)
        throw argumentError(`options.${option}`, `must be a place from 0 to ${names.length - 1} in ${file}`, reference);
      return index;
    }
    const index = indexOf.get(reference);
    if (index !== undefined) return index;
    const hint = header
      ? suggestion(reference, names)
      : `its first row was taken as data (header: true says otherwise), so known are: ${names.slice(0, 12).join(", ")}`;
    throw new GaussflowError(
      "GAUSSFLOW_DATA",
      `${file}: has no column ${JSON.stringify(reference)} (${option}); ${hint}`,
      {
        file,
        column: reference,
        option,
      },
    );
  };

  const uses =
    plan.encoding === null ? trainingUses(names, plan, file, find, notes) : storedUses(names, plan, find, notes);
  return { header, names, uses, notes };
}

type Find = (option: string, reference: ColumnReference) => number;

function trainingUses(names: readonly string[], plan: CsvPlan, file: string, find: Find, notes: string[]): ColumnUse[] {
  const taken = new Map<number, string>();
  const take = (option: string, reference: ColumnReference): number => {
    const index = find(option, reference);
    const before = taken.get(index);
    if (before !== undefined)
      throw argumentError(`options.${option}`, `must not name a column that is already used (${before})`, names[index]);
    taken.set(index, option);
    return index;
  };
  for (const reference of plan.ignore) take("ignore", reference);
  const weight = plan.weights === null ? null : take("weights", plan.weights);
  const split = plan.split === null ? null : take("split", plan.split);
  let targets = plan.target?.map((reference) => take("target", reference));
  if (targets === undefined) {
    const last = names.findLastIndex((_, i) => !taken.has(i));
    if (last < 0) throw new GaussflowError("GAUSSFLOW_DATA", `${file}: no column is left for the target`, { file });
    taken.set(last, "target");
    targets = [last];
    notes.push(`no target was named: the last column, ${JSON.stringify(names[last])}, is taken`);
  }
  const told = new Map<number, "numeric" | "categorical">();
  for (const kind of ["numeric", "categorical"] as const)
    for (const reference of plan[kind]) {
      const index = find(kind, reference);
      const use = told.get(index) ?? taken.get(index);
      if (use !== undefined && !(kind === "numeric" && (use === "target" || use === "numeric")))
        throw argumentError(`options.${kind}`, `must not name a column that is already used (${use})`, names[index]);
      told.set(index, kind);
    }
  const uses: ColumnUse[] = [];
  const add = (index: number, use: ColumnUse["use"], kind: ColumnUse["kind"]) =>
    uses.push({ index, name: names[index]!, use, kind, stored: null });
  for (let i = 0; i < names.length; i++) if (!taken.has(i)) add(i, "input", told.get(i) ?? "undecided");
  if (uses.length === 0)
    throw new GaussflowError("GAUSSFLOW_DATA", `${file}: no column is left for the inputs`, {
      file,
      columns: names.length,
    });
  for (const index of targets) add(index, "target", "numeric");
  if (weight !== null) add(weight, "weight", "numeric");
  if (split !== null) add(split, "split", "categorical");
  return uses;
}

function storedUses(names: readonly string[], plan: CsvPlan, find: Find, notes: string[]): ColumnUse[] {
  const encoding = plan.encoding!;
  const uses: ColumnUse[] = encoding.columns.map((stored) => {
    const index = find("needed by the model", stored.name);
    return { index, name: stored.name, use: "input", kind: stored.kind, stored };
  });
  const there = encoding.targets.filter((name) => names.includes(name));
  const all = there.length === encoding.targets.length && there.length > 0;
  if (plan.targets === "require" || (plan.targets === "auto" && all))
    for (const name of encoding.targets)
      uses.push({ index: find("a target of the model", name), name, use: "target", kind: "numeric", stored: null });
  else if (plan.targets === "auto" && there.length > 0)
    notes.push(`the table has only some of the targets (${there.join(", ")}): none is read`);
  if (encoding.weights !== null && names.includes(encoding.weights) && uses.some(({ use }) => use === "target"))
    uses.push({
      index: names.indexOf(encoding.weights),
      name: encoding.weights,
      use: "weight",
      kind: "numeric",
      stored: null,
    });
  if (plan.split !== null) {
    const index = find("split", plan.split);
    const before = uses.find((one) => one.index === index);
    if (before !== undefined)
      throw argumentError("options.split", `must not name a column that is already used (${before.use})`, before.name);
    uses.push({ index, name: names[index]!, use: "split", kind: "categorical", stored: null });
  }
  return uses;
}
