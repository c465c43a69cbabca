// Integrates a small ordinary differential equation (rigid body, 3 components) with gaussflow's `integrate` and with SciPy's solve_ivp,
// with the same method, step control and steps, and compares the right-hand sides a second, which are mostly the overhead of a step. A
// developer runs it by hand after `npm run build`; it needs SciPy.
//   node bench/peers/ode.mjs [RUNS]
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { dormandPrince, integrate } from "../../dist/index.js";

const runs = Number(process.argv[2] ?? 5);
const [tolerance, until] = [1e-8, 1000];

const rigid = (_, [a, b, c]) => Float64Array.of(-2 * b * c, 1.25 * a * c, -0.5 * a * b);
const integrator = dormandPrince({
  relativeTolerance: tolerance,
  absoluteTolerance: tolerance,
  control: "integral",
  steps: 1e6,
});

async function ours(until) {
  const start = performance.now();
  const { end } = await integrate(rigid, { until, initial: [1, 0, 0.9], integrator });
  return { seconds: (performance.now() - start) / 1000, evaluations: end.evaluations, state: [...end.state] };
}

function scipy() {
  const script = fileURLToPath(new URL("./ode_scipy.py", import.meta.url));
  const child = spawnSync("/usr/bin/python3", [script, String(tolerance), String(until), "1"], { encoding: "utf8" });
  if (child.status !== 0) {
    console.error(`SciPy is missing (apt-get install python3-scipy): ${child.stderr}`);
    process.exit(1);
  }
  const { seconds, ...rest } = JSON.parse(child.stdout);
  return { seconds: seconds[0], ...rest };
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

await ours(until); // warm, as ode_scipy.py is before its clock starts
const seen = { gaussflow: [], scipy: [] };
for (let k = 0; k < runs; k++) {
  seen.gaussflow.push(await ours(until));
  seen.scipy.push(scipy());
}
const rows = Object.entries(seen).map(([name, all]) => {
  const seconds = median(all.map((one) => one.seconds));
  return { name, seconds, rate: all[0].evaluations / seconds, evaluations: all[0].evaluations, state: all[0].state };
});
for (const { name, seconds, rate, evaluations } of rows)
  console.log(
    `${name.padEnd(10)} ${seconds.toFixed(3)} s  ${evaluations} right-hand sides  ${(rate / 1e6).toFixed(3)} million a second`,
  );
console.log(`ratio ${(rows[1].seconds / rows[0].seconds).toFixed(1)}`);
const apart = Math.max(...rows[0].state.map((value, j) => Math.abs(value - rows[1].state[j])));
console.log(`states at the end differ by ${apart.toExponential(1)}`);
