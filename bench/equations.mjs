// Trains networks on differential equations with known solutions and prints their errors, and whether they are within the bounds of
// docs/equations.md: Burgers, Poisson in 1, 2 and 5 dimensions, an unknown viscosity, and a function learned from values and slopes
// (lib/equation-problems.mjs). The exit code is 1 where an error is not within its bound. A developer runs it by hand after `npm run build`.
import { levenbergMarquardt, network, train } from "../dist/index.js";
import { CASES } from "./lib/equation-problems.mjs";
import { machineLine } from "./lib/machine.mjs";
import { defaultThreads, parseOptions, positive } from "./lib/options.mjs";
import { median } from "./lib/statistics.mjs";

const usage = `usage: node bench/equations.mjs [options]
  --only NAME        the cases whose name begins with NAME
  --seeds 1,2,3      seeds of the networks in place of each case's own
  --iterations N     in place of each case's own
  --seconds N        most seconds of a training
  --backend NAME     native or typescript (default: native where there is one)
  --threads N        default GAUSSFLOW_THREADS, else 2
  --scaling NAME     root, marquardt or identity (default: that of the method)
  --damping X        first damping
  --no-acceleration  steps without geodesic acceleration`;
const options = parseOptions(usage, {
  only: { type: "string" },
  seeds: { type: "string" },
  iterations: { type: "string" },
  seconds: { type: "string" },
  backend: { type: "string" },
  threads: { type: "string" },
  scaling: { type: "string" },
  damping: { type: "string" },
  "no-acceleration": { type: "boolean" },
});
const threads = positive(options.threads, "threads", defaultThreads());
const chosen = {
  ...(options.scaling === undefined ? {} : { scaling: options.scaling }),
  ...(options.damping === undefined ? {} : { initialDamping: Number(options.damping) }),
  ...(options["no-acceleration"] ? { acceleration: false } : {}),
};
// Without a choice the default of train on equations.
const method = Object.keys(chosen).length === 0 ? undefined : levenbergMarquardt(chosen);

/** One training to its last iteration: no rule ends it before. */
async function run({ layers, iterations, problem, error, unknown }, seed) {
  const rules = { gradient: 0, reduction: 0, step: 0 };
  const limit = positive(options.iterations, "iterations", iterations);
  const seconds = options.seconds === undefined ? {} : { seconds: positive(options.seconds, "seconds", 0) };
  const net = network({ layers, seed });
  const result = await train(net, await problem(seed), {
    ...(method === undefined ? {} : { method }),
    stop: { iterations: limit, ...rules, ...seconds },
    threads,
    ...(options.backend === undefined ? {} : { backend: options.backend }),
  });
  const found = unknown && result.unknowns[unknown.name];
  return {
    result,
    error: error === null ? null : error(result.network),
    sigmas: found && Math.abs(found.value - unknown.truth) / found.standardError,
    found,
  };
}

/** Whether a value is within its bound, as a word; the exit code is 1 where one is not. */
function judged(value, bound) {
  if (value <= bound) return "yes";
  process.exitCode = 1;
  return "NO";
}

/** The bounds and whether they hold, as a phrase. */
function verdict({ limits = {}, unknown }, runs) {
  if (unknown) {
    const most = Math.max(...runs.map(({ sigmas }) => sigmas));
    return `${unknown.name} within ${most.toFixed(1)} standard errors (at most 3: ${judged(most, 3)})`;
  }
  const errors = runs.map(({ error }) => error);
  const figures = { median: median(errors), largest: Math.max(...errors), best: Math.min(...errors) };
  return Object.entries(figures)
    .map(([name, value]) => {
      const bound = limits[name] === undefined ? "" : ` (at most ${limits[name]}: ${judged(value, limits[name])})`;
      return `${name} ${value.toExponential(2)}${bound}`;
    })
    .join(", ");
}

const cases = CASES.filter(({ name }) => options.only === undefined || name.startsWith(options.only));
if (cases.length === 0) {
  console.error(`--only must begin one of ${CASES.map(({ name }) => name).join(", ")}; received ${options.only}`);
  process.exit(2);
}
console.log(machineLine(threads, null));
const errorsOf = new Map();
for (const one of cases) {
  const runs = [];
  for (const seed of options.seeds?.split(",").map(Number) ?? one.seeds) {
    const made = await run(one, seed);
    runs.push(made);
    const { result, error, found } = made;
    const measured = found
      ? `${one.unknown.name} ${found.value.toPrecision(5)} +- ${found.standardError?.toPrecision(2)}`
      : `error ${error.toExponential(2)}`;
    const { iterations, seconds, loss, plan, engine, reason } = result;
    console.log(
      `  ${one.name} seed ${seed}: ${measured}, loss ${loss.toExponential(2)}, ${iterations} iterations of ${plan.equationCount} x ${plan.parameterCount} in ${seconds.toFixed(1)} s (${engine}, ${reason.code})`,
    );
  }
  console.log(`${one.name} ${one.layers.join("-")}: ${verdict(one, runs)}`);
  errorsOf.set(
    one.name,
    runs.map(({ error }) => error),
  );
}
for (const { name, beats } of cases) {
  const [own, others] = [errorsOf.get(name), errorsOf.get(beats)];
  if (others === undefined) continue;
  const below = judged(Math.max(...own), Math.min(...others));
  console.log(`${name}: the largest error is below the smallest of ${beats}: ${below}`);
}
