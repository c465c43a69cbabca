// Four trainings in two worker threads; prints how they ended.
import { pathToFileURL } from "node:url";

const { network, trainMany } = await import(pathToFileURL(process.argv[2]).href);
const inputs = Array.from({ length: 200 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
const data = { inputs, targets: inputs.map(([a, b]) => a * b) };
const jobs = [1, 2, 3, 4].map((seed) => ({
  network: network({ layers: [2, 8, 1], seed }),
  data,
  options: { stop: { iterations: 10 } },
}));
const { results } = await trainMany(jobs, { concurrency: 2, threads: 2 });
console.log(`states: ${results.map(({ state, error }) => error?.code ?? state).join(" ")}`);
