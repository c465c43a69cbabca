// npm run bench:costs [-- --write]: measures the rates that the planner works with, and prints the cost table; --write puts it in its
// place, src/linearise/cost-table.ts. Seconds are those of the processor, so that a busy machine gives nearly the same table: on one thread
// they are the seconds of the clock of an idle machine. What a second thread adds and what it takes to hand a call to another thread come
// from the clock (a thread of the pool that waits uses its processor for a moment): have the machine idle. Best of the runs of 0.4 s.
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
  --runs N  least runs of each case (default 5)`;

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

const clocks = {
  /** Processor seconds of all threads. */
  processor: async (action) => {
    const start = process.cpuUsage();
    await action();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
  },
  wall: async (action) => {
    const start = performance.now();
    await action();
    return (performance.now() - start) / 1000;
  },
};

/** Runs of a case go on for so long, because a processor that was idle takes a while to be at its best. */
const LEAST_SECONDS = 0.4;

/** Best of at least `runs` runs of every operation that a case shows: { operation: [flops, seconds, size] }. */
async function measure(engine, made, kind, sampleCount, runs, seconds) {
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
  const request = { curvature: "none", decay: 0, scaling: null };
  const repeat = async (action) => {
    const start = performance.now();
    for (let run = 0; run < runs || performance.now() - start < 1000 * LEAST_SECONDS; run++) await action();
  };
  if (kind === "primal-passes") {
    await repeat(async () => {
      note("passes", await seconds(async () => mustSucceed(await engine.linearise(parameters, request))));
      note("forward", await seconds(async () => mustSucceed(await engine.evaluate(parameters))));
    });
    return best;
  }
  if (kind === "product") {
    mustSucceed(await engine.linearise(parameters, { ...request, curvature: "matrix-free" }));
    // The first product after a linearisation makes the panels, of many: it is not counted.
    await engine.curvatureProduct(vector);
    const { flops, size, calls } = work.product;
    await repeat(async () => {
      const once = await seconds(() => engine.curvatureProduct(vector));
      if (!(best.product?.[1] <= once)) best.product = [flops / calls, once, size];
    });
    return best;
  }
  // The curvature is what a linearisation takes beyond its passes; one after the other, because a linearisation without it gives its
  // memory back.
  let [passes, both] = [Infinity, Infinity];
  const linearise = (curvature) =>
    seconds(async () => mustSucceed(await engine.linearise(parameters, { ...request, curvature })));
  await repeat(async () => {
    passes = Math.min(passes, await linearise("none"));
  });
  await repeat(async () => {
    both = Math.min(both, await linearise(route));
    const solved = await seconds(async () => mustSucceed(await engine.solve({ damping: 1, decay: 0, scaling: null })));
    note(kind === "orthogonal" ? "fold" : "cholesky", solved);
  });
  note({ primal: "gram", dual: "kernel", orthogonal: "triangle" }[route], Math.max(both - passes, both / 10));
  return best;
}

async function table(engineName, runs) {
  const kind = engineName === "native" ? "native" : "reference";
  const rates = {};
  const gains = {};
  for (const [name, cases] of Object.entries(CASES[engineName])) {
    for (const [layers, sampleCount, how] of cases) {
      const made = problem(layers, sampleCount);
      const run = async (threads, clock) => {
        const engine = await engineFor(kind, made, threads);
        const result = await measure(engine, made, how, sampleCount, runs, clock);
        engine.dispose();
        return result;
      };
      const alone = await run(1, clocks.processor);
      const [one, two] = engineName === "native" ? [await run(1, clocks.wall), await run(2, clocks.wall)] : [];
      const wanted = { passes: ["passes", "forward"], triangle: ["triangle", "fold"] }[name] ?? [name];
      for (const operation of wanted) {
        const [flops, time, size] = alone[operation];
        rates[operation] = [...(rates[operation] ?? []), [size, flops / time / 1e9]];
        if (two) gains[operation] = [...(gains[operation] ?? []), one[operation][1] / two[operation][1] - 1];
        const gain = two ? `, with two threads ${(1 + gains[operation].at(-1)).toFixed(2)} times as fast` : "";
        console.error(`${engineName} ${operation} ${size.toFixed(0)}: ${(flops / time / 1e9).toFixed(2)} GF/s${gain}`);
      }
    }
  }
  const callSeconds = await evaluation(kind, [1, 1, 1], 2, 1);
  // A sample of this network is 1,394 flops (native/core/cost.h): on either side of what is done where it stands.
  const [inPlace, handedOver] = [425, 440];
  const layers = [8, 16, 16, 1];
  const stays = await evaluation(kind, layers, inPlace, 2);
  const hopSeconds =
    kind === "native"
      ? Math.max(0, (await evaluation(kind, layers, handedOver, 2)) - (stays * handedOver) / inPlace)
      : 0;
  return { callSeconds, hopSeconds, operations: { rates, gains } };
}

/** Seconds of an evaluation: of 1,000 the one after the fastest tenth. */
async function evaluation(kind, layers, sampleCount, threads) {
  const made = problem(layers, sampleCount);
  const engine = await engineFor(kind, made, threads);
  const wall = [];
  for (let i = 0; i < 1000; i++) wall.push(await clocks.wall(() => engine.evaluate(made.parameters)));
  engine.dispose();
  return [...wall].sort((a, b) => a - b)[100];
}

const short = (value, digits = 3) => Number(value.toPrecision(digits));

/** A process that only loads the library and trains a network, on one thread: its parameters, its bytes, the seconds of an iteration. */
function trained(backend, layers, sampleCount, iterations) {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL("lib/plan-process.mjs", import.meta.url)), [
      JSON.stringify({ layers, sampleCount, backend, threads: 1, iterations }),
    ]);
    child.on("message", ({ parameters, peak, cpuSeconds }) => resolve([parameters, peak, cpuSeconds]));
    child.on("error", reject);
  });
}

/** What a training of a few parameters takes, and the rates of an iteration's vectors: of those with many parameters and few samples. */
async function loop(backend) {
  const [, bytes, iteration] = await trained(backend, [1, 2, 1], 50, 60);
  const { flops } = iterationWork("dual", problem([1, 2, 1], 50).architecture, 50).find(
    ({ operation }) => operation === "vectors",
  );
  const each = flops / problem([1, 2, 1], 50).architecture.parameterCount;
  const vectors = [];
  for (const layers of [
    [500, 40, 1],
    [5000, 40, 1],
    [5000, 200, 1],
  ]) {
    const [p, , seconds] = await trained(backend, layers, 8, 12);
    vectors.push([p, (each * p) / Math.max(seconds - iteration, seconds / 10) / 1e9]);
  }
  return { bytes, iteration, vectors };
}

function source(tables) {
  const operations = ({ rates, gains }) =>
    Object.entries(rates)
      .map(([name, list]) => {
        const sorted = list
          .map(([size, rate], i) => [size, rate, Math.min(1, Math.max(0, gains[name]?.[i] ?? 0))])
          .sort((a, b) => a[0] - b[0])
          .map(([size, rate, gain]) => `[${short(size)}, ${short(rate)}, ${short(gain, 2)}]`);
        return `      ${name}: { rates: [${sorted.join(", ")}] },`;
      })
      .join("\n");
  const engines = Object.entries(tables)
    .map(
      ([name, { callSeconds, hopSeconds, operations: list, bytes, iteration }]) => `  ${name}: {
    callSeconds: ${short(callSeconds)},
    hopSeconds: ${short(hopSeconds, 2)},
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
for (const name of ["native", "typescript"]) {
  const { vectors, ...trivial } = await loop(name);
  tables[name] = { ...(await table(name, runs)), ...trivial };
  tables[name].operations.rates.vectors = vectors;
}
const text = source(tables);
if (options.write) {
  const before = readFileSync(place, "utf8");
  writeFileSync(place, text);
  console.error(
    before === text ? "the table is as it was" : "the table is written: npm run format, then look at git diff",
  );
} else console.log(text);
