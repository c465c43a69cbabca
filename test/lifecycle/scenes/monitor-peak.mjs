// One training with a monitor in a process that does nothing else: the planned bytes, and those that the process has come to (the most
// resident memory, as the kernel counted it).
import { pathToFileURL } from "node:url";

const [, , library, backend, rows, width] = process.argv;
const { dataset, monitor, network, plan, train } = await import(pathToFileURL(library).href);
const n = Number(rows);
const inputs = Float64Array.from({ length: n * 8 }, (_, k) => Math.sin(k * 1.3));
const targets = Float64Array.from({ length: n }, (_, i) => Math.cos(i * 0.7));
const data = dataset({ inputs, targets, inputSize: 8, outputSize: 1 });
const net = network({ layers: [8, Number(width), Number(width), 1], seed: 1 });
const watch = monitor();
const options = { backend, threads: 2, route: "matrix-free", validation: false, monitor: watch, memoryLimit: 4e9 };
const { peak, most } = plan(net, data, options).chosen.bytes;
const before = process.resourceUsage().maxRSS * 1024;
const result = await train(net, data, { ...options, stop: { iterations: 2 } });
const measured = process.resourceUsage().maxRSS * 1024;
console.log(
  JSON.stringify({
    peak,
    most,
    before,
    measured,
    reason: result.reason.code,
    warnings: result.monitor?.warnings ?? [],
  }),
);
