// What the scenes compute: a linearization long enough to be interrupted.
import { pathToFileURL } from "node:url";
import { workerData } from "node:worker_threads";

export const library = workerData?.library ?? process.argv[2];
export const { createEngine, network } = await import(pathToFileURL(library).href);
export const request = { curvature: "primal", decay: 0, scaling: null };

export function problem(n = 4000, width = 40) {
  const net = network({ layers: [6, width, width, 1], seed: 1 });
  const inputs = Float64Array.from({ length: n * 6 }, (_, k) => Math.sin(k));
  const targets = Float64Array.from({ length: n }, (_, i) => Math.cos(i));
  const engine = createEngine(net.architecture, { sampleCount: n, inputs, targets }, { backend: "native", threads: 2 });
  return { net, engine };
}
