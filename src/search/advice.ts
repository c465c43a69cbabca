// Leaves out the advice after a training that a search has answered: fit-table.ts and the end of gaussflow train call it.
import type { Advice, AdviceCode } from "../train/advice.js";
import type { TableSearch } from "./search.js";

/** Advice about sizes, weight decay and a cross-validation: held-out rows have decided on them. */
const SETTLED: readonly AdviceCode[] = ["overfitting", "few-rows", "decay"];

/** The advice that remains after a search; all of it where nothing was compared. */
export function remainingAdvice(advice: readonly Advice[], search: TableSearch | null): readonly Advice[] {
  if (search === null || search.tried.length === 0) return advice;
  return advice.filter(({ code }) => !SETTLED.includes(code));
}
