// Trains by the matrix-free route under each preconditioner, on the same problems from the same weights, and by the primal route for
// comparison where it fits. Prints products with G, accepted steps, rejected ones and seconds to each loss, and the loss at the end. A
// developer runs it by hand after `npm run build`; the default of `matrixFree` was chosen from this table (docs/benchmarks.md).
//   GAUSSFLOW_DATA=... node bench/preconditioners.mjs [--only NAME --ranks 32,128 --threads N --seconds N]
import { dataset, levenbergMarquardt, network, train } from "../dist/index.js";
import { friedman } from "./lib/friedman.mjs";
import { machineLine } from "./lib/machine.mjs";
import { defaultThreads, parseOptions, positive } from "./lib/options.mjs";
import { teacherProblem } from "./lib/teacher.mjs";
import { readUci } from "./lib/uci.mjs";

const options = parseOptions(
  "usage: node bench/preconditioners.mjs [--only NAME] [--threads N] [--ranks 32,128] [--seconds N]",
  {
    only: { type: "string" },
    threads: { type: "string" },
    ranks: { type: "string" },
    seconds: { type: "string" },
  },
);
const threads = positive(options.threads, "threads", defaultThreads());
const ranks = (options.ranks ?? "32,128").split(",").map((rank) => positive(rank, "ranks", 32));

const problems = {
  "784-30-10": () => {
    // A tenth of the samples of bench/large.mjs: the iterations hardly change, the seconds do.
    const { net, data } = teacherProblem([784, 30, 10], 6000);
    return { net, data, levels: [1e-1, 3e-2, 1e-2, 1e-3], seconds: 40, primal: false };
  },
  "friedman-8-32-32-1": () => {
    const { net, inputs, targets } = friedman();
    return { net, data: dataset({ inputs, targets }), levels: [1e-2, 1e-3, 5e-4, 4.1e-4], seconds: 20, primal: true };
  },
  "concrete-16-16": () => {
    const rows = readUci("concrete");
    const d = rows[0].length - 1;
    const data = dataset({ inputs: rows.map((row) => row.slice(0, d)), targets: rows.map((row) => row[d]) });
    return {
      net: network({ layers: [d, 16, 16, 1], seed: 1 }),
      data,
      levels: [1e-1, 5e-2, 3e-2],
      seconds: 10,
      primal: true,
    };
  },
};

const settings = [
  ["none", { preconditioner: "none" }],
  ["diagonal", { preconditioner: "diagonal" }],
  ["kronecker", { preconditioner: "kronecker" }],
  ...ranks.map((rank) => [`nystrom ${rank}`, { preconditioner: "nystrom", rank }]),
];

console.log(machineLine(threads, null));
for (const [name, make] of Object.entries(problems)) {
  if (options.only !== undefined && options.only !== name) continue;
  const { net, data, levels, seconds: most, primal } = await make();
  const seconds = options.seconds === undefined ? most : Number(options.seconds);
  console.log(`\n${name}: n = ${data.sampleCount}, p = ${net.parameterCount}, at most ${seconds} s`);
  const columns = levels.map((level) => `<= ${level.toExponential(0)}`.padStart(18)).join("");
  console.log(`${"".padEnd(24)}${columns}${"end".padStart(12)}${"steps".padStart(7)}${"products".padStart(10)}`);
  for (const scaling of ["root", "marquardt", "identity"]) {
    const routes = settings.map(([label, matrixFree]) => [label, { route: "matrix-free", matrixFree }]);
    if (primal) routes.push(["(primal)", { route: "primal" }]);
    for (const [label, choice] of routes) {
      const result = await train(net, data, {
        ...choice,
        method: levenbergMarquardt({ scaling }),
        validation: false,
        threads,
        stop: { seconds, iterations: 1000, gradient: 0 },
      });
      let products = 0;
      const reached = levels.map((level) => {
        const at = result.records.find((record) => record.loss <= level);
        if (at === undefined) return "-".padStart(18);
        const before = result.records.filter((record) => record.elapsed <= at.elapsed);
        const spent = before.reduce((sum, record) => sum + (record.inner?.iterations ?? 0), 0);
        return `${at.elapsed.toFixed(2)} s, ${spent}`.padStart(18);
      });
      for (const record of result.records) products += record.inner?.iterations ?? 0;
      console.log(
        `${`${scaling} ${label}`.padEnd(24)}${reached.join("")}${result.loss.toExponential(3).padStart(12)}${String(result.iterations).padStart(7)}${String(products).padStart(10)}`,
      );
    }
  }
}
