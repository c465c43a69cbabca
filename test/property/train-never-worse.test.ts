// Whatever the data and the network: training ends with a reason, the objective never rises on the way, and the network that comes
// back is finite and no worse than the start.

import { describe, expect, it } from "vitest";
import { gaussNewton, levenbergMarquardt, network, squaredError, train } from "../../src/index.js";
import { fc } from "../helpers/property.js";

const problem = fc.record({
  samples: fc.integer({ min: 1, max: 12 }),
  inputs: fc.integer({ min: 1, max: 3 }),
  outputs: fc.integer({ min: 1, max: 2 }),
  hidden: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 2 }),
  activation: fc.constantFrom("tanh", "softplus", "sin", "relu", "identity"),
  magnitude: fc.constantFrom(1e-150, 1e-8, 1, 1e8, 1e150),
  seed: fc.integer({ min: 0, max: 1000 }),
  route: fc.constantFrom("auto", "primal", "dual"),
  decay: fc.constantFrom(0, 0, 1e-3),
  standardize: fc.boolean(),
  method: fc.constantFrom(
    levenbergMarquardt(),
    levenbergMarquardt({ scaling: "identity", damping: "hybrid" }),
    gaussNewton(),
  ),
  numbers: fc.infiniteStream(fc.integer({ min: -5, max: 5 })),
});

describe("training", () => {
  it("ends for a reason where the curvature nears the end of the double range", async () => {
    // One sample of magnitude 1e150: a rejected damping of 1e300 * growth would be infinite. Found by the property below.
    const net = network({ layers: [1, 1, 1], activation: "sin", seed: 0 });
    for (const scaling of ["identity", "root", "marquardt"] as const) {
      const result = await train(
        net,
        { inputs: [[4e150]], targets: [5e150] },
        {
          method: levenbergMarquardt({ scaling, damping: "hybrid" }),
          standardize: false,
          validation: false,
          backend: "typescript",
        },
      );
      expect(result.network.parameters.every(Number.isFinite)).toBe(true);
    }
  });

  it("never makes a network worse, whatever the data", async () => {
    await fc.assert(
      fc.asyncProperty(problem, async (given) => {
        const { samples, inputs, outputs, magnitude, numbers } = given;
        const draw = (count: number) =>
          Float64Array.from({ length: count }, () => magnitude * (numbers.next().value ?? 0));
        const data = {
          inputs: draw(samples * inputs),
          targets: draw(samples * outputs),
          inputSize: inputs,
          outputSize: outputs,
        };
        const { activation, seed, route, decay, standardize, method } = given;
        const net = network({ layers: [inputs, ...given.hidden, outputs], activation, seed });
        const result = await train(net, data, {
          loss: squaredError({ decay }),
          method,
          route,
          standardize,
          validation: false,
          backend: "typescript",
          stop: { iterations: 8 },
        });
        expect(result.reason.message).toMatch(/\S/);
        expect(result.network.parameters.every(Number.isFinite)).toBe(true);
        const kept = result.records.map((record) => record.objective);
        for (let k = 1; k < kept.length; k++) expect(kept[k]).toBeLessThanOrEqual(kept[k - 1]);
        if (kept.length === 0) expect(result.reason.code).toBe("non-finite");
      }),
      { numRuns: 150 },
    );
  });
});
