// Jobs for the scenes of trainMany. Everything of a table that must cross: names, weights, categories, filled-in values, a split.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const gaussflow = await import(process.env.GAUSSFLOW_LIBRARY);
const { dataset, gaussNewton, levenbergMarquardt, network, readCsv, restarts, squaredError } = gaussflow;

export const folder = mkdtempSync(join(tmpdir(), "gaussflow-many-"));

/** n rows of two inputs; deterministic. */
export function rows(n) {
  return Array.from({ length: n }, (_, i) => [Math.sin(i), Math.cos(3 * i), Math.sin(i) * Math.cos(5 * i)]);
}

export const plain = dataset({
  inputs: rows(80).map((row) => row.slice(0, 2)),
  targets: rows(80).map((row) => row[2]),
});

export async function table() {
  const path = join(folder, "table.csv");
  const lines = rows(90).map(
    ([a, b, y], i) => `${i % 7 === 0 ? "" : a},${["red", "green", "blue"][i % 3]},${1 + (i % 4)},${y + b}`,
  );
  writeFileSync(path, `a,color,w,y\n${lines.join("\n")}\n`);
  return readCsv(path, { target: ["y"], weights: "w", missing: "mean" });
}

/** Jobs of every kind that can cross to a thread. */
export async function variedJobs(backend) {
  const stop = { iterations: 15 };
  const read = await table();
  const base = { network: network({ layers: [2, 6, 1], seed: 2 }), data: plain, options: { stop, backend } };
  return [
    ...restarts(base, 3),
    { ...base, network: network({ layers: [read.inputSize, 4, 1], activation: "silu" }), data: read },
    { ...base, options: { ...base.options, method: gaussNewton(), validation: plain } },
    { ...base, options: { ...base.options, method: levenbergMarquardt({ scaling: "identity" }), route: "dual" } },
    { ...base, options: { ...base.options, loss: squaredError({ decay: 0.1 }), standardize: false, condition: true } },
    {
      ...base,
      network: network({ layers: [2, 3, 1], centered: true, outputScale: 2 }),
      options: { ...base.options, validation: false },
    },
    {
      ...base,
      data: { inputs: plain.inputs, targets: plain.targets, inputSize: 2, weights: plain.targets.map((y) => y * y) },
    },
  ];
}

/** A result without what the clock and the number of threads put in. */
export function timeless({ records, chosen, details, seconds, threads, plan, network: kept, ...rest }) {
  const { seconds: _own, ...summary } = kept.summary;
  return {
    ...rest,
    network: { ...kept, summary },
    records: records.map(({ elapsed, seconds: phases, ...record }) => record),
    route: plan.route,
  };
}
