// Writes and reads a problem as every peer reads it: a folder with `shape` (text: sample count, then the layer sizes) and raw float64 files
// in this machine's byte order: `inputs`, `targets` (row by row) and `weights` (W1, b1, W2, b2, ... with each W as inputs x outputs, row by
// row). problems.mjs and bench/large.mjs write them; the JavaScript peers read them.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Network parameters (each W as outputs x inputs) in the peers' order, or back with `toPeers` false. */
export function reorderWeights(parameters, layers, toPeers = true) {
  const result = new Float64Array(parameters.length);
  let at = 0;
  for (let l = 0; l + 1 < layers.length; l++) {
    const [a, b] = [layers[l], layers[l + 1]];
    for (let i = 0; i < a; i++) {
      for (let j = 0; j < b; j++) {
        const [peers, ours] = [at + i * b + j, at + j * a + i];
        if (toPeers) result[peers] = parameters[ours];
        else result[ours] = parameters[peers];
      }
    }
    for (let k = at + a * b; k < at + (a + 1) * b; k++) result[k] = parameters[k];
    at += (a + 1) * b;
  }
  if (at !== parameters.length)
    throw new Error(`layers ${layers.join("-")} have ${at} parameters; received ${parameters.length}`);
  return result;
}

/** Writes a problem: flat inputs [n d] and targets [n c], parameters in the network's own order. */
export function writeProblem(folder, { layers, inputs, targets, parameters }) {
  const sampleCount = inputs.length / layers[0];
  if (!Number.isInteger(sampleCount) || targets.length !== sampleCount * layers.at(-1))
    throw new Error(`${inputs.length} inputs and ${targets.length} targets do not fit layers ${layers.join("-")}`);
  mkdirSync(folder, { recursive: true });
  const write = (name, values) => {
    const data = Float64Array.from(values);
    writeFileSync(join(folder, name), new Uint8Array(data.buffer));
  };
  write("inputs", inputs);
  write("targets", targets);
  write("weights", reorderWeights(parameters, layers));
  writeFileSync(join(folder, "shape"), `${[sampleCount, ...layers].join(" ")}\n`);
}

/** Reads it back; `weights` stay in the peers' order. */
export function readProblem(folder) {
  const [sampleCount, ...layers] = readFileSync(join(folder, "shape"), "utf8").trim().split(/\s+/).map(Number);
  const read = (name) => new Float64Array(new Uint8Array(readFileSync(join(folder, name))).buffer);
  return { sampleCount, layers, inputs: read("inputs"), targets: read("targets"), weights: read("weights") };
}
