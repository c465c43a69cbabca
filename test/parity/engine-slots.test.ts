// Slots of both engines. Their sums are, bit for bit, those of engines on the samples of one slot each, joined by the tree; and those of
// one slot to rounding.
import { describe, expect, it } from "vitest";
import { type EngineData, type Failure, failed, type LinearizeRequest } from "../../src/backend/engine.js";
import { createNativeEngine } from "../../src/backend/native/engine.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { firstOfSlot } from "../../src/backend/slots.js";
import type { Loss } from "../../src/loss/rules.js";
import { softmaxCrossEntropy } from "../../src/loss/softmax-cross-entropy.js";
import { squaredError } from "../../src/loss/squared-error.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import { difference, sure } from "../helpers/engine-problems.js";

const engines = [
  ["reference", createReferenceEngine],
  ["native", createNativeEngine],
] as const;

// Several blocks of both engines a slot, and slots of different length: 1,003 = 4 * 250 + 3.
const n = 1003;
const net = network({ layers: [3, 5, 4, 2], seed: 11 });
const { architecture, parameters } = net;
const p = net.parameterCount;
const c = net.outputSize;
const random = new Random(5);
const draw = (count: number) => Float64Array.from({ length: count }, () => random.normal());
const inputs = draw(n * 3);
const weights = draw(n).map(Math.abs);
const real = draw(n * c);
const classes = real.map((_, k) => (real[k] > real[k ^ 1] ? 1 : 0));
const u = draw(n * c);
const v = draw(2 * p);

const problem = (loss: Loss): EngineData => ({
  sampleCount: n,
  inputs,
  targets: loss.kind === "softmax-cross-entropy" ? classes : real,
  weights,
  loss,
});
const losses = [squaredError(), softmaxCrossEntropy()];

/** The samples of one slot. */
function part(data: EngineData, slot: number, slots: number): EngineData {
  const [first, end] = [slot, slot + 1].map((k) => firstOfSlot(k, slots, data.sampleCount)) as [number, number];
  const rows = (values: Float64Array, width: number) => values.slice(first * width, end * width);
  const { inputs: x, targets: y, weights: s } = data;
  return { ...data, sampleCount: end - first, inputs: rows(x, 3), targets: rows(y, c), weights: s && rows(s, 1) };
}

/** ((s0 + s1) + (s2 + s3)) + ... */
function tree(sums: readonly Float64Array[]): Float64Array {
  if (sums.length === 1) return sums[0]!;
  const half = sums.length / 2;
  const [left, right] = [tree(sums.slice(0, half)), tree(sums.slice(half))];
  return left.map((value, j) => value + right[j]);
}

const request = (curvature: LinearizeRequest["curvature"]) => ({ curvature, decay: 0, scaling: null });
const number = (value: number) => Float64Array.of(value);

/** Every sum over samples that an engine answers with; `first` is the first of its samples among the n. */
const sums: Record<string, (engine: NetworkEngine, first: number) => Promise<Float64Array>> = {
  "the loss of an evaluation": async (engine) => number((await sure(engine.evaluate(parameters))).loss),
  "the loss of a linearization": async (engine) =>
    number((await sure(engine.linearize(parameters, request("primal")))).loss),
  "|z|^2": async (engine) => number((await sure(engine.linearize(parameters, request("primal")))).residualSquare ?? 0),
  "the gradient, primal": async (engine) => (await sure(engine.linearize(parameters, request("primal")))).gradient,
  "the gradient, dual": async (engine) => (await sure(engine.linearize(parameters, request("dual")))).gradient,
  "the gradient, matrix-free": async (engine) =>
    (await sure(engine.linearize(parameters, request("matrix-free")))).gradient,
  "the gradient alone": async (engine) => (await sure(engine.linearize(parameters, request("none")))).gradient,
  "the diagonal": async (engine) =>
    (await sure(engine.linearize(parameters, request("matrix-free")))).diagonal ?? new Float64Array(0),
  "the running maximum": async (engine) => {
    const scaling = new Float64Array(p);
    await sure(engine.linearize(parameters, { ...request("primal"), scaling }));
    return scaling;
  },
  "the Gram matrix": async (engine) => {
    await sure(engine.linearize(parameters, request("primal")));
    return engine.curvature();
  },
  "J^T u": (engine, first) => engine.transposeProduct(parameters, u.slice(first * c, (first + engine.sampleCount) * c)),
  "G v for two vectors": async (engine) => {
    await sure(engine.linearize(parameters, request("matrix-free")));
    return engine.curvatureProduct(v);
  },
  "the left factors of the layers": async (engine) => {
    await sure(engine.linearize(parameters, request("matrix-free")));
    return Float64Array.from((await engine.layerFactors()).flatMap(({ left }) => [...left]));
  },
};

describe.each(engines)("slots of the %s engine", (_, create) => {
  const using = async <T>(data: EngineData, threads: number, body: (engine: NetworkEngine) => Promise<T>) => {
    const engine = create(architecture, data, { threads });
    try {
      return await body(engine);
    } finally {
      engine.dispose();
    }
  };

  describe.each(losses)("with $kind", (loss) => {
    const data = problem(loss);

    it.each(Object.keys(sums))("%s is the tree of the sums of the slots, bit for bit", async (name) => {
      const sum = sums[name]!;
      // A kernel of all samples would only cost time.
      const set = name.endsWith("dual") ? part(data, 0, 4) : data;
      const plain = await using(set, 1, (engine) => sum(engine, 0));
      for (const slots of [1, 2, 4, 8]) {
        const each: Float64Array[] = [];
        for (let slot = 0; slot < slots; slot++) {
          const first = firstOfSlot(slot, slots, set.sampleCount);
          each.push(await using(part(set, slot, slots), 1, (engine) => sum(engine, first)));
        }
        for (const threads of [1, 2]) {
          const joined = await using({ ...set, slots }, threads, (engine) => sum(engine, 0));
          expect(joined).toEqual(tree(each));
          // n c terms in another order, of the size of the largest: eps each.
          expect(difference(plain, joined)).toBeLessThan(n * c * Number.EPSILON);
        }
      }
    });

    it.each(["primal", "dual"] as const)(
      "the %s step and acceleration are those of one slot to rounding",
      async (kind) => {
        const few = { ...data, ...part(data, 0, 8) };
        const velocity = v.slice(0, p);
        const solve = (slots: number) =>
          using({ ...few, slots }, 2, async (engine) => {
            await sure(engine.linearize(parameters, request(kind)));
            const { step } = await sure(engine.solve({ damping: 1, decay: 0, scaling: null }));
            const { acceleration } = await sure(engine.accelerate(velocity, null));
            return { step, acceleration };
          });
        const plain = await solve(1);
        for (const slots of [2, 4, 8]) {
          const { step, acceleration } = await solve(slots);
          // The matrix to rounding, n c eps of its norm, times the condition of G + I.
          const bound = 125 * c * Number.EPSILON * (await using(few, 1, (engine) => condition(engine, kind)));
          expect(difference(plain.step, step)).toBeLessThan(bound);
          expect(difference(plain.acceleration, acceleration)).toBeLessThan(bound);
        }
      },
    );

    it("the triangle, and its step, are those of one slot to rounding, on every number of threads", async () => {
      // Fewer rows a slot than columns, and slots of more.
      for (const few of [part(data, 0, 16), part(data, 0, 2)]) {
        const solve = (slots: number, threads = 1) =>
          using({ ...few, slots }, threads, async (engine) => {
            await sure(engine.linearize(parameters, request("orthogonal")));
            const gram = await engine.curvature();
            return { gram, ...(await sure(engine.solve({ damping: 1, decay: 0.5, scaling: null }))) };
          });
        const plain = await solve(1);
        const bound = few.sampleCount * c * Number.EPSILON;
        for (const slots of [2, 4, 8]) {
          const one = await solve(slots);
          expect(difference(plain.gram, one.gram)).toBeLessThan(bound);
          expect(difference(plain.step, one.step)).toBeLessThan(
            bound * (await using(few, 1, (engine) => condition(engine, "primal"))),
          );
          expect(one.rank?.tolerance).toBe(plain.rank?.tolerance);
          const more = await solve(slots, 2);
          expect(more.gram).toEqual(one.gram);
          expect(more.step).toEqual(one.step);
        }
      }
    });

    it("the step in single precision is that of one slot to its tolerance, on every number of threads", async () => {
      const velocity = v.slice(0, p);
      const solve = (slots: number, threads = 1) =>
        using({ ...data, slots }, threads, async (engine) => {
          await sure(engine.linearize(parameters, { ...request("primal"), precision: "single" }));
          const { step } = await sure(engine.solve({ damping: 1, decay: 0, scaling: null, tolerance: 1e-10 }));
          const { acceleration } = await sure(engine.accelerate(velocity, null));
          return { step, acceleration };
        });
      const plain = await solve(1);
      for (const slots of [2, 8]) {
        const one = await solve(slots);
        // In the norm of the damped matrix it is 1e-10, and its condition here is below 1e6.
        expect(difference(plain.step, one.step)).toBeLessThan(1e-7);
        expect(difference(plain.acceleration, one.acceleration)).toBeLessThan(1e-7);
        expect(await solve(slots, 2)).toEqual(one);
      }
    });
  });

  it("are summed anew by every linearization: the second has the bits of the first", async () => {
    await using({ ...problem(squaredError()), slots: 8 }, 2, async (engine) => {
      const look = async () => {
        const { gradient, loss } = await sure(engine.linearize(parameters, request("primal")));
        const matrix = await engine.curvature();
        const { step } = await sure(engine.solve({ damping: 0.1, decay: 0, scaling: null }));
        return { gradient: gradient.slice(), loss, matrix, step };
      };
      const first = await look();
      await sure(
        engine.linearize(
          parameters.map((value) => 2 * value),
          request("primal"),
        ),
      );
      expect(await look()).toEqual(first);
    });
  });

  it("refuse what is not summed by slots, with the reason", async () => {
    await using({ ...problem(squaredError()), slots: 2 }, 1, async (engine) => {
      const subset = Uint32Array.of(1, 5, 9);
      const refused: [LinearizeRequest, RegExp][] = [
        [
          { ...request("sampled"), sampled: { signs: new Float64Array(n * c).fill(1) } },
          /curvature must be "primal".*data\.slots = 2/,
        ],
        [{ ...request("primal"), precision: "single", subset }, /subset must be null with data\.slots = 2/],
        [{ ...request("matrix-free"), subset }, /subset must be null with data\.slots = 2/],
      ];
      for (const [asked, message] of refused)
        await expect(engine.linearize(parameters, asked)).rejects.toThrow(
          expect.objectContaining({ code: "GAUSSFLOW_ARGUMENT", message: expect.stringMatching(message) }),
        );
    });
  });
});

/** Of the damped matrix with damping 1. */
async function condition(engine: NetworkEngine, kind: "primal" | "dual"): Promise<number> {
  const answer: { ok: true } | Failure = await engine.linearize(parameters, request(kind));
  if (failed(answer)) throw new Error(answer.message);
  const { values } = await engine.eigen(false);
  return (values[values.length - 1] + 1) / (Math.max(0, values[0]) + 1);
}
