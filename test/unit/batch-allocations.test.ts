// A step on a batch allocates no array of the size of the parameters or of the batch, in JavaScript: all that it needs is made before the second
// step. Memory that the addon would keep is the subject of test/lifecycle/batch-growth.test.ts.
import { describe, expect, it } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";
import {
  adam,
  type BatchMethod,
  dataset,
  exactGaussNewton,
  gradientDescent,
  network,
  type TrainRecord,
  train,
} from "../../src/index.js";

const LAYERS = [3, 9, 8, 2];
const rows = 120;
const data = dataset({
  inputs: Float64Array.from({ length: 3 * rows }, (_, k) => Math.sin(k * 1.3)),
  targets: Float64Array.from({ length: 2 * rows }, (_, k) => Math.cos(k * 0.7)),
  inputSize: 3,
  outputSize: 2,
});

const METHODS: Readonly<Record<string, BatchMethod>> = {
  "exact curvature": exactGaussNewton({ batch: 20, curvature: "exact" }),
  "sampled curvature": exactGaussNewton({ batch: 20, curvature: "sampled" }),
  "the published line search": exactGaussNewton({ batch: 20, lineSearch: true }),
  "the published adaptation": exactGaussNewton({ batch: 20, adaptation: "published" }),
  Adam: adam({ batch: 20 }),
  "gradient descent": gradientDescent({ batch: 20 }),
};

/** Lengths of the arrays of at least `least` numbers that are made while `run` runs. */
async function madeBy(least: number, run: (seen: number[]) => Promise<unknown>): Promise<number[]> {
  const seen: number[] = [];
  const plain = globalThis.Float64Array;
  const { slice, map } = plain.prototype;
  const count = (length: number) => (length >= least ? void seen.push(length) : undefined);
  globalThis.Float64Array = new Proxy(plain, {
    construct(target, given: readonly unknown[], made) {
      const array = Reflect.construct(target, given, made === globalThis.Float64Array ? target : made) as Float64Array;
      // A view of a buffer is no memory of its own.
      if (!(given[0] instanceof ArrayBuffer || given[0] instanceof SharedArrayBuffer)) count(array.length);
      return array;
    },
  });
  plain.prototype.slice = function (...given) {
    const array = slice.apply(this, given);
    count(array.length);
    return array as Float64Array<ArrayBuffer>;
  };
  plain.prototype.map = function (...given) {
    count(this.length);
    return map.apply(this, given) as Float64Array<ArrayBuffer>;
  };
  try {
    await run(seen);
  } finally {
    globalThis.Float64Array = plain;
    Object.assign(plain.prototype, { slice, map });
  }
  return seen;
}

describe.skipIf(!loadNative().ok)("the steps of an epoch", () => {
  it.each(Object.entries(METHODS))("%s: make no large array", async (_, method) => {
    const net = network({ layers: LAYERS, seed: 1 });
    // An epoch has six steps. The first makes the arrays of the run, the record at the end those of the best point.
    const counted: number[][] = [];
    await madeBy(Math.min(net.parameterCount, 20 * 3), async (seen) => {
      const step: BatchMethod["step"] = async (context, state) => {
        counted.push(seen.splice(0));
        return method.step(context, state);
      };
      const onRecord = ({ iteration }: TrainRecord) => void (iteration > 0 && seen.splice(0));
      await train(net, data, {
        backend: "native",
        validation: false,
        method: { ...method, step },
        stop: { epochs: 3 },
        onRecord,
      });
    });
    expect(counted).toHaveLength(18);
    expect(counted.slice(2)).toEqual(new Array(16).fill([]));
  });

  it("an array that a step makes is seen", async () => {
    expect(await madeBy(5, async () => [new Float64Array(7), Float64Array.of(1), new Float64Array(5).slice()])).toEqual(
      [7, 5, 5],
    );
  });
});
