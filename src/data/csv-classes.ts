// Judges a target column of texts, and says in one line that it is a classification. read-csv.ts and convert-csv.ts call it once they know
// all classes of the column.
import type { GaussflowError } from "../errors.js";
import { listed } from "../suggest.js";
import type { ColumnUse } from "./csv-roles.js";
import type { Wording } from "./csv-wording.js";

/** Texts of a column beyond this number, and beyond half the rows, are names or identifiers. */
const FEW_TEXTS = 10;

/** Fewer rows than these say nothing of how many values a target takes. */
const ROWS_FOR_VALUES = 10;

/** A hint for a numeric target of exactly two values, which people may mean as classes: one sentence, or none for any other. */
export function twoValuesNote({ name, kind }: ColumnUse, values: Float64Array, { hint }: Wording): string[] {
  if (kind !== "undecided" || values.length < ROWS_FOR_VALUES) return [];
  const seen = new Set<number>();
  for (const value of values) {
    seen.add(value);
    if (seen.size > 2) return [];
  }
  if (seen.size < 2) return [];
  const [low, high] = [...seen].sort((a, b) => a - b);
  return [
    `target ${JSON.stringify(name)} takes the values ${low} and ${high} alone, and is read as a number; ${hint("task", "classification")} makes two classes of them`,
  ];
}

/** True where a column has as many different texts as a name or an identifier. */
export function areManyTexts(texts: number, rows: number): boolean {
  return texts > Math.max(FEW_TEXTS, rows / 2);
}

/**
 * The classes of a target whose classes are those in the table.
 * @param errorOf makes the error from the message, which begins with the place
 * @throws that error for a single class, and where nothing but the texts says that they are classes and they look like names
 */
export function checkFoundClasses(
  { name, kind }: ColumnUse,
  classes: readonly string[],
  rows: number,
  { hint }: Wording,
  errorOf: (message: string) => GaussflowError,
): readonly string[] {
  const place = `, column ${JSON.stringify(name.slice(0, 60))}`;
  if (classes.length === 1)
    throw errorOf(
      `${place}: has the one class ${JSON.stringify(classes[0]!.slice(0, 40))} in ${rows === 1 ? "its only row" : `all ${rows} rows`}, which leaves nothing to tell apart; take another target (${hint("target", "COLUMN")}), or name all classes that can occur (${hint("classes", [classes[0]!, "OTHER"])})`,
    );
  if (kind === "undecided" && areManyTexts(classes.length, rows))
    throw errorOf(
      `${place}: is the target, and has ${classes.length} different texts in ${rows} rows, like a name or an identifier; take another target (${hint("target", "COLUMN")}), or declare them classes (${hint("task", "classification")})`,
    );
  return classes;
}

/** "target "species" holds texts: a classification with 3 classes, Adelie (152 rows), ...". */
export function classNote(
  { name, kind }: ColumnUse,
  classes: readonly string[],
  counts: readonly number[],
  { hint }: Wording,
): string {
  const booleans = classes.length === 2 && classes[0] === "false" && classes[1] === "true";
  const why = kind !== "undecided" ? "" : booleans ? " holds booleans" : " holds texts";
  const sizes = classes.map((one, k) => `${one} (${counts[k]} ${counts[k] === 1 ? "row" : "rows"})`);
  const otherwise = booleans && why !== "" ? `; ${hint("task", "regression")} reads them as 0 and 1` : "";
  return `target ${JSON.stringify(name)}${why}: a classification with ${classes.length} classes, ${listed(sizes)}${otherwise}`;
}
