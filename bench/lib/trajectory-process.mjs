// A child process of bench/trajectories.mjs: runs every trajectory in the build whose index file is the first argument, and sends { name:
// hash } to the parent. Trajectories are small, a second each at most; together they reach every route, precision, kind of data and engine.
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [index, only] = process.argv.slice(2);
const library = await import(pathToFileURL(index).href);
const { flow, gaussNewton, levenbergMarquardt, network, squaredError, train } = library;
const folder = mkdtempSync(join(tmpdir(), "gaussflow-trajectories-"));

// Options that were renamed: an older build knows the British names.
const american = "standardize" in library;
const spelled = (name) => (american ? name : { standardize: "standardise", centered: "centred" }[name]);
const named = (values) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [spelled(name) ?? name, value]));

const TRAIN_FIELDS =
  "iteration trial accepted loss objective gradientNorm gradientCosine damping gainRatio stepNorm acceleration condition validationLoss subset secant";
const FLOW_FIELDS =
  "step time stepSize rejections evaluations error loss objective gradientNorm gradientCosine dissipation dissipated damping smallestEigenvalue distance rank condition";

/** Inputs uniform in [-1, 1), smooth targets of c outputs with noise, weights in (0, 2): the same every time. */
function samples(d, c, n, noise = 0.05) {
  let state = 88_172_645;
  const uniform = () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 31 - 1;
  };
  const inputs = Float64Array.from({ length: n * d }, uniform);
  const weights = Float64Array.from({ length: n }, () => 1 + uniform());
  const targets = Float64Array.from({ length: n * c }, (_, k) => {
    const row = inputs.subarray(Math.floor(k / c) * d, Math.floor(k / c) * d + d);
    return row.reduce((sum, x, j) => sum + Math.sin((1 + (k % c)) * x * (j + 1)), 0) + noise * uniform();
  });
  return { inputs, targets, weights, inputSize: d, outputSize: c };
}

const without = ({ weights: _, ...data }) => data;

async function asFile({ inputs, targets, inputSize: d, outputSize: c }, name) {
  const path = join(folder, `${name}.gfd`);
  const names = (letter, count) => Array.from({ length: count }, (_, k) => `${letter}${k}`);
  const rows = Array.from({ length: targets.length / c }, (_, i) => [
    ...inputs.subarray(i * d, i * d + d),
    ...targets.subarray(i * c, i * c + c),
  ]);
  await library.writeDataFile(path, { featureNames: names("x", d), targetNames: names("y", c) }, rows);
  return library.openDataFile(path);
}

const plain = { validation: false, stop: { iterations: 8 } };
const small = samples(3, 1, 120);
const wide = samples(6, 2, 60);
const tall = samples(8, 1, 3000);

/** name -> [network options, data, train options, which engines]. */
const trainings = {
  "primal double": [{ layers: [3, 8, 6, 1] }, without(small), plain],
  "primal weights decay": [{ layers: [3, 8, 1] }, small, { ...plain, loss: squaredError({ decay: 1e-3 }) }],
  "primal validation condition": [{ layers: [3, 8, 1] }, without(small), { stop: { iterations: 12 }, condition: true }],
  "primal marquardt": [
    { layers: [3, 8, 1] },
    small,
    { ...plain, method: levenbergMarquardt({ scaling: "marquardt" }) },
  ],
  "primal identity hybrid": [
    { layers: [3, 8, 1] },
    small,
    { ...plain, method: levenbergMarquardt({ scaling: "identity", damping: "hybrid", acceleration: false }) },
  ],
  "primal stalls, secant": [{ layers: [3, 6, 1] }, small, { validation: false, stop: { iterations: 60 } }],
  "primal raw units": [{ layers: [3, 8, 1] }, small, named({ ...plain, standardize: false })],
  "primal centered": [named({ layers: [3, 8, 1], centered: true, outputScale: 3 }), without(small), plain],
  "gauss-newton": [{ layers: [3, 5, 1] }, without(small), { ...plain, method: gaussNewton() }],
  "primal single, subset": [{ layers: [8, 32, 32, 1] }, without(tall), plain, ["native"]],
  "primal three outputs": [{ layers: [4, 10, 8, 3], activation: "gelu" }, without(samples(4, 3, 400)), plain],
  dual: [{ layers: [6, 30, 2] }, without(wide), plain],
  "dual weights decay": [{ layers: [6, 30, 2] }, wide, { ...plain, loss: squaredError({ decay: 1e-3 }) }],
  "dual marquardt": [{ layers: [6, 30, 2] }, wide, { ...plain, method: levenbergMarquardt({ scaling: "marquardt" }) }],
  "matrix-free": [{ layers: [6, 12, 2] }, without(wide), { ...plain, route: "matrix-free" }],
  "matrix-free subset": [
    { layers: [20, 16, 4] },
    without(samples(20, 4, 5000)),
    { ...plain, route: "matrix-free" },
    ["native"],
  ],
  "matrix-free nystrom": [
    { layers: [6, 12, 2] },
    without(wide),
    { ...plain, route: "matrix-free", matrixFree: { preconditioner: "nystrom" } },
  ],
  "matrix-free kronecker": [
    { layers: [6, 12, 2] },
    without(wide),
    { ...plain, route: "matrix-free", matrixFree: { preconditioner: "kronecker" } },
  ],
  file: [{ layers: [3, 8, 1] }, await asFile(small, "small"), plain],
  "file three thousand rows": [{ layers: [8, 16, 1] }, await asFile(tall, "tall"), plain, ["native"]],
};

/** name -> [network options, data, flow options]. */
const flows = {
  "flow gauss-newton": [named({ layers: [3, 5, 1], centered: true, outputScale: 100 }), without(small), { until: 2 }],
  "flow spectral, dual": [{ layers: [6, 30, 2] }, without(samples(6, 2, 12)), { until: 1 }],
  "flow gradient": [{ layers: [3, 5, 1] }, small, { damping: 1, until: 0.05 }],
  "flow orthogonal": [
    named({ layers: [3, 5, 1], centered: true, outputScale: 100 }),
    without(small),
    { until: 1, route: "orthogonal" },
  ],
};

function digest(parameters, records, fields) {
  const hash = createHash("sha256");
  hash.update(new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength));
  // Numbers go in with all their digits: a shortest decimal form determines the double.
  for (const record of records) hash.update(JSON.stringify(fields.split(" ").map((name) => record[name] ?? null)));
  return hash.digest("hex").slice(0, 24);
}

const answers = {};
async function put(name, backend, threads, run) {
  const label = `${name} (${backend === "native" ? `native, ${threads} thread${threads === 1 ? "" : "s"}` : backend})`;
  if (label.includes(only ?? "")) answers[label] = await run();
}

for (const [backend, threads] of [
  ["native", 1],
  ["native", 2],
  ["typescript", 1],
]) {
  for (const [name, [shape, data, options, engines = ["native", "typescript"]]] of Object.entries(trainings)) {
    if (!engines.includes(backend)) continue;
    await put(name, backend, threads, async () => {
      const result = await train(network({ seed: 1, ...shape }), data, { ...options, backend, threads });
      return digest(result.last.parameters, result.records, TRAIN_FIELDS);
    });
  }
  for (const [name, [shape, data, options]] of Object.entries(flows))
    await put(name, backend, threads, async () => {
      const result = await flow(network({ seed: 1, ...shape }), data, { ...options, backend, threads });
      return digest(result.network.parameters, result.records, FLOW_FIELDS);
    });
}
rmSync(folder, { recursive: true });
process.send(answers, () => process.exit(0));
