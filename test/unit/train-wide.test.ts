// Runs with so many parameters that gradients, steps and trial points are written to arrays of earlier iterations.
import { describe, expect, test } from "vitest";
import { LARGE_VECTOR } from "../../src/algebra/vectors.js";
import { createNativeEngine } from "../../src/backend/native/engine.js";
import { loadNative } from "../../src/backend/native/load.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { SpareVectors } from "../../src/linearize/spare-vectors.js";
import { Slot, Workspace } from "../../src/linearize/workspace.js";
import { levenbergMarquardt } from "../../src/method/levenberg-marquardt/levenberg-marquardt.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import { minimize } from "../../src/train/minimize.js";
import type { MinimizeOptions, MinimizeResult } from "../../src/train/minimize-options.js";
import { stopRules } from "../../src/train/stop.js";

const layers = [LARGE_VECTOR / 32, 32, 2];
const sampleCount = 3;
const random = new Random(7);
const data = {
  sampleCount,
  inputs: new Float64Array(sampleCount * layers[0]).map(() => random.uniform() - 0.5),
  targets: Float64Array.from({ length: sampleCount * 2 }, () => random.normal()),
};
const net = network({ layers, seed: 1 });

/** The arrays that an engine has answered with, besides the engine. */
function watched(engine: NetworkEngine) {
  const arrays = new Set<Float64Array>();
  const { linearize, solve, accelerate } = engine;
  Object.assign(engine, {
    linearize: async (...given: Parameters<NetworkEngine["linearize"]>) => {
      const answer = await linearize.apply(engine, given);
      if ("ok" in answer) arrays.add(answer.gradient);
      return answer;
    },
    solve: async (...given: Parameters<NetworkEngine["solve"]>) => {
      const answer = await solve.apply(engine, given);
      if ("ok" in answer) arrays.add(answer.step);
      return answer;
    },
    accelerate: async (...given: Parameters<NetworkEngine["accelerate"]>) => {
      const answer = await accelerate.apply(engine, given);
      if ("ok" in answer) arrays.add(answer.acceleration);
      return answer;
    },
  });
  return { engine, arrays };
}

async function run(engine: NetworkEngine, options: Partial<MinimizeOptions> = {}): Promise<MinimizeResult> {
  const steps = minimize(engine, net.parameters, {
    method: levenbergMarquardt(),
    stop: stopRules({ iterations: 5, gradient: 0, step: 0, reduction: 0 }),
    route: "dual",
    decay: 0,
    ...options,
  });
  for (;;) {
    const next = await steps.next();
    if (next.done) return next.value;
  }
}

const engines = {
  native: (threads: number) => createNativeEngine(net.architecture, data, { threads }),
  typescript: () => createReferenceEngine(net.architecture, data),
};
const kinds = (loadNative().ok ? ["native", "typescript"] : ["typescript"]) as (keyof typeof engines)[];

describe.each(kinds)("a run of 2 million parameters on the %s engine", (kind) => {
  test("keeps the parameters of its best and last point while it writes others over earlier ones", async () => {
    const engine = engines[kind](1);
    // A first damping so small that trials are rejected.
    const other = engines[kind](1);
    const method = levenbergMarquardt({ initialDamping: 1e-12 });
    const stop = stopRules({ iterations: 3, gradient: 0, step: 0, reduction: 0 });
    const result = await run(engine, { method, stop, validation: { engine: other, meanFactor: 1 } });
    for (const point of [result.best, result.last]) {
      const again = await engine.evaluate(point.parameters);
      expect("ok" in again && (2 * again.loss) / (sampleCount * 2)).toBeCloseTo(point.loss, 14);
    }
    const again = await other.evaluate(result.bestValidation?.parameters ?? new Float64Array(0));
    expect("ok" in again && again.loss).toBeCloseTo(result.bestValidation?.value ?? Number.NaN, 14);
    engine.dispose();
    other.dispose();
  });
});

test.skipIf(!loadNative().ok)(
  "five iterations of the native engine take no more arrays than two, and one thread the bits of two",
  async () => {
    const two = watched(engines.native(2));
    const result = await run(two.engine);
    expect(result.iterations).toBe(5);
    // A gradient, a velocity and an acceleration; a trial point may take the place of one of them, and the next one another.
    expect(two.arrays.size).toBeLessThanOrEqual(5);
    const one = await run(engines.native(1));
    expect(one.best.parameters.every((value, j) => value === result.best.parameters[j])).toBe(true);
    expect(one.records.map(({ objective }) => objective)).toEqual(result.records.map(({ objective }) => objective));
  },
);

test("spare vectors come back only when nothing refers to them", () => {
  expect(SpareVectors.for(LARGE_VECTOR - 1)).toBeNull();
  const spare = SpareVectors.for(LARGE_VECTOR) as SpareVectors;
  expect(spare.take()).toBeUndefined();
  const [state, nested, free] = [new Float64Array(1), new Float64Array(2), new Float64Array(3)];
  for (const vector of [state, nested, free]) spare.borrow(vector);
  const workspace = new Workspace();
  workspace.set(new Slot<unknown>("a list with a view"), [{ view: nested.subarray(1) }]);
  const ring: { workspace: Workspace; self?: unknown } = { workspace };
  ring.self = ring;
  spare.reclaim([null, 3, { state }, ring]);
  expect(spare.take()).toBe(free);
  expect(spare.take()).toBeUndefined();
  spare.reclaim([free]);
  expect([spare.take(), spare.take()].map((vector) => vector?.length).sort()).toEqual([1, 2]);
  expect(spare.take()).toBeUndefined();
});
