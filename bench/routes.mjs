// Trains by the exact and by the matrix-free route and prints the losses after 1/8, 1/4, 1/2 and all of N seconds (default 16), for
// problems where an exact step is predicted to take 4 to 20 times as long. The planner's limit (BEYOND_REASON in src/plan/plan.ts) follows
// from them. The problems are Friedman #1 without noise (few of many inputs matter), and targets that depend on all inputs. A developer
// runs it by hand after `npm run build`: node bench/routes.mjs [--seconds N].
import { network, Random, train } from "../dist/index.js";
import { secondsOf } from "../dist/plan/cost-model.js";
import { iterationWork } from "../dist/plan/workload.js";
import { defaultThreads, parseOptions, positive } from "./lib/options.mjs";
import { problem } from "./lib/problem.mjs";

function friedman([inputSize], sampleCount) {
  const random = new Random(7);
  const inputs = Float64Array.from({ length: sampleCount * inputSize }, () => random.uniform());
  const targets = Float64Array.from({ length: sampleCount }, (_, i) => {
    const x = inputs.subarray(i * inputSize);
    return 10 * Math.sin(Math.PI * x[0] * x[1]) + 20 * (x[2] - 0.5) ** 2 + 10 * x[3] + 5 * x[4];
  });
  return { inputs, targets };
}

const CASES = [
  ["all inputs", [100, 30, 2], 10_000],
  ["Friedman", [60, 60, 1], 10_000],
  ["Friedman", [8, 64, 64, 1], 10_000],
  ["Friedman", [256, 25, 1], 10_000],
  ["all inputs", [256, 25, 2], 10_000],
  ["Friedman", [8, 90, 90, 1], 12_000],
  ["Friedman", [8, 110, 110, 1], 20_000],
];

const usage = `usage: node bench/routes.mjs [options]
  --seconds N   of each training (default 16)`;
const seconds = positive(parseOptions(usage, { seconds: { type: "string" } }).seconds, "seconds", 16);
const marks = [seconds / 8, seconds / 4, seconds / 2, seconds];

console.log(`threads ${defaultThreads()} | mean loss after ${marks.join(", ")} s`);
for (const [name, layers, sampleCount] of CASES) {
  const { inputs, targets } = name === "Friedman" ? friedman(layers, sampleCount) : problem(layers, sampleCount).data;
  const data = { inputs, targets, inputSize: layers[0], outputSize: layers.at(-1) };
  const { architecture } = network({ layers, seed: 1 });
  const [exact, free] = ["primal", "matrix-free"].map((route) =>
    secondsOf(iterationWork(route, architecture, sampleCount), "native", 2),
  );
  console.log(
    `${layers.join("-")}, ${name}, n = ${sampleCount}: an exact step takes ${(exact / free).toFixed(1)} times as long`,
  );
  for (const route of ["primal", "matrix-free"]) {
    const { records } = await train(network({ layers, seed: 1 }), data, {
      route,
      validation: false,
      stop: { seconds },
    });
    const losses = marks.map((mark) => records.findLast(({ accepted, elapsed }) => accepted && elapsed <= mark)?.loss);
    console.log(
      `  ${route.padEnd(12)} ${losses.map((loss) => (loss?.toExponential(2) ?? "-").padStart(9)).join(" ")}  ${records.at(-1).iteration} iterations`,
    );
  }
}
