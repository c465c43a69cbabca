// The common case against a hand-written numpy LM of the same rule, in one run, alternating: seconds and iterations to each loss.
// Then 15% held out and default patience: the error on the test part.
//   GAUSSFLOW_DATA=... node bench/peers/common-case.mjs [RUNS]
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { train } from "../../dist/index.js";
import { friedman, LEVELS } from "../lib/friedman.mjs";

const runs = Number(process.argv[2] ?? 5);
const target = LEVELS.at(-1);
const { inputs, targets, testInputs, testTargets, net } = friedman();

async function ours() {
  // Our own clock from the call on: a record's `elapsed` leaves out the copying of the data and the making of the engine.
  const path = [];
  const start = performance.now();
  await train(
    net,
    { inputs, targets },
    {
      validation: false,
      standardise: false,
      stop: { loss: target, iterations: 100 },
      onRecord: ({ accepted, iteration, loss }) => {
        if (accepted) path.push([iteration, loss, (performance.now() - start) / 1000]);
      },
    },
  );
  return path;
}

function numpy() {
  const script = fileURLToPath(new URL("./numpy_lm.py", import.meta.url));
  // Debian's numpy on Debian's OpenBLAS, free to choose its kernel.
  const { OPENBLAS_CORETYPE: _core, OPENBLAS_L2_SIZE: _size, ...env } = process.env;
  const child = spawnSync("/usr/bin/python3", [script, String(target), "100"], {
    encoding: "utf8",
    env: { ...env, OPENBLAS_NUM_THREADS: "2" },
  });
  if (child.status !== 0) {
    console.error(`numpy peer missing (apt-get install python3-numpy python3-scipy): ${child.stderr}`);
    process.exit(1);
  }
  return JSON.parse(child.stdout).path;
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const reach = (path, level) => path.find(([, loss]) => loss <= level) ?? [null, null, Number.NaN];

await ours(); // warm, as numpy_lm.py is before its clock starts
const seen = { gaussflow: [], numpy: [] };
for (let k = 0; k < runs; k++) {
  seen.gaussflow.push(await ours());
  seen.numpy.push(numpy());
}
console.log("train MSE    gaussflow            numpy LM             ratio");
for (const level of LEVELS) {
  const cells = Object.values(seen).map((paths) => ({
    seconds: median(paths.map((path) => reach(path, level)[2])),
    iterations: reach(paths[0], level)[0],
  }));
  const text = cells.map(({ seconds, iterations }) => `${seconds.toFixed(2)} s (${iterations})`.padEnd(21)).join("");
  console.log(`${String(level).padEnd(13)}${text}${(cells[0].seconds / cells[1].seconds).toFixed(2)}`);
}
console.log("\n15% held out, default patience:");
for (const seed of [0, 1, 2]) {
  const result = await train(net, { inputs, targets }, { standardise: false, seed });
  const predicted = result.network.predict(testInputs);
  const mse = testTargets.reduce((sum, y, i) => sum + (predicted[i] - y) ** 2, 0) / testTargets.length;
  console.log(
    `  split ${seed}: test MSE ${mse.toExponential(3)} (${result.iterations} iterations, ${result.seconds.toFixed(1)} s)`,
  );
}
