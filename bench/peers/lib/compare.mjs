// Computes the figures that are shown from the runs of all peers on one problem: seconds to each level, ratios and the fastest. A level
// that a run does not reach counts as infinitely long. bench/peers/run.mjs calls summarize after the last round, and show.mjs calls
// fastest.
import { median } from "../../lib/statistics.mjs";
import { lowest, reach } from "./protocol.mjs";

/** Median seconds to each level: { level, seconds (null: not reached in at least half of the runs), count (of the first run), runs }. */
export function secondsToLevels(runs, levels) {
  return levels.map((level) => {
    const first = reach(runs[0].losses, level);
    // Later runs stop at the lowest level that the first one reached: below it there is nothing more to learn from them.
    const times = first === null ? [] : runs.map(({ losses }) => reach(losses, level)?.seconds ?? Infinity);
    const seconds = times.length === 0 ? Infinity : median(times);
    return {
      level,
      seconds: Number.isFinite(seconds) ? seconds : null,
      count: first?.count ?? null,
      runs: times.length,
    };
  });
}

/** What one peer showed on one problem; `ours` is the same of gaussflow (or null while that is made itself). */
export function summarize({ id, title, family }, runs, levels, ours) {
  const reached = secondsToLevels(runs, levels).map((entry, k) => {
    const own = ours?.levels[k].seconds;
    return { ...entry, ratio: own && entry.seconds !== null ? entry.seconds / own : null };
  });
  const best = lowest(runs[0].losses);
  return {
    id,
    title,
    family: family ?? null,
    version: runs[0].version,
    runs: runs.length,
    levels: reached,
    lowest: best?.loss ?? null,
    lowestAt: best?.seconds ?? null,
    end: runs[0].end,
    peakMegabytes: Math.max(...runs.map(({ peakMegabytes }) => peakMegabytes ?? 0)) || null,
    failure: runs.find(({ failure }) => failure !== null)?.failure ?? null,
  };
}

/** The fastest of `rows` to level number `k`, or null where none reaches it. */
export function fastest(rows, k) {
  const there = rows.filter(({ levels }) => levels[k].seconds !== null);
  return there.length === 0 ? null : there.reduce((a, b) => (b.levels[k].seconds < a.levels[k].seconds ? b : a));
}
