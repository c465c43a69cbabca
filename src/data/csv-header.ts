// Decides whether the first row of a table is a header, and names the columns. csv-roles.ts calls it once, when the first records are
// known.

import type { CsvPlan } from "./check-csv-options.js";
import { parseNumber } from "./csv-number.js";

export interface Heading {
  readonly header: boolean;
  /** What was guessed, or "". */
  readonly note: string;
}

/** True for a text that is no number and does not stand for a missing value. */
function isText(cell: string, plan: CsvPlan): boolean {
  if (!Number.isNaN(parseNumber(cell, plan))) return false;
  return cell !== "" && !plan.missingValues.some((text) => text.toLowerCase() === cell.toLowerCase());
}

/** Years in rising or falling order, two at least. */
function areYears(cells: readonly string[]): boolean {
  const years = cells.map((cell) => (/^(1[5-9]|2[0-9])\d\d$/.test(cell) ? Number(cell) : Number.NaN));
  const rising = years.every((year, i) => i === 0 || year > years[i - 1]!);
  const falling = years.every((year, i) => i === 0 || year < years[i - 1]!);
  return years.length > 1 && !years.some(Number.isNaN) && (rising || falling);
}

/**
 * Judges the first row by the options and by the first row of data that would follow it.
 * @param next null for a table of one row
 */
export function judgeHeader(first: readonly string[], next: readonly string[] | null, plan: CsvPlan): Heading {
  if (plan.header !== null) return { header: plan.header, note: "" };
  const { wording } = plan;
  const named = [plan.target ?? [], plan.ignore, plan.categorical, plan.numeric, plan.dates].flat();
  for (const one of [plan.weights, plan.exposure, plan.split, plan.group, plan.order])
    if (one !== null) named.push(one);
  const cells = new Set(first);
  if (named.some((name) => typeof name === "string" && cells.has(name))) return { header: true, note: "" };
  const numbers = first.filter((cell) => !Number.isNaN(parseNumber(cell, plan)));
  if (numbers.length === 0) return { header: true, note: "" };
  const isNumber = (i: number) => next !== null && !Number.isNaN(parseNumber(next[i] ?? "", plan));
  const texts = first.filter((cell, i) => isText(cell, plan) && isNumber(i));
  const asData = `${wording.hint("header", false)} reads it as data`;
  if (texts.length > 0)
    return {
      header: true,
      note: `the first row was taken as a header, because it has a text over a number (${JSON.stringify(texts[0]!.slice(0, 40))}); ${asData}`,
    };
  if (next !== null && numbers.length === first.length && areYears(first) && !areYears(next))
    return { header: true, note: `the first row was taken as a header, because it is a run of years; ${asData}` };
  const names = `the columns are called "column 1", "column 2", ...`;
  const asNames = `${wording.hint("header", true)} reads it as names`;
  return { header: false, note: `the first row was taken as data, because it holds numbers: ${names}; ${asNames}` };
}

/** What a column without a name is called, by its place from 0. */
export function nameOfPlace(place: number): string {
  return `column ${place + 1}`;
}

/** The place that such a name means, or null. */
export function placeOfName(name: string, count: number): number | null {
  const found = /^column ([1-9]\d{0,8})$/.exec(name);
  const place = found === null ? -1 : Number(found[1]) - 1;
  return place >= 0 && place < count ? place : null;
}
