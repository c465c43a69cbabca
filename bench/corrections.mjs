// Compares three models for the part of the Hessian that Gauss-Newton leaves out, with squared error: the secant correction once a run stalls
// (the default), steps on the exact Hessian once it stalls, and such steps from the first iteration. The three take turns from each start, on
// the UCI sets (all rows, standardized, 16-16) and the common case. A developer runs it by hand after `npm run build`.
//   GAUSSFLOW_DATA=... node bench/corrections.mjs [--starts 5] [--iterations 400] [--only NAMES] [--json]
//
// Two goals: the loss, 1.05 times the lowest end of the three from the same start; and the gradient, 1e-6 of that at the start. Cells: median
// iterations and seconds over the starts that reached it, "reached/starts" where some did not, and the median over the starts that both
// reached of the seconds relative to the secant correction (below 1 = faster).
//
// No option of train() takes steps on the Hessian with squared error. The program therefore runs the training loop itself, and tells it that
// the loss is not squared error, which also measures the gradient of all three by the same rule.
import { levenbergMarquardt, network } from "../dist/index.js";
import { isStalled } from "../dist/method/levenberg-marquardt/residual-curvature.js";
import { minimize } from "../dist/train/minimize.js";
import { friedman } from "./lib/friedman.mjs";
import { machineLine } from "./lib/machine.mjs";
import { defaultThreads, parseOptions, positive } from "./lib/options.mjs";
import { engineFor } from "./lib/problem.mjs";
import { median } from "./lib/statistics.mjs";
import { standardizedUci, UCI_SETS } from "./lib/uci.mjs";

const GRADIENT = 1e-6;
const FACTOR = 1.05;

const options = parseOptions(
  "usage: GAUSSFLOW_DATA=... node bench/corrections.mjs [--starts 5] [--iterations 400] [--only NAMES] [--json]",
  { starts: { type: "string" }, iterations: { type: "string" }, only: { type: "string" }, json: { type: "boolean" } },
);
const starts = positive(options.starts, "starts", 5);
const iterations = positive(options.iterations, "iterations", 400);
const threads = defaultThreads();

const secant = levenbergMarquardt({ hessian: "never" });
const hessian = levenbergMarquardt();
/** Gauss-Newton until the run stalls. A step with `secant` is one after which the method counts slow steps on. */
const hessianOnceStalled = {
  ...secant,
  async propose(problem, state, ...others) {
    if (!isStalled(state)) return secant.propose(problem, state, ...others);
    const answer = await hessian.propose(problem, state, ...others);
    return "step" in answer ? { ...answer, secant: 0 } : answer;
  },
};
const METHODS = [
  ["secant", secant],
  ["Hessian once stalled", hessianOnceStalled],
  ["Hessian", hessian],
];

function problems() {
  const common = friedman();
  // The common case has one start, whose runs are repeated for their seconds.
  const repeated = Array.from({ length: starts }, () => common.net);
  const list = [
    { name: "friedman", inputs: common.inputs.flat(), targets: common.targets, nets: repeated },
    ...UCI_SETS.map((name) => {
      const { inputSize, inputs, targets } = standardizedUci(name);
      const layers = [inputSize, 16, 16, 1];
      return { name, inputs, targets, nets: Array.from({ length: starts }, (_, seed) => network({ layers, seed })) };
    }),
  ];
  const chosen = options.only?.split(",");
  return list.filter(({ name }) => chosen === undefined || chosen.includes(name));
}

/** Accepted steps of a run, and where the gradient fell to the goal; null if it did not. */
async function run(engine, { parameters }, method) {
  const stop = {
    iterations,
    seconds: Infinity,
    gradient: GRADIENT,
    step: 0,
    reduction: 0,
    loss: -Infinity,
    patience: 1,
  };
  const loop = minimize(engine, parameters, { method, stop, route: "primal", decay: 0, sumOfSquares: false });
  let next = await loop.next();
  while (!next.done) next = await loop.next();
  const { reason, records, iterations: iteration, elapsed } = next.value;
  const steps = records.filter(({ accepted }) => accepted);
  return { steps, end: steps.at(-1).loss, gradient: reason.code === "gradient" ? { iteration, elapsed } : null };
}

/** Medians of one method for one goal; `hits` and `reference` have an entry for each start, null where it was missed. */
function summary(hits, reference) {
  const reached = hits.filter((hit) => hit !== null);
  const ratios = hits.flatMap((hit, k) => (hit && reference[k] ? [hit.elapsed / reference[k].elapsed] : []));
  const of = (values) => (values.length === 0 ? null : median(values));
  return {
    reached: reached.length,
    iterations: of(reached.map(({ iteration }) => iteration)),
    seconds: of(reached.map(({ elapsed }) => elapsed)),
    ratio: of(ratios),
    both: ratios.length,
  };
}

function cell({ reached, iterations: count, seconds, ratio }, starts) {
  if (reached === 0) return `0/${starts}`.padStart(36);
  const share = reached < starts ? ` ${reached}/${starts}` : "";
  return `${count} it ${seconds.toFixed(3)} s ${ratio === null ? "-" : ratio.toFixed(2)}${share}`.padStart(36);
}

if (!options.json) console.log(machineLine(threads, null));
for (const { name, inputs, targets, nets } of problems()) {
  const { architecture } = nets[0];
  const data = { sampleCount: targets.length, inputs: Float64Array.from(inputs), targets: Float64Array.from(targets) };
  const engine = await engineFor("native", { architecture, data }, threads);
  const runs = [];
  for (const [k, net] of nets.entries()) {
    const row = [];
    // Each start begins with another method, so that none always comes after the same one.
    for (let turn = 0; turn < METHODS.length; turn++) {
      const m = (k + turn) % METHODS.length;
      row[m] = await run(engine, net, METHODS[m][1]);
    }
    runs.push(row);
  }
  engine.dispose();
  const levels = runs.map((row) => FACTOR * Math.min(...row.map(({ end }) => end)));
  const goals = {
    loss: (m) => runs.map((row, k) => row[m].steps.find(({ loss }) => loss <= levels[k]) ?? null),
    gradient: (m) => runs.map((row) => row[m].gradient),
  };
  if (!options.json)
    console.log(
      `\n${name}, ${nets.length} starts\n${"".padEnd(24)}${"loss".padStart(36)}${"gradient".padStart(36)}${"end".padStart(12)}`,
    );
  METHODS.forEach(([label], m) => {
    const [loss, gradient] = [goals.loss, goals.gradient].map((hits) => summary(hits(m), hits(0)));
    const end = median(runs.map((row) => row[m].end));
    if (options.json) console.log(JSON.stringify({ name, label, starts: nets.length, loss, gradient, end }));
    else
      console.log(
        `  ${label.padEnd(22)}${cell(loss, nets.length)}${cell(gradient, nets.length)}${end.toExponential(3).padStart(12)}`,
      );
  });
}
