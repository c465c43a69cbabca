// Makes synthetic regression problems and engines for the benchmarks of the kernels (bench/cases, costs, event-loop, determinism and
// others). The values hardly affect a kernel's time, but they are ordinary: inputs uniform in [-1,1], smooth targets, LeCun weights, so no
// denormal and no saturated unit.
import { network } from "../../dist/index.js";

/** Numbers in [-1, 1), the same every time. */
export function uniform(count, seed = 1) {
  const values = new Float64Array(count);
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let i = 0; i < count; i++) {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    values[i] = state / 2 ** 31 - 1;
  }
  return values;
}

/** { network, architecture, parameters, data } for layers [d, ..., c] and n samples. */
export function problem(layers, sampleCount, options = {}) {
  const net = network({ layers, activation: "tanh", seed: 1, ...options });
  const [d, c] = [layers[0], layers.at(-1)];
  const inputs = uniform(sampleCount * d);
  const targets = new Float64Array(sampleCount * c);
  for (let i = 0; i < sampleCount; i++) {
    for (let a = 0; a < c; a++) {
      let sum = 0;
      for (let k = 0; k < d; k++) sum += Math.sin((a + 1) * inputs[i * d + k] * (1 + k / d)) / Math.sqrt(d);
      targets[i * c + a] = sum;
    }
  }
  return {
    network: net,
    architecture: net.architecture,
    parameters: Float64Array.from(net.parameters),
    data: { sampleCount, inputs, targets },
  };
}

/** An engine of the built library, `kind` native or reference. Imported on demand: one may be missing. */
export async function engineFor(kind, problem_, threads) {
  const { architecture, data } = problem_;
  if (kind === "native") {
    const { createNativeEngine } = await import("../../dist/backend/native/engine.js");
    return createNativeEngine(architecture, data, { threads });
  }
  const { createReferenceEngine } = await import("../../dist/backend/reference/engine.js");
  return createReferenceEngine(architecture, data);
}

/** Throws where an engine answered with a failure instead of a value. */
export function mustSucceed(answer) {
  if (!answer?.ok) throw new Error(`the engine failed: ${answer?.message ?? JSON.stringify(answer)}`);
}
