// What a resumed run needs stands in the state, as plain data: a snapshot that went through JSON or structuredClone goes on bit for bit.
import { describe, expect, it } from "vitest";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { gaussNewton, levenbergMarquardt, type Method, network, type TrainRoute } from "../../src/index.js";
import type { MatrixFreeSettings } from "../../src/linearize/problem.js";
import { layerSizes } from "../../src/network/parameters.js";
import { minimize } from "../../src/train/minimize.js";
import type { Snapshot } from "../../src/train/snapshot.js";
import { stopRules } from "../../src/train/stop.js";
import { momentumDescent, tenfold } from "../helpers/own-method.js";
import { waves } from "../helpers/problems.js";
import { timelessRecords } from "../helpers/sealed.js";

const { sampleCount, inputs, targets } = waves(120, 3, 1, 3, 0.5);
const net = network({ layers: [3, 6, 1], seed: 2 });
const stop = stopRules({ iterations: 60, gradient: 0, step: 0, reduction: 0 });

interface Case {
  readonly method: Method;
  readonly route: TrainRoute;
  readonly matrixFree?: MatrixFreeSettings;
}

async function run({ matrixFree, ...one }: Case, resume: Snapshot | null) {
  const engine = createReferenceEngine(net.architecture, { sampleCount, inputs, targets });
  const snapshots: Snapshot[] = [];
  const checkpoint = { every: 1, write: async (snapshot: Snapshot) => void snapshots.push(structuredClone(snapshot)) };
  const sizes = layerSizes(net.architecture);
  const steps = minimize(engine, net.parameters, {
    ...one,
    ...(matrixFree === undefined ? {} : { matrixFree }),
    stop,
    decay: 0,
    layerSizes: sizes,
    checkpoint,
    resume,
  });
  for (;;) {
    const next = await steps.next();
    if (next.done) return { result: next.value, snapshots };
  }
}

/** JSON has no arrays of doubles: lists of numbers, whose shortest digits are read back as the same bits. */
function throughJson(snapshot: Snapshot): Snapshot {
  const text = JSON.stringify(snapshot, (_, value) => (value instanceof Float64Array ? { floats: [...value] } : value));
  return JSON.parse(text, (_, value) => (value?.floats ? Float64Array.from(value.floats) : value));
}

const cases: readonly [string, Case][] = [
  ["Levenberg-Marquardt", { method: levenbergMarquardt({ initialDamping: 0.01 }), route: "primal" }],
  ["Levenberg-Marquardt, dual", { method: levenbergMarquardt({ scaling: "marquardt" }), route: "dual" }],
  ["Gauss-Newton", { method: gaussNewton(), route: "primal" }],
  [
    "matrix-free, Nystrom",
    {
      method: levenbergMarquardt(),
      route: "matrix-free",
      matrixFree: { preconditioner: "nystrom", rank: 8, iterations: 100 },
    },
  ],
  ["gradient descent with momentum", { method: momentumDescent(), route: "primal" }],
  ["Levenberg with a tenfold rule", { method: tenfold(), route: "primal" }],
];

describe.each(cases)("%s", (_, one) => {
  it("goes on bit for bit from any snapshot, cloned or through JSON", async () => {
    const { result, snapshots } = await run(one, null);
    if (one.route === "primal" && one.method.name === "levenberg-marquardt")
      expect(result.records.some(({ secant }) => (secant ?? 0) > 1)).toBe(true);
    const last = snapshots.length - 2;
    for (const at of [2, Math.floor(last / 2), last])
      for (const copy of [structuredClone(snapshots[at]!), throughJson(snapshots[at]!)]) {
        const again = (await run(one, copy)).result;
        expect(again.best).toEqual(result.best);
        expect(again.last).toEqual(result.last);
        expect(again.reason).toEqual(result.reason);
        expect(timelessRecords(again.records)).toEqual(timelessRecords(result.records));
      }
  });

  it("holds numbers and arrays of numbers alone", async () => {
    for (const { methodState } of (await run(one, null)).snapshots)
      for (const value of Object.values(methodState))
        expect(typeof value === "number" || value instanceof Float64Array).toBe(true);
  });
});
