// A rank of bench/scaling.mjs: measures the rates that its prediction needs, then the iterations that it predicts. Rank 0 writes one JSON line.
// All ranks measure at the same time, because a core that works beside others is slower than one that works alone.
import { createEngine, levenbergMarquardt, mpi, train } from "../../dist/index.js";
import { median } from "./statistics.mjs";
import { teacherArrays } from "./teacher.mjs";

const { layers, rows, iterations, rounds } = JSON.parse(process.argv[2]);
const cluster = await mpi();
const { net, inputs, targets } = teacherArrays(layers, rows);
const { architecture } = net;
const [d, c] = [layers[0], layers.at(-1)];
const p = architecture.parameterCount;

/** Median seconds of a linearization, a step and a loss on the first `count` rows, by one thread of every rank at a time. */
async function rates(count) {
  const data = { sampleCount: count, inputs: inputs.slice(0, count * d), targets: targets.slice(0, count * c) };
  const engine = createEngine(architecture, data, { backend: "native", threads: 1 });
  const request = { curvature: "primal", decay: 0, scaling: new Float64Array(p) };
  const times = { linearize: [], solve: [], evaluate: [] };
  const timed = async (name, work) => {
    const start = performance.now();
    await work();
    times[name].push((performance.now() - start) / 1000);
  };
  // The first round touches the memory.
  for (let round = 0; round <= rounds; round++) {
    await cluster.barrier();
    await timed("linearize", () => engine.linearize(net.parameters, request));
    await timed("solve", () => engine.solve({ damping: 1e-3, decay: 0, scaling: request.scaling }));
    await timed("evaluate", () => engine.evaluate(net.parameters));
  }
  engine.dispose();
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list.slice(1))]));
}

/** Seconds of each accepted iteration but the first, and trials of all of these. */
async function measure() {
  const ends = [];
  await cluster.barrier();
  const { records } = await train(
    net,
    { inputs, targets, inputSize: d, outputSize: c },
    {
      ...(cluster.size > 1 ? { cluster } : {}),
      route: "primal",
      standardize: false,
      validation: false,
      threads: 1,
      method: levenbergMarquardt({ precision: "double", curvatureSamples: "all", acceleration: false }),
      stop: { iterations: iterations + 1, gradient: 0, step: 0, reduction: 0 },
    },
  );
  const accepted = records.filter((record) => record.accepted);
  for (let k = 2; k < accepted.length; k++) {
    const trials = records.indexOf(accepted[k]) - records.indexOf(accepted[k - 1]);
    ends.push({ seconds: accepted[k].elapsed - accepted[k - 1].elapsed, trials });
  }
  return ends;
}

const sizes = [Math.floor(rows / 16), Math.floor(rows / 8)];
const [small, large] = [await rates(sizes[0]), await rates(sizes[1])];
const sum = cluster.size > 1 ? await cluster.timeSum((p * (p + 1)) / 2, rounds) : 0;
const latency = cluster.size > 1 ? await cluster.timeSum(2, 20 * rounds) : 0;
const measured = await measure();
const slowest = async (value) => Math.max(...(await cluster.gather(Float64Array.of(value))).map(([one]) => one));
for (const rate of [small, large]) for (const name of Object.keys(rate)) rate[name] = await slowest(rate[name]);
if (cluster.rank === 0)
  console.log(JSON.stringify({ ranks: cluster.size, parameters: p, sizes, small, large, sum, latency, measured }));
await cluster.close();
