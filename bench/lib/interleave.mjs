// Runs two functions in turn, each once without counting, and returns the median time of each, so that a slow phase of the machine slows
// both. The order alternates, so that neither always inherits the other's warm caches. Called by the cases in bench/cases; in
// bench/compare.mjs lib/alone/turns.mjs replaces it.
import { median, scatter } from "./statistics.mjs";

export { timed } from "./timed.mjs";

/**
 * `ours` and `baseline` are async functions that do one run and return its seconds.
 * `warmRuns` = so many uncounted ones of ours, and one of the baseline, first.
 */
export async function interleave({ ours, baseline, runs, warmRuns = 1 }) {
  const seconds = { ours: [], baseline: [] };
  if (warmRuns > 0) await baseline();
  for (let run = 0; run < warmRuns; run++) await ours();
  for (let run = 0; run < runs; run++) {
    const order = run % 2 === 0 ? ["baseline", "ours"] : ["ours", "baseline"];
    for (const name of order) seconds[name].push(await (name === "ours" ? ours() : baseline()));
  }
  return {
    ours: median(seconds.ours),
    baseline: median(seconds.baseline),
    scatter: Math.max(scatter(seconds.ours), scatter(seconds.baseline)),
    runs,
  };
}
