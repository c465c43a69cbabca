// Times one iteration of Levenberg-Marquardt on a differential equation (linearization, damped solve, geodesic acceleration, loss of the
// step) against the bare `dsyrk` of its Jacobian in the same run, and prints the parts. A developer runs it by hand after `npm run build`.
//   node bench/equations-iteration.mjs [--runs 15] [--threads 2] [--width 20] [--depth 4] [--inside 4096] [--start 512] [--activation tanh]
//
// With the sizes of above the exit code is 1 where the median ratio is above 2: a smaller matrix is too little work beside the passes.
// Burgers' equation with features cos(pi x), sin(pi x), t, and derivatives u_x, u_t, u_xx: with the sizes of above 4,608 rows by 1,361 parameters.
import { createJetEngine } from "../dist/backend/create-jets.js";
import { compile } from "../dist/expression/compile.js";
import { parseExpression } from "../dist/expression/parse.js";
import { network, Random } from "../dist/index.js";
import { startBaseline } from "./lib/baseline.mjs";
import { machineLine } from "./lib/machine.mjs";
import { defaultThreads, parseOptions, positive } from "./lib/options.mjs";
import { mustSucceed } from "./lib/problem.mjs";
import { median } from "./lib/statistics.mjs";

const names = ["runs", "threads", "width", "depth", "inside", "start", "activation"];
const usage = `usage: node bench/equations-iteration.mjs ${names.map((name) => `[--${name} X]`).join(" ")}`;
const options = parseOptions(usage, Object.fromEntries(names.map((name) => [name, { type: "string" }])));
const runs = positive(options.runs, "runs", 15);
const threads = positive(options.threads, "threads", defaultThreads());
const width = positive(options.width, "width", 20);
const depth = positive(options.depth, "depth", 4);
const inside = positive(options.inside, "inside", 4096);
const start = positive(options.start, "start", 512);

const random = new Random(1, 0);
/** Most time of an iteration with these sizes over that of the bare dsyrk. */
const LIMIT = 2;

/** Jets of the features at (x, t): value, d/dx, d/dt, d2/dx2 of each. */
function featureJets(x, t) {
  const [c, s] = [Math.cos(Math.PI * x), Math.sin(Math.PI * x)];
  const p = Math.PI;
  return [c, s, t, -p * s, p * c, 0, 0, 0, 1, -p * p * c, -p * p * s, 0];
}

async function tape(text, jets, numbers) {
  const known = [...jets, ...numbers];
  return compile([await parseExpression(text, { names: known }, "residual")], known);
}

const points = Array.from({ length: inside }, () => [2 * random.uniform() - 1, random.uniform()]);
const edge = Array.from({ length: start }, () => 2 * random.uniform() - 1);
const problem = {
  unknownCount: 0,
  terms: [
    {
      name: "inside",
      channels: { firsts: 2, seconds: [[[0, 0, 1]]] },
      points: inside,
      inputs: Float64Array.from(points.flatMap(([x, t]) => featureJets(x, t))),
      auxiliary: new Float64Array(0),
      auxiliaryCount: 0,
      residual: await tape("u_t + u*u_x - 0.01/pi*u_xx", ["u", "u_x", "u_t", "u_xx"], []),
      factors: [Math.sqrt(0.1 / inside)],
    },
    {
      name: "start",
      channels: { firsts: 0, seconds: [] },
      points: start,
      inputs: Float64Array.from(edge.flatMap((x) => featureJets(x, 0).slice(0, 3))),
      auxiliary: Float64Array.from(edge.map((x) => -Math.sin(Math.PI * x))),
      auxiliaryCount: 1,
      residual: await tape("u - g", ["u"], ["g"]),
      factors: [Math.sqrt(1 / start)],
    },
  ],
};
const layers = [3, ...Array.from({ length: depth }, () => width), 1];
const net = network({ layers, activation: options.activation ?? "tanh", seed: 1 });
const engine = createJetEngine(net.architecture, problem, { backend: "native", threads });
const p = engine.parameterCount;
const scaling = new Float64Array(p);

async function iteration() {
  const seconds = {};
  const part = async (name, work) => {
    const from = performance.now();
    const answer = await work();
    seconds[name] = (performance.now() - from) / 1000;
    mustSucceed(answer);
    return answer;
  };
  await part("linearize", () => engine.linearize(net.parameters, { curvature: "primal", decay: 0, scaling }));
  const { step } = await part("solve", () => engine.solve({ damping: 1e-3, decay: 0, scaling }));
  const { acceleration } = await part("accelerate", () => engine.accelerate(step, scaling));
  const moved = net.parameters.map((value, j) => value + 1e-3 * (step[j] + 0.5 * acceleration[j]));
  await part("evaluate", () => engine.evaluate(moved));
  return seconds;
}

const baseline = startBaseline();
const command = `dsyrk ${engine.sampleCount} ${p} ${threads}`;
console.log(machineLine(threads, await baseline.ask("config")));
console.log(`${layers.join("-")} ${options.activation ?? "tanh"}: ${engine.sampleCount} rows, ${p} parameters`);
await baseline.ask(command);
await iteration();
const [ours, bare] = [[], []];
for (let run = 0; run < runs; run++) {
  bare.push((await baseline.ask(command)).seconds);
  ours.push(await iteration());
}
await baseline.close();
const total = (seconds) => Object.values(seconds).reduce((sum, value) => sum + value, 0);
const milliseconds = (seconds) => `${(1000 * seconds).toFixed(1)} ms`;
console.log(`bare dsyrk     ${milliseconds(median(bare))}`);
for (const name of Object.keys(ours[0]))
  console.log(`${name.padEnd(14)} ${milliseconds(median(ours.map((seconds) => seconds[name])))}`);
console.log(`one iteration  ${milliseconds(median(ours.map(total)))}`);
const ratio = median(ours.map((seconds, run) => total(seconds) / bare[run]));
const usual = names.every((name) => ["runs", "threads"].includes(name) || options[name] === undefined);
if (usual && !(ratio <= LIMIT)) process.exitCode = 1;
console.log(
  `ratio          ${ratio.toFixed(2)}${usual ? `, at most ${LIMIT}` : ""} (of medians ${(median(ours.map(total)) / median(bare)).toFixed(2)})`,
);
engine.dispose();
