// Trains four networks (two by the primal route, one by the dual, one by the matrix-free), each with one slot and with four, with one thread
// and with two, twice each, every time in a new process, and prints hashes of the last parameters. It prints "identical" if the hashes of
// the four processes are equal, else "DIFFERENT" with exit code 1. A developer runs it by hand after `npm run build`: node bench/determinism.mjs.
import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { train } from "../dist/index.js";
import { problem } from "./lib/problem.mjs";

async function digest() {
  const hashes = [];
  // Primal with one output, primal with three and several sample blocks, dual, matrix-free: the first and the last with a subset of the
  // samples behind the curvature.
  for (const [layers, n, route = "auto"] of [
    [[8, 32, 32, 1], 5000],
    [[6, 16, 12, 3], 20_000],
    [[8, 200, 2], 300],
    [[20, 16, 4], 9000, "matrix-free"],
  ]) {
    const { network, data } = problem(layers, n);
    const { inputs, targets } = data;
    for (const slots of [1, 4]) {
      const { last, plan } = await train(
        network,
        { inputs, targets, inputSize: layers[0], outputSize: layers.at(-1) },
        { stop: { iterations: 8 }, route, slots },
      );
      const bits = createHash("sha256").update(Buffer.from(last.parameters.buffer)).digest("hex").slice(0, 32);
      hashes.push(`${plan.route}${slots === 1 ? "" : ` S=${slots}`} ${bits}`);
    }
  }
  return hashes.join("  ");
}

if (process.send) process.send(await digest());
else {
  const seen = new Set();
  for (const threads of ["1", "2", "1", "2"]) {
    const child = fork(fileURLToPath(import.meta.url), [], { env: { ...process.env, GAUSSFLOW_THREADS: threads } });
    const answer = await new Promise((resolve, reject) => {
      child.once("message", resolve);
      child.once("exit", (code) => reject(new Error(`the child ended with ${code}`)));
    });
    console.log(`GAUSSFLOW_THREADS=${threads}  ${answer}`);
    seen.add(answer);
  }
  console.log(seen.size === 1 ? "identical" : "DIFFERENT");
  process.exitCode = seen.size === 1 ? 0 : 1;
}
