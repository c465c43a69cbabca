// Measures the rates that the planner's cost model uses, and prints the cost table; --write replaces src/plan/cost-table.ts by it. A
// developer runs it by hand as `npm run bench:costs [-- --write]`. Rates are in seconds of the processor, which a busy machine changes
// little: on one thread they equal the wall time on an idle machine. The gain of a second thread and the overhead of a call and of a thread
// hand-over come from the wall clock (a waiting pool thread uses its processor for a moment), so the machine must be idle. Each figure is
// the median of the runs of 0.4 s of its case: the best of them is what a machine does for a moment, and a plan is of minutes.
import { fork } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { LARGE_VECTOR } from "../dist/algebra/vectors.js";
import { estimateCalls } from "../dist/backend/estimate.js";
import { secondsOf } from "../dist/plan/cost-model.js";
import { batchWork, iterationWork, productWork } from "../dist/plan/workload.js";
import { parseOptions } from "./lib/options.mjs";
import { engineFor, mustSucceed, problem } from "./lib/problem.mjs";
import { median } from "./lib/statistics.mjs";

const place = new URL("../src/plan/cost-table.ts", import.meta.url);
const usage = `usage: npm run bench:costs [-- options]
  --step    measure only what a step on a batch takes beyond its calls, and print it
  --write   put the table into src/plan/cost-table.ts
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

/** Median of at least `runs` runs of every operation that a case shows: { operation: [flops, seconds, size] }. */
async function measure(engine, made, kind, sampleCount, runs, seconds) {
  const { architecture, parameters } = made;
  const route = kind.startsWith("dual") ? "dual" : kind === "orthogonal" ? "orthogonal" : "primal";
  const calls = estimateCalls("native", architecture, sampleCount, { curvature: "matrix-free" });
  const entries = [
    ...iterationWork(route, architecture, sampleCount),
    productWork(architecture, sampleCount, 1, calls),
  ];
  const work = Object.fromEntries(entries.map((entry) => [entry.operation, entry]));
  const times = {};
  const note = (operation, value) => {
    times[operation] = [...(times[operation] ?? []), value];
  };
  const medians = () =>
    Object.fromEntries(
      Object.entries(times).map(([operation, values]) => [
        operation,
        [work[operation].flops, median(values), work[operation].size],
      ]),
    );
  const vector = parameters.slice();
  const request = { curvature: "none", decay: 0, scaling: null };
  const repeat = async (action) => {
    const start = performance.now();
    for (let run = 0; run < runs || performance.now() - start < 1000 * LEAST_SECONDS; run++) await action();
  };
  if (kind === "primal-passes") {
    await repeat(async () => {
      note("passes", await seconds(async () => mustSucceed(await engine.linearize(parameters, request))));
      note("forward", await seconds(async () => mustSucceed(await engine.evaluate(parameters))));
    });
    return medians();
  }
  if (kind === "product") {
    mustSucceed(await engine.linearize(parameters, { ...request, curvature: "matrix-free" }));
    // The first product after a linearization makes the panels, of many: it is not counted.
    await engine.curvatureProduct(vector);
    await repeat(async () => {
      note("product", await seconds(() => engine.curvatureProduct(vector)));
    });
    return medians();
  }
  // The curvature is what a linearization takes beyond its passes; one after the other, because a linearization without it gives its
  // memory back.
  const [passes, both] = [[], []];
  const linearize = (curvature) =>
    seconds(async () => mustSucceed(await engine.linearize(parameters, { ...request, curvature })));
  await repeat(async () => {
    passes.push(await linearize("none"));
  });
  await repeat(async () => {
    both.push(await linearize(route));
    const solved = await seconds(async () => mustSucceed(await engine.solve({ damping: 1, decay: 0, scaling: null })));
    note(kind === "orthogonal" ? "fold" : "cholesky", solved);
  });
  const curvature = Math.max(median(both) - median(passes), median(both) / 10);
  note({ primal: "gram", dual: "kernel", orthogonal: "triangle" }[route], curvature);
  return medians();
}

async function table(engineName, runs) {
  const kind = engineName === "native" ? "native" : "reference";
  const rates = {};
  const gains = {};
  const callSeconds = await evaluation(kind, [1, 1, 1], 2);
  const hopSeconds = kind === "native" ? await hop() : 0;
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
        let told = "";
        if (two) {
          // The curvature is a difference of two calls, in which their hops are gone.
          const hops = ["gram", "kernel", "triangle"].includes(operation) ? 0 : hopSeconds;
          const [once, shared] = [one, two].map((result) =>
            Math.max(result[operation][1] - hops, result[operation][1] / 4),
          );
          gains[operation] = [...(gains[operation] ?? []), [flops, once / shared - 1]];
          told = `, with two threads ${(once / shared).toFixed(2)} times as fast`;
        }
        console.error(`${engineName} ${operation} ${size.toFixed(0)}: ${(flops / time / 1e9).toFixed(2)} GF/s${told}`);
      }
    }
  }
  return { callSeconds, hopSeconds, operations: { rates, gains } };
}

/** What the last sample costs that makes an evaluation too large to be done where it stands. */
async function hop() {
  const layers = [8, 16, 16, 1];
  const { architecture } = problem(layers, 1);
  let most = 1;
  while (!estimateCalls("native", architecture, most + 1, { curvature: "none" }).forward) most++;
  const [stays, goes] = [await evaluation("native", layers, most), await evaluation("native", layers, most + 1)];
  if (!(goes > stays))
    throw new Error(`no hop to be seen at ${layers.join("-")} with ${most} samples: is the machine busy?`);
  return goes - stays;
}

/** Seconds of an evaluation by one thread: the median of 1,000. */
async function evaluation(kind, layers, sampleCount) {
  const made = problem(layers, sampleCount);
  const engine = await engineFor(kind, made, 1);
  const wall = [];
  for (let i = 0; i < 1000; i++) wall.push(await clocks.wall(() => engine.evaluate(made.parameters)));
  engine.dispose();
  return median(wall);
}

const short = (value, digits = 3) => Number(value.toPrecision(digits));

/**
 * A process that only loads the library and trains a network: its parameters, its bytes beside those planned for the problem, the seconds of
 * an iteration, of the processor on one thread and of the clock on several, and the processor's of the fastest one.
 */
async function trained(backend, layers, sampleCount, iterations, threads = 1) {
  const given = { layers, sampleCount, backend, threads, iterations };
  const { parameters, peak, problemBytes, cpuSeconds, leastCpuSeconds, seconds } = await planned(given);
  if (!(cpuSeconds > 0)) throw new Error(`no iteration of ${layers.join("-")} took one trial`);
  return [parameters, peak - problemBytes, threads === 1 ? cpuSeconds : seconds, leastCpuSeconds];
}

/** What a process of lib/plan-process.mjs answers. */
function planned(given) {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL("lib/plan-process.mjs", import.meta.url)), [JSON.stringify(given)]);
    child.on("message", resolve);
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`the training of ${given.layers.join("-")} ended with ${code}`)));
  });
}

/** Processor seconds of the engine's calls in an iteration of the dual route, on one thread, medians of ten. */
async function engineCalls(kind, layers, sampleCount) {
  const made = problem(layers, sampleCount);
  const engine = await engineFor(kind, made, 1);
  const times = {};
  const note = async (name, call) => {
    times[name] = [...(times[name] ?? []), await clocks.processor(call)];
  };
  for (let run = 0; run < 10; run++) {
    await note("linearize", () => engine.linearize(made.parameters, { curvature: "dual", decay: 0, scaling: null }));
    await note("solve", () => engine.solve({ damping: 1, decay: 0, scaling: null }));
    await note("accelerate", () => engine.accelerate(made.parameters, null));
    await note("evaluate", () => engine.evaluate(made.parameters));
  }
  engine.dispose();
  return Object.values(times).reduce((sum, values) => sum + median(values), 0);
}

/** What a training of a few parameters takes, and the rates of an iteration's vectors: of those with many parameters and few samples. */
async function loop(backend) {
  // The fastest: while V8 compiles the loop, its threads take more of the processor than a small iteration does.
  const [, , , iteration] = await trained(backend, [1, 2, 1], 50, 60);
  // Of ordinary trainings: V8's heap has grown as it does in all but the smallest, by steps that differ between them.
  const peaks = [];
  for (const [layers, samples] of [
    [[8, 16, 16, 1], 500],
    [[8, 24, 24, 1], 1500],
    [[8, 64, 64, 1], 300],
  ])
    peaks.push((await trained(backend, layers, samples, 6))[1]);
  const bytes = median(peaks);
  const vectors = [];
  const sampleCount = 8;
  for (const layers of [
    [100, 40, 1],
    [500, 40, 1],
    [5000, 40, 1],
    [5000, 200, 1],
  ]) {
    const [p, , seconds] = await trained(backend, layers, sampleCount, 40);
    const calls = await engineCalls(backend === "native" ? "native" : "reference", layers, sampleCount);
    const work = iterationWork("dual", problem(layers, sampleCount).architecture, sampleCount, { engine: backend });
    const { flops } = work.find(({ operation }) => operation === "vectors");
    vectors.push([p, flops / Math.max(seconds - iteration - calls, seconds / 10) / 1e9]);
    console.error(`${backend} vectors ${p}: ${vectors.at(-1)[1].toFixed(2)} GF/s`);
  }
  const gains = [];
  for (const layers of [
    [10_500, 200, 1],
    [60_000, 200, 1],
  ])
    await wide(backend, layers, iteration, vectors, gains);
  return { bytes, iteration, vectors, gains };
}

/**
 * Of runs that use their vectors again the rates count everything that the flops of the engine's calls leave out: with few samples those
 * calls, too, are passes over the parameters.
 */
async function wide(backend, layers, iteration, vectors, gains) {
  const sampleCount = 8;
  const work = iterationWork("dual", problem(layers, sampleCount).architecture, sampleCount, {
    acceleration: true,
    engine: backend,
  });
  const calls = work.filter(({ operation }) => operation !== "vectors");
  const { flops } = work.find(({ operation }) => operation === "vectors");
  const rest = async (threads) => {
    const [p, , seconds] = await trained(backend, layers, sampleCount, 8, threads);
    return [p, seconds - iteration - secondsOf(calls, backend, threads)];
  };
  const [p, one] = await rest(1);
  const [first] = vectors.at(-1);
  // Below, the last rate of smaller vectors holds.
  if (first < LARGE_VECTOR) vectors.push([LARGE_VECTOR - 1, vectors.at(-1)[1]]);
  vectors.push([p, flops / one / 1e9]);
  console.error(`${backend} vectors ${p}: ${vectors.at(-1)[1].toFixed(2)} GF/s`);
  if (backend === "native") gains.push([flops, one / (await rest(2))[1] - 1]);
}

/** Steps of such a run. */
const STEPS = 2000;

/** Seconds of a step on a batch beyond its calls, by Adam: of every step, for each parameter, and for each number of its rows. */
async function step(backend) {
  const beyond = async (layers, batch) => {
    const given = { kind: "batch", method: "adam", options: { batch }, backend, threads: 1, iterations: STEPS };
    // More than an epoch, because the records within one are timed.
    const { cpuSeconds, parameters } = await planned({ ...given, layers, sampleCount: 1.1 * STEPS * batch });
    const { architecture } = problem(layers, 1);
    const work = batchWork(architecture, [{ rows: batch, curvature: "none" }], 0, backend);
    return [cpuSeconds - secondsOf(work, backend, 1, 0), parameters, batch * (layers[0] + layers.at(-1))];
  };
  const [fixed] = await beyond([1, 2, 1], 1);
  const [vectors, p] = await beyond([500, 40, 1], 1);
  const parameter = Math.max(0, vectors - fixed) / p;
  const [rows, few, numbers] = await beyond([400, 1], 32);
  return { fixed, parameter, rowNumber: Math.max(0, rows - fixed - few * parameter) / numbers };
}

function source(tables) {
  const operations = ({ rates, gains }) =>
    Object.entries(rates)
      .map(([name, list]) => {
        const show = (points, digits) =>
          points
            .toSorted((a, b) => a[0] - b[0])
            // The size at which vectors are used again is exact: rounded it would be that of the next point.
            .map(([at, value]) => `[${at === LARGE_VECTOR - 1 ? at : short(at)}, ${short(value, digits)}]`)
            .join(", ");
        const shares = (gains[name] ?? []).map(([flops, gain]) => [flops, Math.min(1, Math.max(0, gain))]);
        return `      ${name}: { rates: [${show(list, 3)}], gains: [${show(shares, 2)}] },`;
      })
      .join("\n");
  const engines = Object.entries(tables)
    .map(
      ([name, { callSeconds, hopSeconds, operations: list, bytes, iteration, step: beyond }]) => `  ${name}: {
    callSeconds: ${short(callSeconds)},
    hopSeconds: ${short(hopSeconds, 2)},
    iterationSeconds: ${short(iteration)},
    step: { fixed: ${short(beyond.fixed, 2)}, parameter: ${short(beyond.parameter, 2)}, rowNumber: ${short(beyond.rowNumber, 2)} },
    processBytes: ${short(bytes)},
    operations: {
${operations(list)}
    },
  },`,
    )
    .join("\n");
  return `// Holds measured rates of both engines, by which the planner predicts seconds: cost-model.ts reads them for every prediction, and plan.ts
// takes from them the number of threads that the choice of a route assumes. costs.ts has the fields and their units.
// \`npm run bench:costs -- --write\` (bench/costs.mjs) writes this file: do not edit it by hand.
import type { CostTable } from "./costs.js";

// biome-ignore format: as bench/costs.mjs writes it
export const COST_TABLE: CostTable = {
  machine: ${JSON.stringify(`${cpus()[0].model.trim()}, node ${process.version}`)},
  threads: 2,
${engines}
};
`;
}

const options = parseOptions(usage, {
  write: { type: "boolean" },
  step: { type: "boolean" },
  runs: { type: "string" },
});
if (options.step) {
  for (const name of ["native", "typescript"]) console.log(name, await step(name));
  process.exit(0);
}
const runs = Number(options.runs ?? 5);
const tables = {};
for (const name of ["native", "typescript"]) {
  const { vectors, gains, ...trivial } = await loop(name);
  tables[name] = { ...(await table(name, runs)), ...trivial, step: await step(name) };
  tables[name].operations.rates.vectors = vectors;
  tables[name].operations.gains.vectors = gains;
}
const text = source(tables);
if (options.write) {
  const before = readFileSync(place, "utf8");
  writeFileSync(place, text);
  console.error(
    before === text ? "the table is as it was" : "the table is written: npm run format, then look at git diff",
  );
} else console.log(text);
