// Computes the figures of the comparison on the UCI sets, for uci-comparison.mjs. The level of a set and start is 1.05 times the median
// over the peers of their lowest loss there; the figures are the share of starts from which a program reaches the level, and the ratio of
// its time to that of gaussflow where both reach it.
import { median } from "../../lib/statistics.mjs";
import { lowest, reach } from "./protocol.mjs";

/** Standardized targets have variance 1: a mean square below this is an exact fit, and which rounding error is smaller says nothing. */
const EXACT_FIT = 1e-12;

/** The level from the lowest losses of the peers (null: the peer failed); null where all failed. */
export function levelFrom(losses) {
  const known = losses.filter((loss) => loss !== null);
  return known.length === 0 ? null : Math.max(1.05 * median(known), EXACT_FIT);
}

/**
 * `runs`: one entry a set and start, { set, losses: Map(id -> recorded losses) }; `own`: the id that is no peer. Returns one row a set and program:
 * { set, id, starts, reached, seconds (median where reached), ratio (median over the starts where both reach the level), medianLowest }.
 */
export function shares(runs, ids, own) {
  const rows = [];
  for (const set of new Set(runs.map((run) => run.set))) {
    const here = runs
      .filter((run) => run.set === set)
      .map(({ losses }) => {
        const bests = ids.filter((id) => id !== own).map((id) => lowest(losses.get(id))?.loss ?? null);
        const level = levelFrom(bests);
        const times = ids.map((id) => (level === null ? null : (reach(losses.get(id), level)?.seconds ?? null)));
        return { times, bests: ids.map((id) => lowest(losses.get(id))?.loss ?? Infinity) };
      });
    ids.forEach((id, k) => {
      const times = here.map(({ times }) => times[k]).filter((time) => time !== null);
      const ratios = here.filter(({ times }) => times[k] !== null && times[ids.indexOf(own)] !== null);
      rows.push({
        set,
        id,
        starts: here.length,
        reached: times.length,
        seconds: times.length > 0 ? median(times) : null,
        ratio: ratios.length > 0 ? median(ratios.map(({ times }) => times[k] / times[ids.indexOf(own)])) : null,
        medianLowest: median(here.map(({ bests }) => bests[k])),
      });
    });
  }
  return rows;
}
