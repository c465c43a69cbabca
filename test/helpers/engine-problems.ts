// Random networks with random data for tests of both engines, and how their answers are compared.

import type { EngineData, Failure } from "../../src/backend/engine.js";
import { createNativeEngine } from "../../src/backend/native/engine.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { ACTIVATION_NAMES } from "../../src/network/activations.js";
import type { ActivationName, Architecture } from "../../src/network/architecture.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import { fc } from "./property.js";

export interface EngineProblem {
  readonly architecture: Architecture;
  readonly parameters: Float64Array;
  readonly data: EngineData;
}

export const problems = fc
  .record({
    layers: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 5 }),
    activation: fc.constantFrom<ActivationName>(...ACTIVATION_NAMES),
    bias: fc.boolean(),
    ntk: fc.boolean(),
    outputScale: fc.constantFrom(1, 0.3, 20),
    samples: fc.integer({ min: 1, max: 300 }),
    weighted: fc.boolean(),
    seed: fc.integer({ min: 0, max: 2 ** 31 }),
  })
  .map(({ layers, activation, bias, ntk, outputScale, samples: drawn, weighted, seed }): EngineProblem => {
    // The dual system has n c rows: 400 cross the blocks and tiles of both engines; 2,700 would only cost minutes.
    const samples = Math.min(drawn, Math.floor(400 / layers[layers.length - 1]));
    const net = network({
      layers,
      activation,
      bias,
      outputScale,
      seed,
      initialization: ntk ? "ntk" : "lecun-normal",
    });
    const random = new Random(seed, 1);
    const draw = (count: number) => Float64Array.from({ length: count }, () => random.normal());
    const parameters = net.parameters.map((value) => value + 0.1 * random.normal());
    const weights = draw(samples).map(Math.abs);
    return {
      architecture: net.architecture,
      parameters,
      data: {
        sampleCount: samples,
        inputs: draw(samples * layers[0]),
        targets: draw(samples * layers[layers.length - 1]),
        ...(weighted ? { weights } : {}),
      },
    };
  });

/** Largest difference relative to the largest entry. */
export function difference(a: Float64Array, b: Float64Array): number {
  let top = 0;
  let scale = Number.MIN_VALUE;
  for (let k = 0; k < a.length; k++) {
    top = Math.max(top, Math.abs(a[k] - b[k]));
    scale = Math.max(scale, Math.abs(a[k]));
  }
  return a.length === b.length ? top / scale : Number.POSITIVE_INFINITY;
}

// Sums of up to n c p terms in different orders, activations of up to 4 ulp each: c n eps with c = 4 per layer and n = 300 * 9.
export const tolerance = 4 * 5 * 2700 * Number.EPSILON;

/** The same body with the reference engine, then with the native one. */
export async function both(problem: EngineProblem, body: (engine: NetworkEngine) => Promise<void>): Promise<void> {
  for (const create of [createReferenceEngine, createNativeEngine]) {
    const engine = create(problem.architecture, problem.data, { threads: 2 });
    await body(engine);
    engine.dispose();
  }
}

/** The answer, where a failure would be a failed test. */
export async function sure<T extends { readonly ok: true } | Float64Array>(answer: Promise<T | Failure>): Promise<T> {
  const got = await answer;
  if ("code" in got) throw new Error(got.message);
  return got;
}

/** J~ (rows x p, row-major) and r~ at the problem's parameters, written out; ends the engine's curvature. */
export async function explicit(engine: NetworkEngine, { parameters, data }: EngineProblem) {
  const [p, c] = [engine.parameterCount, engine.outputSize];
  const root = (row: number) => Math.sqrt(data.weights?.[Math.floor(row / c)] ?? 1);
  const psi = await engine.forward(parameters);
  const bare = await engine.jacobian(parameters, 0, data.sampleCount);
  return {
    rows: data.sampleCount * c,
    p,
    J: bare.map((value, k) => root(Math.floor(k / p)) * value),
    r: psi.map((value, k) => root(k) * (value - data.targets[k])),
  };
}

/** |x|. */
export function length(x: Float64Array): number {
  return Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
}
