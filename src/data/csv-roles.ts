// Assigns a role to each column of a table (header, names, use) from the options of a training table or from the encoding of a model.
// Called by csv-rows.ts once the first records are known.
import { argumentError, GaussflowError } from "../errors.js";
import { suggestion } from "../suggest.js";
import type { CsvPlan } from "./check-csv-options.js";
import { judgeHeader, nameOfPlace, placeOfName } from "./csv-header.js";
import type { ColumnReference } from "./csv-options.js";
import { commentHint, skipHint } from "./csv-wording.js";
import type { InputColumn } from "./encoding.js";

/** The use of a column; columns without a use are not read. */
export interface ColumnUse {
  /** Position in the file, from 0. */
  readonly index: number;
  readonly name: string;
  readonly use: "input" | "target" | "weight" | "exposure" | "split" | "group" | "order" | "gradient";
  readonly kind: "undecided" | "numeric" | "categorical";
  /** The input column of the encoding that is applied, or null. */
  readonly stored: InputColumn | null;
  /** Dates are read as days. */
  readonly dates: boolean;
  /** The only classes of a target; null for any, and for all other columns. */
  readonly classes: readonly string[] | null;
}

export interface TableRoles {
  readonly header: boolean;
  readonly names: readonly string[];
  /** In the order in which the Dataset holds them. */
  readonly uses: readonly ColumnUse[];
  /** Places of nameless columns that are left out because the first row has no value there: a later value is refused. */
  readonly blank: readonly number[];
  readonly notes: readonly string[];
}

/** The first rows of a table. */
export interface TableBeginning {
  readonly first: readonly string[];
  /** The row of data that follows a header, or null. */
  readonly next: readonly string[] | null;
  /** Line of the first row. */
  readonly line: number;
  readonly file: string;
}

/** Finds the columns of a table by name or position. */
class Columns {
  readonly names: readonly string[];
  readonly header: boolean;
  readonly file: string;
  /** Hints for the error about missing columns. */
  readonly hint: string;
  readonly #plan: CsvPlan;
  readonly #line: number;
  /** Places of each name, in order. */
  readonly #places = new Map<string, number[]>();

  constructor(names: readonly string[], header: boolean, plan: CsvPlan, { file, line, next }: TableBeginning) {
    this.names = names;
    this.header = header;
    this.file = file;
    this.hint = next !== null && next.length > names.length ? skipHint(plan.wording) : "";
    this.#plan = plan;
    this.#line = line;
    names.forEach((name, i) => {
      const places = this.#places.get(name);
      if (places === undefined) this.#places.set(name, [i]);
      else places.push(i);
    });
  }

  has(name: string): boolean {
    return this.#places.has(name);
  }

  /**
   * @param option what the reference is for, in the words of an error
   * @param without places that are left out: of several columns of one name the others may be meant
   */
  find(option: string, reference: ColumnReference, without: (place: number) => boolean = () => false): number {
    const { names, file } = this;
    const { wording } = this.#plan;
    if (typeof reference === "number") {
      const index = reference < 0 ? names.length + reference : reference;
      if (index < 0 || index >= names.length)
        throw argumentError(
          wording.name(option),
          `must be a place from 0 to ${names.length - 1} in ${file}`,
          reference,
        );
      return index;
    }
    const places = this.#places.get(reference) ?? [];
    const left = places.filter((place) => !without(place));
    if (left.length > 1) this.refuseTwice(left);
    const index = left[0] ?? places[0] ?? placeOfName(reference, names.length);
    if (index !== null) return index;
    const hint = this.header
      ? suggestion(reference, names)
      : `its first row was taken as data (${wording.hint("header", true)} says otherwise), so known are: ${names.slice(0, 12).join(", ")}`;
    throw new GaussflowError(
      "GAUSSFLOW_DATA",
      `${file}: has no column ${JSON.stringify(reference)} (${option}); ${hint}`,
      { file, column: reference, option },
    );
  }

  /** Places of the columns that are left out; a name means all columns of that name. */
  ignored(): Set<number> {
    return new Set(
      this.#plan.ignore.flatMap((reference) => {
        const places = typeof reference === "string" ? this.#places.get(reference) : undefined;
        return places ?? [this.find("ignore", reference)];
      }),
    );
  }

  /** @param places of columns of one name */
  refuseTwice(places: readonly number[]): never {
    const { file } = this;
    const name = this.names[places[0]!]!;
    const columns = `${places
      .slice(0, 4)
      .map((place) => place + 1)
      .join(" and ")}`;
    const ignore = this.#plan.wording.hint("ignore", [nameOfPlace(places.at(-1)!)]);
    throw new GaussflowError(
      "GAUSSFLOW_DATA",
      `${file}, line ${this.#line}: columns ${columns} have the same name, ${JSON.stringify(name.slice(0, 60))}; leave all but one out by place: ${ignore}`,
      { file, line: this.#line, column: name },
    );
  }
}

/** Settles the parts from the first rows of the table. */
export function settleRoles(beginning: TableBeginning, options: CsvPlan): TableRoles {
  const { next } = beginning;
  const given = beginning.first.map((cell) => cell.trim());
  const { header, note } = judgeHeader(given, next?.map((cell) => cell.trim()) ?? null, options);
  const notes = note === "" || options.encoding !== null ? [] : [note];
  // A delimiter at the end of each row of data, and none behind the header.
  if (header && next !== null && next.length === given.length + 1 && next.at(-1)?.trim() === "") given.push("");
  const names = given.map((cell, i) => (header && cell !== "" ? cell : nameOfPlace(i)));
  const nameless = header ? given.flatMap((cell, i) => (cell === "" ? [i] : [])) : [];
  const isBlank = (i: number) => next !== null && (next[i] ?? "").trim() === "";
  const plan = withChosen(new Columns(names, header, options, beginning), options);
  const columns = new Columns(names, header, plan, beginning);
  const ignored = columns.ignored();
  const blank = nameless.filter((i) => isBlank(i) && !ignored.has(i));
  const uses =
    plan.encoding === null ? trainingUses(columns, plan, new Set(blank), notes) : storedUses(columns, plan, notes);
  const used = new Set(uses.map(({ index }) => index));
  const left = plan.encoding === null ? blank.filter((i) => !used.has(i)) : [];
  const places = (list: readonly number[]) =>
    list.slice(0, 6).map(nameOfPlace).join(", ") + (list.length > 6 ? ", ..." : "");
  const named = nameless.filter((i) => used.has(i));
  if (left.length > 0) notes.push(`left out, without a name and without values: ${places(left)}`);
  if (named.length > 0) notes.push(`without a name in the header, and called by place: ${places(named)}`);
  return { header, names, uses, blank: left, notes };
}

/** The options with the columns that a caller chooses by name. */
function withChosen(columns: Columns, plan: CsvPlan): CsvPlan {
  if (plan.choose === null) return plan;
  const ignored = columns.ignored();
  return { ...plan, ...plan.choose(columns.names.map((name, i) => (ignored.has(i) ? "" : name))) };
}

function trainingUses(columns: Columns, plan: CsvPlan, blank: ReadonlySet<number>, notes: string[]): ColumnUse[] {
  const { names, file } = columns;
  const { wording } = plan;
  const taken = new Map<number, string>();
  const take = (option: string, reference: ColumnReference): number => {
    const index = columns.find(option, reference, (place) => taken.get(place) === "ignore");
    const before = taken.get(index);
    if (before !== undefined)
      throw argumentError(
        wording.name(option),
        `must not name a column that is already used (${before})`,
        names[index],
      );
    taken.set(index, option);
    return index;
  };
  for (const place of columns.ignored()) taken.set(place, "ignore");
  const single = (["weights", "exposure", "split", "group", "order"] as const).map((option) => {
    const reference = plan[option];
    return [option, reference === null ? null : take(option, reference)] as const;
  });
  const gradient = plan.gradient.map((reference) => take("gradient", reference));
  let targets = plan.target?.map((reference) => take("target", reference));
  for (const place of blank) if (!taken.has(place)) taken.set(place, "blank");
  if (targets === undefined) {
    const last = names.findLastIndex((_, i) => !taken.has(i));
    if (last < 0) throw new GaussflowError("GAUSSFLOW_DATA", `${file}: no column is left for the target`, { file });
    taken.set(last, "target");
    targets = [last];
    notes.push(`no target was named: the last column, ${JSON.stringify(names[last])}, is taken`);
  }
  const told = toldKinds(columns, plan, taken);
  const uses: ColumnUse[] = [];
  const add = (index: number, use: ColumnUse["use"], kind: ColumnUse["kind"]) =>
    uses.push({
      index,
      name: names[index]!,
      use,
      kind,
      stored: null,
      dates: use === "order" || told.get(index) === "dates",
      classes: use === "target" ? plan.classes : null,
    });
  for (let i = 0; i < names.length; i++) {
    const kind = told.get(i) ?? "undecided";
    if (!taken.has(i)) add(i, "input", kind === "dates" ? "numeric" : kind);
  }
  if (uses.length === 0)
    throw new GaussflowError(
      "GAUSSFLOW_DATA",
      `${file}: no column is left for the inputs${commentHint(names[0]!, wording) || columns.hint}`,
      { file, columns: names.length },
    );
  for (const index of targets)
    add(
      index,
      "target",
      targetKind(plan, targets.length > 1 || told.has(index) || plan.exposure !== null || gradient.length > 0),
    );
  const parts = { weights: "weight", exposure: "exposure", split: "split", group: "group", order: "order" } as const;
  for (const [option, index] of single)
    if (index !== null) add(index, parts[option], option === "split" || option === "group" ? "categorical" : "numeric");
  for (const index of gradient) add(index, "gradient", "numeric");
  noteRates(uses, notes);
  checkNames(columns, uses);
  return uses;
}

function noteRates(uses: readonly ColumnUse[], notes: string[]): void {
  const exposure = uses.find(({ use }) => use === "exposure");
  if (exposure !== undefined)
    notes.push(
      `targets are rates: counts by the exposure in column ${JSON.stringify(exposure.name)}, which weighs the rows`,
    );
}

/** What the options say that single columns hold. @param taken the option that uses a column */
function toldKinds(columns: Columns, plan: CsvPlan, taken: ReadonlyMap<number, string>) {
  const { names } = columns;
  const { wording } = plan;
  const told = new Map<number, "numeric" | "categorical" | "dates">();
  for (const kind of ["numeric", "categorical", "dates"] as const)
    for (const reference of plan[kind]) {
      const index = columns.find(kind, reference, (place) => taken.get(place) === "ignore");
      const use = told.get(index) ?? taken.get(index);
      const may = use === kind || (kind !== "categorical" && use === "target") || (kind === "dates" && use === "order");
      if (use === "target" && kind === "categorical")
        throw argumentError(
          wording.name(kind),
          `must not name the target: ${wording.hint("task", "classification")} makes classes of its values`,
          names[index],
        );
      if (use !== undefined && !may)
        throw argumentError(wording.name(kind), `must not name a column that is already used (${use})`, names[index]);
      if (use === "target" && plan.task === "classification")
        throw argumentError(wording.name(kind), "must not name the target of a classification", names[index]);
      told.set(index, kind);
    }
  return told;
}

/** @param numbers the options say that it is a column of numbers */
function targetKind({ task }: CsvPlan, numbers: boolean): ColumnUse["kind"] {
  if (task === "classification") return "categorical";
  return task === "regression" || numbers ? "numeric" : "undecided";
}

/** Names of used columns are those of inputs and targets, so no two may be equal. */
function checkNames(columns: Columns, uses: readonly ColumnUse[]): void {
  const seen = new Map<string, number>();
  for (const { name, index } of uses) {
    const before = seen.get(name);
    if (before !== undefined) columns.refuseTwice([before, index].sort((a, b) => a - b));
    seen.set(name, index);
  }
}

function storedUses(columns: Columns, plan: CsvPlan, notes: string[]): ColumnUse[] {
  const encoding = plan.encoding!;
  const ignored = columns.ignored();
  const find = (option: string, reference: ColumnReference) =>
    columns.find(option, reference, (place) => ignored.has(place));
  const dates = new Set(plan.dates);
  const use = (index: number, name: string, part: ColumnUse["use"], stored: InputColumn | null): ColumnUse => {
    const classes = part === "target" ? (encoding.classes ?? null) : null;
    const kind = part === "split" || classes !== null ? "categorical" : (stored?.kind ?? "numeric");
    return { index, name, use: part, kind, stored, dates: dates.has(name) || dates.has(index), classes };
  };
  const uses = encoding.columns.map((stored) =>
    use(find("needed by the model", stored.name), stored.name, "input", stored),
  );
  const there = encoding.targets.filter((name) => columns.has(name));
  const { weights, exposure } = encoding;
  const exposed = exposure === undefined || columns.has(exposure);
  const all = there.length === encoding.targets.length && there.length > 0 && exposed;
  if (plan.targets === "require" || (plan.targets === "auto" && all))
    for (const name of encoding.targets) uses.push(use(find("a target of the model", name), name, "target", null));
  else if (plan.targets === "auto" && there.length > 0)
    notes.push(
      exposed
        ? `the table has only some of the targets (${there.join(", ")}): none is read`
        : `the table has no exposures (column ${JSON.stringify(exposure)}) for the counts of its targets: none is read`,
    );
  if (weights !== null && columns.has(weights) && uses.some((one) => one.use === "target"))
    uses.push(use(find("the model's weights", weights), weights, "weight", null));
  // Without it the targets would be counts, and the predictions rates.
  if (exposure !== undefined && (columns.has(exposure) || uses.some((one) => one.use === "target")))
    uses.push(use(find("the model's exposure", exposure), exposure, "exposure", null));
  if (plan.split !== null) {
    const index = find("split", plan.split);
    const before = uses.find((one) => one.index === index);
    if (before !== undefined)
      throw argumentError(
        plan.wording.name("split"),
        `must not name a column that is already used (${before.use})`,
        before.name,
      );
    uses.push(use(index, columns.names[index]!, "split", null));
  }
  return uses;
}
