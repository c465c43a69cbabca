// Formats numbers for cells of the report's tables (data-table.ts, experiment-section.ts).
import { formatNumber } from "../numbers.js";

/** Whole numbers as they are (a seed is a name, not a quantity), others in `digits` significant digits. */
export function numberText(value: number | null | undefined, digits = 4): string {
  return Number.isSafeInteger(value) ? String(value) : formatNumber(value, digits);
}
