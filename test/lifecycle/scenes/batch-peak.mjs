// One training on batches in a process that does nothing else: the planned bytes, and those that the process has come to (the most resident
// memory, as the kernel counted it). argument: JSON { method, options, layers, rows, iterations, backend, file }
import { pathToFileURL } from "node:url";

const [, , library, argument] = process.argv;
const { method, options, layers, rows, iterations, backend, file } = JSON.parse(argument);
const face = await import(pathToFileURL(library).href);
const [d, c] = [layers[0], layers.at(-1)];
const net = face.network({ layers, seed: 1 });

/** Number k of the inputs, and of the targets. */
const [input, target] = [(k) => Math.sin(k * 1.3), (k) => Math.cos(k * 0.7)];

async function inFile() {
  const row = new Float64Array(d + c);
  function* all() {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < d; j++) row[j] = input(i * d + j);
      for (let a = 0; a < c; a++) row[d + a] = target(i * c + a);
      yield row;
    }
  }
  const names = (count, stem) => Array.from({ length: count }, (_, k) => `${stem}${k}`);
  await face.writeDataFile(file, { featureNames: names(d, "x"), targetNames: names(c, "y") }, all());
  return face.openDataFile(file);
}

/** The caller's own arrays, which the plan counts beside the copy of the library. */
const inMemory = () => ({
  inputs: Float64Array.from({ length: rows * d }, (_, k) => input(k)),
  targets: Float64Array.from({ length: rows * c }, (_, k) => target(k)),
  inputSize: d,
  outputSize: c,
});

const data = file === undefined ? inMemory() : await inFile();
const given = { backend, threads: 2, validation: false, memoryLimit: 4e9, method: face[method](options) };
const { bytes } = face.plan(net, data, given).chosen;
const before = process.resourceUsage().maxRSS * 1024;
const result = await face.train(net, data, { ...given, stop: { iterations } });
const measured = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ bytes, before, measured, reason: result.reason.code }));
