// A training holds its inputs once in JavaScript (the data set) and once in the engine: not their scaled copy, once that is in the engine.
import { pathToFileURL } from "node:url";

const { createEngine, network, train } = await import(pathToFileURL(process.argv[2]).href);
const [samples, width] = [1000, 1000];
const settle = async () => {
  for (let k = 0; k < 5; k++) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().arrayBuffers;
};
const made = () => Float64Array.from({ length: samples * width }, (_, k) => Math.sin(k));
const targets = Float64Array.from({ length: samples }, (_, k) => Math.cos(k));
const net = network({ layers: [width, 2, 1], seed: 1 });

/** The engine alone: what it was made of is gone. */
function engineOfItsOwn() {
  const inputs = made();
  inputs[700 * width + 3] = Number.NaN;
  return [
    createEngine(net.architecture, { sampleCount: samples, inputs, targets }, { backend: "native" }),
    new WeakRef(inputs),
  ];
}
const [engine, reference] = engineOfItsOwn();
await settle();
if (reference.deref() !== undefined) console.log("the engine holds its caller's inputs");
const failure = await engine.evaluate(net.parameters);
engine.dispose();

const inputs = made();
const before = await settle();
let most = 0;
await train(
  net,
  { inputs, targets, inputSize: width, outputSize: 1 },
  {
    backend: "native",
    route: "dual",
    validation: false,
    stop: { iterations: 2 },
    onRecord: async () => {
      most = Math.max(most, (await settle()) - before);
    },
  },
);
const copies = most / inputs.byteLength;
console.log(`${failure.where.sample} ${copies < 1.5 ? "one copy" : `${copies} copies`}`);
