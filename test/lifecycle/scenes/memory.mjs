import { pathToFileURL } from "node:url";
import { problem } from "./problem.mjs";

const { network, train } = await import(pathToFileURL(process.argv[2]).href);
const inputs = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
const targets = inputs.map(([a, b]) => a * b);
const net = network({ layers: [2, 6, 1], seed: 1 });
const settle = async () => {
  for (let k = 0; k < 5; k++) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().rss;
};
let at = 0;
for (let k = 0; k < 1000; k++) {
  await train(net, { inputs, targets }, { backend: "native", stop: { iterations: 4 } });
  // Engines that are dropped without dispose: about 5 MB each, 300 of them would be 1.5 GB.
  if (k % 3 === 0) problem(1000, 20);
  if (k === 300) at = await settle();
}
const growth = (await settle()) - at;
// One leaked engine in three would be above 1 GB; arenas and the garbage collector's own play stay well below this.
console.log(growth < 60 * 2 ** 20 ? "steady" : `grew by ${growth} bytes`);
