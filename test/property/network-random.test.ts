// What holds for every network: the map covers the parameters, files bring back every bit, predictions in raw units do not depend on
// how inputs are given, derivatives are derivatives, the two routes take the same step.

import { describe, expect, it } from "vitest";
import { failed } from "../../src/backend/engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { modelFromJson, modelToJson, type NetworkOptions, network, Random } from "../../src/index.js";
import { ACTIVATION_NAMES } from "../../src/network/activations.js";
import { INITIALIZATION_NAMES } from "../../src/network/initialize.js";
import { fc } from "../helpers/property.js";

// relu is left out: differences across its kink are no derivatives.
const smooth = ACTIVATION_NAMES.filter((name) => name !== "relu");

const options: fc.Arbitrary<NetworkOptions> = fc
  .array(fc.integer({ min: 1, max: 6 }), { minLength: 2, maxLength: 5 })
  .chain((layers) =>
    fc.record({
      layers: fc.constant(layers),
      activation: fc.array(fc.constantFrom(...smooth), { minLength: layers.length - 2, maxLength: layers.length - 2 }),
      bias: fc.array(fc.boolean(), { minLength: layers.length - 1, maxLength: layers.length - 1 }),
      initialization: fc.constantFrom(...INITIALIZATION_NAMES.filter((name) => name !== "symmetric")),
      outputScale: fc.constantFrom(1, 0.25, 10),
      centered: fc.boolean(),
      seed: fc.nat(),
    }),
  );

function moved(given: NetworkOptions) {
  const net = network(given);
  const random = new Random(given.seed ?? 0, 5);
  const draw = (count: number) => Float64Array.from({ length: count }, () => random.normal());
  const positive = (count: number) => draw(count).map((value) => 0.5 + Math.abs(value));
  const scaling = {
    inputs: { offset: draw(net.inputSize), scale: positive(net.inputSize) },
    targets: { offset: draw(net.outputSize), scale: positive(net.outputSize) },
  };
  const parameters = net.parameters.map((value) => value + 0.1 * random.normal());
  return { net: net.withParameters(parameters).withScaling(scaling), draw };
}

describe("every network", () => {
  it("has a map that covers its parameters once, in order", () => {
    fc.assert(
      fc.property(options, (given) => {
        const net = network(given);
        let end = 0;
        for (const { offset, rows, columns } of net.parameterMap()) {
          expect(offset).toBe(end);
          end += rows * columns;
        }
        expect(end).toBe(net.parameterCount);
      }),
    );
  });

  it("comes back from its file to the last bit", () => {
    fc.assert(
      fc.property(options, (given) => {
        const { net, draw } = moved(given);
        const back = modelFromJson(modelToJson(net));
        expect(back.state()).toEqual(net.state());
        expect(modelToJson(back)).toBe(modelToJson(net));
        const x = draw(7 * net.inputSize);
        expect(back.predict(x)).toEqual(net.predict(x));
      }),
    );
  });

  it("predicts a row the same alone, among others, as rows or flat; and 0 at its own center", () => {
    fc.assert(
      fc.property(options, (given) => {
        const { net, draw } = moved(given);
        const d = net.inputSize;
        const x = draw(131 * d); // beyond the 128 rows of a pass
        const all = net.predict(x);
        const rows = Array.from({ length: 131 }, (_, i) => [...x.subarray(i * d, (i + 1) * d)]);
        expect(net.predict(rows)).toEqual(all);
        // Sums run in the same order whatever the tiling, so not a bit differs.
        expect(net.predict([rows[130]])).toEqual(all.slice(-net.outputSize));
        if (net.center !== null)
          expect(
            net
              .withScaling(null)
              .withParameters(net.center)
              .predict(x)
              .every((value) => value === 0),
          ).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it("has the input Jacobian that differences of its raw predictions show", () => {
    fc.assert(
      fc.property(options, (given) => {
        const { net, draw } = moved(given);
        const x = draw(net.inputSize);
        const jacobian = net.inputJacobian(x);
        const h = 1e-5;
        const size = 1 + Math.max(...jacobian.map(Math.abs), ...net.predict(x).map(Math.abs));
        for (let k = 0; k < x.length; k++) {
          const at = (by: number) => net.predict(x.map((value, i) => (i === k ? value + by : value)));
          const [up, down] = [at(h), at(-h)];
          // Truncation h^2 f''' / 6 with f''' up to the fifth power of weights of order 3, and rounding eps / h.
          for (let a = 0; a < net.outputSize; a++)
            expect(Math.abs((up[a] - down[a]) / (2 * h) - jacobian[a * x.length + k]) / size).toBeLessThan(1e-6);
        }
      }),
    );
  });

  it("takes the same damped step by the Gram and by the kernel, with weights and decay", async () => {
    await fc.assert(
      fc.asyncProperty(options, fc.integer({ min: 1, max: 30 }), fc.constantFrom(0, 0.4), async (given, n, decay) => {
        const { net, draw } = moved(given);
        const engine = createReferenceEngine(net.architecture, {
          sampleCount: n,
          inputs: draw(n * net.inputSize),
          targets: draw(n * net.outputSize),
          weights: draw(n).map(Math.abs),
        });
        const steps: Float64Array[] = [];
        let condition = 1;
        for (const curvature of ["primal", "dual"] as const) {
          const point = await engine.linearize(net.parameters, { curvature, decay, scaling: null });
          if (failed(point)) throw new Error(point.message);
          const solved = await engine.solve({ damping: 0.6, decay, scaling: null, condition: true });
          if (failed(solved)) throw new Error(solved.message);
          steps.push(solved.step);
          condition = Math.max(condition, solved.condition);
        }
        const size = Math.max(...steps[0].map(Math.abs), Number.MIN_VALUE);
        const worst = Math.max(...steps[0].map((value, j) => Math.abs(value - steps[1][j])));
        // Sums of at most 180 terms; the damped systems carry their condition number into the step.
        expect(worst / size).toBeLessThan(4 * 180 * condition * Number.EPSILON);
      }),
    );
  });
});
