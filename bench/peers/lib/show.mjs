// Formats the comparison with other programs as text or as markdown for docs/benchmarks.md. Called by bench/peers/run.mjs for the common
// case; uci-comparison.mjs uses layOut for its own table.
import { fastest } from "./compare.mjs";

const power = (level) => level.toExponential();
const short = (seconds) => (seconds < 10 ? seconds.toFixed(2) : seconds.toFixed(1));
const small = (loss) => (loss === null ? "-" : loss.toExponential(2));

function cell({ seconds, count, ratio }) {
  if (seconds === null) return "-";
  const beside = ratio === null ? "" : `, ${ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(0)}x`;
  return `${short(seconds)} s (${count})${beside}`;
}

const last = ({ lowest, lowestAt }) => (lowest === null ? "-" : `${small(lowest)} (${short(lowestAt)} s)`);
const peak = ({ peakMegabytes }) => (peakMegabytes === null ? "-" : `${peakMegabytes.toFixed(0)}`);

const rowOf = (row) => [row.title, ...row.levels.map(cell), last(row), peak(row)];
const titles = (levels) => ["peer", ...levels.map((level) => `<= ${power(level)}`), "lowest (at)", "peak MB"];

/** Rows of cells, titles first, in columns or as a markdown table. */
export function layOut(cells, markdown) {
  if (markdown) {
    const [titleRow, ...rows] = cells;
    return [titleRow, titleRow.map(() => "---"), ...rows].map((line) => `| ${line.join(" | ")} |`).join("\n");
  }
  const widths = cells[0].map((_, k) => Math.max(...cells.map((line) => line[k].length)));
  const text = (line) => line.map((cellText, k) => cellText.padEnd(widths[k])).join("  ");
  return cells.map((line) => text(line).trimEnd()).join("\n");
}

export function peersTable(rows, levels, markdown) {
  return layOut([titles(levels), ...rows.map(rowOf)], markdown);
}

/** One sentence a level: the best peer of any kind and the best of the Gauss-Newton kind against ours. */
export function summaryLines(ours, all, levels) {
  const others = all.filter(({ family }) => family !== "own");
  return levels.map((level, k) => {
    const own = ours.levels[k].seconds;
    const say = (kind, row) => {
      if (row === null) return `${kind}: none seen to reach it`;
      const ratio = own === null ? "" : `, ${(row.levels[k].seconds / own).toFixed(2)}x our time`;
      return `${kind}: ${row.id} ${short(row.levels[k].seconds)} s${ratio}`;
    };
    const kin = others.filter(({ family }) => family === "gauss-newton");
    const self = own === null ? "not reached" : `${short(own)} s`;
    return `${power(level)}: gaussflow ${self}; ${say("best peer", fastest(others, k))}; ${say("best Gauss-Newton-type peer", fastest(kin, k))}`;
  });
}
