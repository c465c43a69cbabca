// A training on batches in a process that does nothing else: what it holds after the first steps and after ten times as many. Run with
// --expose-gc. argument: JSON { method, options, layers, rows, backend, marks: [steps, steps] }
import { pathToFileURL } from "node:url";

const [, , library, argument] = process.argv;
const { method, options, layers, rows, backend, marks } = JSON.parse(argument);
const face = await import(pathToFileURL(library).href);
const [d, c] = [layers[0], layers.at(-1)];
const inputs = Float64Array.from({ length: rows * d }, (_, k) => Math.sin(k * 1.3));
const targets = Float64Array.from({ length: rows * c }, (_, k) => Math.cos(k * 0.7));
const data = face.dataset({ inputs, targets, inputSize: d, outputSize: c });
const net = face.network({ layers, seed: 1 });
const [first, last] = marks;
const held = [];
const onRecord = ({ iteration }) => {
  if (iteration === 0) return;
  if (iteration !== first && iteration !== last) return;
  global.gc();
  const { external, heapUsed, arrayBuffers: kept } = process.memoryUsage();
  held.push({ iteration, external, heapUsed, arrayBuffers: kept, rss: process.memoryUsage.rss() });
};
await face.train(net, data, {
  backend,
  threads: 1,
  validation: false,
  method: face[method](options),
  stop: { iterations: last, validateEvery: first },
  onRecord,
});
console.log(JSON.stringify({ held }));
