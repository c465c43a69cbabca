// Trainings and flows that must not depend on the number of ranks: node runs.mjs LIBRARY FOLDER [NAME...], alone or by mpirun. Rank 0 prints a line of
// JSON for each: a digest of parameters, records and checkpoint, without the clock. test/cluster/train.test.ts and scripts/check/mpi.mjs compare them.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const [library, folder, ...wanted] = process.argv.slice(2);
const face = await import(library);
const { unpackRecords } = await import(join(dirname(library), "packed-records.js"));
const { dataset, flow, huber, levenbergMarquardt, logistic, mpi, network, openDataFile, train } = face;
const cluster = await mpi();

/** n rows of d inputs and one target, a few of them far off, with weights of 0, 0.5 and 2 where they are wanted. */
function rows(n, d, seed, weighted = false) {
  const random = new face.Random(seed, 7);
  const inputs = Array.from({ length: n }, () => Array.from({ length: d }, () => 2 * random.uniform() - 1));
  const targets = inputs.map((row, i) => [
    Math.sin(2 * row[0] + row[1]) + 0.05 * random.normal() + (i % 17 === 0 ? 3 : 0),
  ]);
  const weights = weighted ? inputs.map((_, i) => [0.5, 2, 0][i % 3]) : undefined;
  return { inputs, targets, weights };
}

const stop = { iterations: 8, patience: 100, gradient: 0, step: 0, reduction: 0 };
const exact = levenbergMarquardt({ precision: "double", curvatureSamples: "all" });
const common = { slots: 4, threads: 1, backend: "native", stop, cluster };
const net = network({ layers: [4, 9, 1], seed: 3 });
const large = network({ layers: [4, 24, 24, 1], seed: 3 });
const table = dataset(rows(403, 4, 1));
/** Two columns that hardly differ: the Gram matrix has too few digits. */
const alike = dataset({
  inputs: rows(203, 1, 7).inputs.map(([x]) => [x, x + 1e-6 * x * x]),
  targets: rows(203, 1, 7).inputs.map(([x]) => [Math.sin(3 * x)]),
});
const checkpoint = (name) => ({ path: join(folder, `${name}-${cluster.size}.json`), every: 3 });

/** By name: what runs, given its checkpoint. */
const RUNS = {
  primal: (more) => train(net, table, { ...common, ...more, method: exact, validation: false }),
  "matrix-free": (more) => train(net, table, { ...common, ...more, route: "matrix-free" }),
  "default method, 700 parameters": (more) => train(large, dataset(rows(2003, 4, 2)), { ...common, ...more }),
  "weights and validation rows": (more) =>
    train(net, dataset(rows(403, 4, 3, true)), { ...common, ...more, validation: dataset(rows(101, 4, 4)) }),
  "huber that finds its delta, with decay": (more) =>
    train(net, table, { ...common, ...more, loss: huber({ decay: 1 }) }),
  logistic: (more) => {
    const { inputs, targets } = rows(403, 4, 5);
    const answers = dataset({ inputs, targets: targets.map(([y]) => [y > 0.1 ? 1 : 0]) });
    return train(net, answers, { ...common, ...more, loss: logistic({ decay: 1 }) });
  },
  "data file": (more) => train(net, openDataFile(file), { ...common, ...more, validation: table }),
  flow: (more) => flow(net, table, { ...common, stop: undefined, ...more, damping: 0.3, until: 0.4 }),
  "flow by the triangle": (more) =>
    flow(net, table, { ...common, stop: undefined, ...more, route: "orthogonal", damping: 0.3, until: 0.3 }),
  "flow that turns to the triangle": (more) =>
    flow(network({ layers: [2, 1], seed: 1 }), alike, { ...common, stop: undefined, ...more, until: 0.1 }),
  "flow, errors of the parameters": (more) =>
    flow(net, table, {
      ...common,
      stop: undefined,
      ...more,
      damping: 0.5,
      until: 0.1,
      integrator: face.dormandPrince({ norm: "parameters" }),
    }),
};

function timeless(records) {
  return [...records].map(({ elapsed: _, seconds: __, ...record }) => record);
}

function digest(result, path) {
  const hash = createHash("sha256");
  for (const one of [result.network, result.last]) hash.update(new Uint8Array(one.parameters.buffer));
  hash.update(JSON.stringify([timeless(result.records), result.network.scaling, result.reason]));
  if (cluster.rank > 0) return { parts: hash.digest("hex"), file: null };
  const { body } = JSON.parse(readFileSync(path, "utf8"));
  const { records: _, recordForms: __, recordTexts: ___, elapsed: ____, numbers, ...rest } = body;
  // Of a flow the last of the numbers is its seconds.
  const exact = numbers === undefined ? null : Buffer.from(numbers, "base64").subarray(0, 56).toString("hex");
  const written = createHash("sha256").update(JSON.stringify([rest, exact, timeless(unpackRecords(body, "records"))]));
  return { parts: hash.digest("hex"), file: written.digest("hex") };
}

const file = join(folder, "rows.gfd");
if (cluster.rank === 0 && !existsSync(file)) {
  const { inputs, targets } = rows(1203, 4, 6);
  const named = { featureNames: ["a", "b", "c", "d"], targetNames: ["y"] };
  await face.writeDataFile(
    file,
    named,
    inputs.map((row, i) => [...row, ...targets[i]]),
  );
}
await cluster.barrier();
for (const [name, run] of Object.entries(RUNS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const kept = checkpoint(name.replaceAll(/\W+/g, "-"));
  const result = await run({ checkpoint: kept });
  await cluster.barrier();
  const { parts, file: written } = digest(result, kept.path);
  const own = Float64Array.of(Number.parseInt(parts.slice(0, 12), 16));
  const alike = (await cluster.gather(own)).every(([one]) => one === own[0]);
  const line = {
    name,
    parts,
    written,
    alike,
    ranks: result.ranks,
    reason: result.reason.code,
    records: result.records.length,
  };
  if (cluster.rank === 0) process.stdout.write(`${JSON.stringify(line)}\n`);
}
await cluster.close();
