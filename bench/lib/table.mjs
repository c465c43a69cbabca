// Formats one result of `npm run bench` as a row of a table or, with --json, as an object. bench/run.mjs calls it once for each case.

const seconds = (value) =>
  value === null ? "-" : value < 0.1 ? `${(value * 1e3).toFixed(2)} ms` : `${value.toFixed(3)} s`;
const rate = (flops, value) => (flops && value ? `${(flops / value / 1e9).toFixed(1)}` : "-");

const columns = [
  ["case", 30],
  ["ours", 11],
  ["GF/s", 7],
  ["baseline", 11],
  ["GF/s", 7],
  ["ratio", 7],
  ["runs", 5],
  ["scatter", 8],
];

const row = (cells) =>
  cells.map((cell, i) => (i === 0 ? cell.padEnd(columns[i][1]) : cell.padStart(columns[i][1]))).join(" ");

export function header() {
  const titles = row(columns.map(([title]) => title));
  return `${titles}\n${"-".repeat(titles.length)}`;
}

export function describeResult(name, result) {
  const ratio = result.baseline ? result.ours / result.baseline : null;
  const lines = [
    row([
      name,
      seconds(result.ours),
      rate(result.flops, result.ours),
      seconds(result.baseline),
      rate(result.flops, result.baseline),
      ratio === null ? "-" : ratio.toFixed(3),
      String(result.runs),
      result.scatter === undefined ? "-" : `${(result.scatter * 100).toFixed(0)}%`,
    ]),
  ];
  if (result.baselineName) lines.push(`    baseline: ${result.baselineName}`);
  if (result.peakMegabytes)
    lines.push(`    peak memory (VmHWM) ${result.peakMegabytes.toFixed(1)} MB, limit ${result.limitMegabytes} MB`);
  if (result.peakOfLinearizeMegabytes)
    lines.push(`    of which before the first solve ${result.peakOfLinearizeMegabytes.toFixed(1)} MB`);
  for (const note of result.notes ?? []) lines.push(`    ${note}`);
  return lines.join("\n");
}

/** The object that --json prints, one a line. */
export function jsonResult(name, result, threads, quick) {
  const { ours, baseline, baselineName, runs, flops, notes, ...rest } = result;
  const ratio = baseline ? ours / baseline : null;
  const gflops = flops ? { gflops: flops / ours / 1e9, baselineGflops: baseline ? flops / baseline / 1e9 : null } : {};
  return { name, ours, baseline, baselineName, ratio, threads, runs, ...gflops, ...rest, ...(quick ? { quick } : {}) };
}
