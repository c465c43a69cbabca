// npm run bench:costs [-- --write]: measures the rates that the planner works with, and prints the cost table; --write puts it in its
// place, src/linearise/cost-table.ts. Seconds are those of the processor, so that a busy machine gives nearly the same table: on one thread
// they are the seconds of the clock of an idle machine. What a second thread adds comes from the processor's seconds of both (2 where it
// costs nothing to share the work). Best of several short runs each.
import { fork } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { iterationWork } from "../dist/linearise/workload.js";
import { parseOptions } from "./lib/options.mjs";
import { engineFor, mustSucceed, problem } from "./lib/problem.mjs";

const place = new URL("../src/linearise/cost-table.ts", import.meta.url);
const usage = `usage: npm run bench:costs [-- options]
  --write   put the table into src/linearise/cost-table.ts
  --runs N  runs of each case (default 5)`;

const net = (width, d = 8, c = 1) => [d, width, width, c];

/** Shapes by operation: layers, samples, and how the engine is asked. */
const CASES = {
  native: {
    passes: [3, 8, 16, 32, 64, 128, 256, 512].map((w) => [
      net(w),
      w < 64 ? 4096 : w < 256 ? 2048 : 512,
      "primal-passes",
    ]),
    gram: [2, 4, 8, 16, 32, 64].map((w) => [net(w), w < 32 ? 5000 : w < 64 ? 3000 : 1000, "primal"]),
    kernel: [4, 16, 64, 256, 1024].map((w) => [net(w), 800, "dual"]),
    cholesky: [20, 60, 200, 500, 1000, 2000, 3500].map((n) => [net(Math.max(4, n / 20)), n, "dual-solve"]),
    triangle: [2, 8, 16, 24, 32].map((w) => [net(w), w < 24 ? 2000 : 1500, "orthogonal"]),
    product: [3, 8, 32, 128, 512].map((w) => [net(w), w < 128 ? 4096 : 512, "product"]),
  },
  typescript: {
    passes: [3, 8, 32, 128].map((w) => [net(w), w < 32 ? 2000 : 256, "primal-passes"]),
    gram: [2, 8, 16, 24].map((w) => [net(w), w < 16 ? 2000 : 500, "primal"]),
    kernel: [4, 16, 64].map((w) => [net(w), 300, "dual"]),
    cholesky: [20, 60, 200, 500, 1000].map((n) => [net(Math.max(4, n / 20)), n, "dual-solve"]),
    triangle: [2, 8, 12].map((w) => [net(w), 400, "orthogonal"]),
    product: [3, 8, 32, 128].map((w) => [net(w), w < 32 ? 2000 : 256, "product"]),
  },
};

/** Processor seconds of all threads. */
const seconds = async (action) => {
  const start = process.cpuUsage();
  await action();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
};

/** Best of `runs` of every operation that a case shows: { operation: [flops, seconds, size] }. */
async function measure(engine, made, kind, sampleCount, runs) {
  const { architecture, parameters } = made;
  const route = kind.startsWith("dual") ? "dual" : kind === "orthogonal" ? "orthogonal" : "primal";
  const work = Object.fromEntries(
    [
      ...iterationWork(route, architecture, sampleCount),
      ...iterationWork("matrix-free", architecture, sampleCount),
    ].map((entry) => [entry.operation, entry]),
  );
  const best = {};
  const note = (operation, value) => {
    const { flops, size } = work[operation];
    if (!(best[operation]?.[1] <= value)) best[operation] = [flops, value, size];
  };
  const vector = parameters.slice();
  for (let run = 0; run < runs; run++) {
    if (kind === "primal-passes") {
      const request = { curvature: "none", decay: 0, scaling: null };
      note("passes", await seconds(async () => mustSucceed(await engine.linearise(parameters, request))));
      note("forward", await seconds(async () => mustSucceed(await engine.evaluate(parameters))));
      continue;
    }
    if (kind === "product") {
      // The first product after a linearisation makes the panels, of many: it is not counted.
      mustSucceed(await engine.linearise(parameters, { curvature: "matrix-free", decay: 0, scaling: null }));
      await engine.curvatureProduct(vector);
      const once = await seconds(() => engine.curvatureProduct(vector));
      const { flops, size, calls } = work.product;
      if (!(best.product?.[1] <= once)) best.product = [flops / calls, once, size];
      continue;
    }
    // The curvature is what a linearisation takes beyond its passes.
    const passes = await seconds(async () =>
      mustSucceed(await engine.linearise(parameters, { curvature: "none", decay: 0, scaling: null })),
    );
    const both = await seconds(async () =>
      mustSucceed(await engine.linearise(parameters, { curvature: route, decay: 0, scaling: null })),
    );
    const curvature = { primal: "gram", dual: "kernel", orthogonal: "triangle" }[route];
    note(curvature, Math.max(both - passes, both / 10));
    const solved = await seconds(async () => mustSucceed(await engine.solve({ damping: 1, decay: 0, scaling: null })));
    note(kind === "orthogonal" ? "fold" : "cholesky", solved);
  }
  return best;
}

async function table(engineName, runs) {
  const kind = engineName === "native" ? "native" : "reference";
  const rates = {};
  const gains = {};
  for (const [name, cases] of Object.entries(CASES[engineName])) {
    for (const [layers, sampleCount, how] of cases) {
      const made = problem(layers, sampleCount);
      const results = [];
      for (const threads of engineName === "native" ? [1, 2] : [1]) {
        const engine = await engineFor(kind, made, threads);
        await measure(engine, made, how, sampleCount, 1);
        results.push(await measure(engine, made, how, sampleCount, runs));
        engine.dispose();
      }
      const wanted = { passes: ["passes", "forward"], triangle: ["triangle", "fold"] }[name] ?? [name];
      for (const operation of wanted) {
        const [flops, time, size] = results[0][operation];
        rates[operation] = [...(rates[operation] ?? []), [size, flops / time / 1e9]];
        if (results[1]) gains[operation] = [...(gains[operation] ?? []), (2 * time) / results[1][operation][1] - 1];
        console.error(`${engineName} ${operation} ${size.toFixed(0)}: ${(flops / time / 1e9).toFixed(2)} GF/s`);
      }
    }
  }
  const tiny = problem([1, 1, 1], 2);
  const engine = await engineFor(kind, tiny, 1);
  const wall = [];
  for (let i = 0; i < 300; i++) {
    const start = performance.now();
    await engine.evaluate(tiny.parameters);
    wall.push((performance.now() - start) / 1000);
  }
  engine.dispose();
  return { callSeconds: [...wall].sort((a, b) => a - b)[30], operations: { rates, gains } };
}

const middle = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const short = (value, digits = 3) => Number(value.toPrecision(digits));

/** A process that only loads the library and trains a network of a few parameters: its bytes, the seconds of an iteration. */
function trivial(backend) {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL("lib/plan-process.mjs", import.meta.url)), [
      JSON.stringify({ layers: [1, 2, 1], sampleCount: 50, backend, threads: 1, iterations: 60 }),
    ]);
    child.on("message", ({ peak, cpuSeconds }) => resolve({ bytes: peak, iteration: cpuSeconds }));
    child.on("error", reject);
  });
}

function source(tables) {
  const operations = ({ rates, gains }) =>
    Object.entries(rates)
      .map(([name, list]) => {
        // Small cases gain nothing from a second thread; what counts is the large ones, whose time matters.
        const gain = gains[name] ? Math.min(1, Math.max(0, middle(gains[name].slice(-3)))) : 0;
        const sorted = [...list].sort((a, b) => a[0] - b[0]).map(([size, rate]) => `[${short(size)}, ${short(rate)}]`);
        return `      ${name}: { rates: [${sorted.join(", ")}], parallel: ${short(gain, 2)} },`;
      })
      .join("\n");
  const engines = Object.entries(tables)
    .map(
      ([name, { callSeconds, operations: list, bytes, iteration }]) => `  ${name}: {
    callSeconds: ${short(callSeconds)},
    iterationSeconds: ${short(iteration)},
    processBytes: ${short(bytes)},
    operations: {
${operations(list)}
    },
  },`,
    )
    .join("\n");
  return `// Written by \`npm run bench:costs -- --write\`: do not edit by hand.
import type { CostTable } from "./cost-model.js";

// biome-ignore format: as bench/costs.mjs writes it
export const COST_TABLE: CostTable = {
  machine: ${JSON.stringify(`${cpus()[0].model.trim()}, node ${process.version}`)},
  threads: 2,
${engines}
};
`;
}

const options = parseOptions(usage, { write: { type: "boolean" }, runs: { type: "string" } });
const runs = Number(options.runs ?? 5);
const tables = {};
for (const name of ["native", "typescript"]) tables[name] = { ...(await table(name, runs)), ...(await trivial(name)) };
const text = source(tables);
if (options.write) {
  const before = readFileSync(place, "utf8");
  writeFileSync(place, text);
  console.error(
    before === text ? "the table is as it was" : "the table is written: npm run format, then look at git diff",
  );
} else console.log(text);
