// One training by default options; prints the reason of its end, and the engine that did it.
import { pathToFileURL } from "node:url";

const { network, train } = await import(pathToFileURL(process.argv[2]).href);
const inputs = Array.from({ length: 400 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
const targets = inputs.map(([a, b]) => a * b);
const result = await train(network({ layers: [2, 12, 1], seed: 1 }), { inputs, targets }, { stop: { iterations: 20 } });
console.log(`${result.reason.code}: ${result.reason.message}`);
