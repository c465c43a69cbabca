// Extreme eigenvalues by Lanczos against the eigensolver, on engines and on matrices of a known spectrum; and what happens where the
// iteration cannot prove its answer.
import { describe, expect, it } from "vitest";
import type { EngineData, Failure } from "../../src/backend/engine.js";
import { createNativeEngine } from "../../src/backend/native/engine.js";
import { loadNative } from "../../src/backend/native/load.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import { type ExtremeEigenvalues, extremeEigenvalues } from "../../src/spectrum/spectrum.js";
import { sure } from "../helpers/engine-problems.js";

const native = loadNative();

interface Given {
  readonly layers: number[];
  readonly samples: number;
  /** The last so many samples repeat the first. */
  readonly duplicates?: number;
  /** All samples are the same. */
  readonly equal?: boolean;
  readonly curvature?: "primal" | "dual" | "orthogonal";
}

async function linearized(create: typeof createNativeEngine, given: Given): Promise<NetworkEngine> {
  const { layers, samples, duplicates = 0, equal = false, curvature = "dual" } = given;
  const [d, c] = [layers[0], layers[layers.length - 1]];
  const net = network({ layers, seed: 1, initialization: "ntk" });
  const random = new Random(2, 1);
  const inputs = Float64Array.from({ length: samples * d }, () => random.normal());
  inputs.copyWithin((samples - duplicates) * d, 0, duplicates * d);
  if (equal)
    inputs.forEach((_, k) => {
      inputs[k] = inputs[k % d];
    });
  const data: EngineData = { sampleCount: samples, inputs, targets: new Float64Array(samples * c) };
  const engine = create(net.architecture, data, { threads: 2 });
  await sure(engine.linearize(net.parameters, { curvature, decay: 0, scaling: null }));
  return engine;
}

/** Both are right within their bounds, of which the floor is the part that rounding takes. */
function agree(found: ExtremeEigenvalues, exact: ExtremeEigenvalues, what: string) {
  expect(found.method, what).toBe("lanczos");
  expect(found.values).toBeNull();
  expect(Math.abs(found.largest / exact.largest - 1), what).toBeLessThan(1e-12);
  expect(Math.abs(found.floor / exact.floor - 1), what).toBeLessThan(1e-12);
  expect(found.below, what).toBe(exact.below);
  expect(Math.abs(found.smallest - exact.smallest), what).toBeLessThanOrEqual(found.bound + exact.bound);
  // Honest, and of use: the residual asked for is 1.5e-8 of the value, and a tenth of the floor.
  expect(found.bound, what).toBeGreaterThanOrEqual(found.floor);
  expect(found.bound, what).toBeLessThan(2 * found.floor + 1e-7 * found.smallest);
}

describe.skipIf(!native.ok)("extreme eigenvalues of a large curvature", () => {
  it.each<Given>([
    { layers: [8, 300, 1], samples: 600 },
    { layers: [8, 150, 150, 1], samples: 1500 },
    { layers: [8, 200, 200, 1], samples: 1200, duplicates: 200 },
    { layers: [8, 200, 200, 2], samples: 600, duplicates: 100 },
    { layers: [5, 120, 120, 3], samples: 300, duplicates: 150 },
    { layers: [5, 40, 3], samples: 250, equal: true }, // three values above the floor
    { layers: [1, 400, 1], samples: 700 }, // a smooth kernel: all but a few dozen values are noise
    { layers: [6, 30, 20, 1], samples: 3000, curvature: "primal" }, // p = 851
  ])("%j: Lanczos agrees with the eigensolver", async (given) => {
    const engine = await linearized(createNativeEngine, given);
    const before = await engine.curvature();
    const found = await extremeEigenvalues(engine, { limit: 512 });
    agree(found, await extremeEigenvalues(engine, { limit: 5000 }), JSON.stringify(given));
    expect(await extremeEigenvalues(engine, { limit: 512 })).toEqual(found);
    const { scale, ...scaled } = { scale: 100, ...(await extremeEigenvalues(engine, { limit: 512, scale: 100 })) };
    for (const key of ["largest", "smallest", "floor", "bound"] as const) expect(scaled[key]).toBe(found[key] / scale);
    expect(Buffer.from((await engine.curvature()).buffer).equals(Buffer.from(before.buffer))).toBe(true);
    engine.dispose();
  });
});

describe.each([
  ["reference", createReferenceEngine, true],
  ["native", createNativeEngine, native.ok],
] as const)("extreme eigenvalues by the %s engine", (_, create, there) => {
  it.skipIf(!there).each<Given>([
    { layers: [1, 1], samples: 1 },
    { layers: [1, 1], samples: 1, curvature: "primal" },
    { layers: [2, 3, 1], samples: 2 },
    { layers: [3, 8, 1], samples: 20, duplicates: 5 },
    { layers: [3, 8, 2], samples: 9, duplicates: 4 },
    { layers: [3, 8, 2], samples: 30, equal: true },
    { layers: [2, 4, 1], samples: 40, curvature: "primal" },
    { layers: [3, 5, 1], samples: 4, curvature: "primal" }, // 26 parameters, 4 rows: 22 zeros
  ])("%j, by Lanczos at any order", async (given) => {
    const engine = await linearized(create, given);
    agree(await extremeEigenvalues(engine, { limit: 0 }), await extremeEigenvalues(engine), JSON.stringify(given));
    expect((await extremeEigenvalues(engine)).method).toBe("eigensolver");
    engine.dispose();
  });

  it.skipIf(!there)("of zeros are 0, all below", async () => {
    const net = network({ layers: [2, 3, 1], seed: 1 });
    const data = {
      sampleCount: 4,
      inputs: new Float64Array(8),
      targets: new Float64Array(4),
      weights: new Float64Array(4),
    };
    const engine = create(net.architecture, data, { threads: 1 });
    await sure(engine.linearize(net.parameters, { curvature: "dual", decay: 0, scaling: null }));
    for (const limit of [0, 10])
      expect(await extremeEigenvalues(engine, { limit })).toMatchObject({
        largest: 0,
        smallest: 0,
        floor: 0,
        below: 4,
        bound: 0,
      });
    engine.dispose();
  });

  it.skipIf(!there)("of the orthogonal route have the floor of squared singular values, and no iteration", async () => {
    // y = w . x with columns of 1 and 1e-12: singular values far below the floor of a Gram matrix.
    const net = network({ layers: [2, 1], bias: false, seed: 1 });
    const inputs = Float64Array.of(1, 1e-12, 1, -1e-12, 1, 1e-12, 1, -1e-12);
    const engine = create(net.architecture, { sampleCount: 4, inputs, targets: new Float64Array(4) }, { threads: 1 });
    const at = async (curvature: "primal" | "orthogonal") => {
      await sure(engine.linearize(net.parameters, { curvature, decay: 0, scaling: null }));
      return extremeEigenvalues(engine, { limit: curvature === "orthogonal" ? 0 : 9 });
    };
    expect(await at("primal")).toMatchObject({ below: 1 });
    const found = await at("orthogonal");
    expect(found).toMatchObject({ below: 0, method: "eigensolver" });
    expect(Math.abs(found.smallest / 4e-24 - 1)).toBeLessThan(20 * Number.EPSILON);
    expect(Math.abs(found.floor / found.largest / (4 * Number.EPSILON) ** 2 - 1)).toBeLessThan(1e-12);
    engine.dispose();
  });

  it.skipIf(!there)("need a curvature, and end with their signal", async () => {
    const engine = await linearized(create, { layers: [2, 3, 1], samples: 8 });
    const reason = new Error("enough");
    for (const limit of [0, 100])
      await expect(extremeEigenvalues(engine, { limit }, AbortSignal.abort(reason))).rejects.toBe(reason);
    await engine.jacobian(new Float64Array(engine.parameterCount), 0, 1);
    for (const limit of [0, 100])
      await expect(extremeEigenvalues(engine, { limit })).rejects.toMatchObject({ code: "GAUSSFLOW_STATE" });
    engine.dispose();
  });
});

/** An engine that holds H D H with a reflection H: a known spectrum of any order. It counts its calls. */
function known(values: Float64Array, changes: Partial<NetworkEngine> = {}) {
  const n = values.length;
  const random = new Random(13, 1);
  const raw = Float64Array.from({ length: n }, () => random.normal());
  const length = Math.hypot(...raw);
  const reflect = (x: Float64Array) => {
    const share = raw.reduce((sum, value, i) => sum + (value / length) * x[i], 0);
    return x.map((value, i) => value - 2 * share * (raw[i] / length));
  };
  const asked = { inverse: 0, count: 0, eigen: 0 };
  const engine = {
    held: "primal",
    parameterCount: n,
    sampleCount: n,
    outputSize: 1,
    async eigen() {
      asked.eigen++;
      return { values: values.slice().sort(), vectors: null };
    },
    async eigenvaluesBelow(bound: number) {
      asked.count++;
      return values.filter((value) => value < bound).length;
    },
    async curvatureProduct(x: Float64Array) {
      return reflect(reflect(x).map((value, i) => values[i] * value));
    },
    async curvatureInverse(x: Float64Array, shift: number): Promise<Float64Array | Failure> {
      asked.inverse++;
      return reflect(reflect(x).map((value, i) => value / (values[i] + shift)));
    },
    ...changes,
  } as unknown as NetworkEngine;
  return { engine, asked };
}

describe("extreme eigenvalues of a known spectrum", () => {
  const spread = (n: number, f: (k: number) => number) => Float64Array.from({ length: n }, (_, k) => f(k));
  const noise = (k: number) => 1e-15 * Math.sin(k);

  it.each<[string, Float64Array, number]>([
    ["evenly spread", spread(800, (k) => k + 1), 0],
    ["nine decades", spread(800, (k) => 10 ** ((-9 * k) / 799)), 0],
    ["half of them zero", spread(800, (k) => (k < 400 ? 0 : 1 + k)), 400],
    ["half of them noise", spread(800, (k) => (k < 400 ? noise(k) : 10 ** ((-6 * (k - 400)) / 399))), 400],
    ["the smallest just above the floor", spread(800, (k) => (k < 100 ? noise(k) : k === 100 ? 6e-13 : 1)), 100],
    ["200 of the smallest within 1e-9", spread(800, (k) => (k < 200 ? 1e-4 * (1 + 1e-9 * (k / 200)) : 1 / (1 + k))), 0],
    [
      "200 of the smallest within 1e-2, above zeros",
      spread(800, (k) => (k < 100 ? 0 : k < 300 ? 1e-4 * (1 + k / 3e4) : 1)),
      100,
    ],
    ["one value, once", spread(800, (k) => (k === 17 ? 3 : 0)), 799],
    ["one value, always", spread(800, () => 3), 0],
  ])("%s: within the bound, without the eigensolver", async (name, values, below) => {
    const { engine, asked } = known(values);
    const found = await extremeEigenvalues(engine, { limit: 0 });
    const floor = 800 * Number.EPSILON * Math.max(...values);
    const smallest = Math.min(...values.filter((value) => value > floor));
    expect(found).toMatchObject({ method: "lanczos", below });
    expect(Math.abs(found.smallest - smallest), name).toBeLessThanOrEqual(found.bound);
    // Where a cluster keeps the iteration from telling its members apart, the bound is what they differ by, or less.
    expect(found.bound).toBeLessThan(2 * found.floor + 1e-2 * smallest);
    expect(Math.abs(found.largest / Math.max(...values) - 1)).toBeLessThan(1e-12);
    expect(asked.eigen).toBe(0);
  });

  it("raises the shift of a matrix that is indefinite beyond its floor", async () => {
    const values = spread(100, (k) => 1 + k);
    const shifts: number[] = [];
    const { engine, asked } = known(values, {
      async curvatureInverse(x: Float64Array, shift: number) {
        shifts.push(shift);
        if (shift < 1e-11) return { code: "indefinite", pivot: 3, message: "not positive" } satisfies Failure;
        return known(values).engine.curvatureInverse(x, shift);
      },
    });
    const found = await extremeEigenvalues(engine, { limit: 0 });
    expect(found).toMatchObject({ method: "lanczos", below: 0 });
    expect(Math.abs(found.smallest - 1)).toBeLessThanOrEqual(found.bound);
    expect(new Set(shifts).size).toBe(2); // 100 * 100 eps = 2.2e-12, and 8 times that
    expect(asked.eigen).toBe(0);
  });

  it.each<[string, Partial<NetworkEngine>]>([
    [
      "a matrix that stays indefinite",
      { curvatureInverse: async () => ({ code: "indefinite", pivot: 0, message: "not positive" }) as const },
    ],
    [
      "inverse products that are not finite",
      { curvatureInverse: async () => ({ code: "non-finite", message: "no", where: { what: "step" } }) as const },
    ],
    ["a count that contradicts the iteration", { eigenvaluesBelow: async (bound: number) => (bound > 0.5 ? 2 : 0) }],
  ])("leaves %s to the eigensolver", async (_, changes) => {
    const { engine, asked } = known(
      spread(100, (k) => 1 + k),
      changes,
    );
    const found = await extremeEigenvalues(engine, { limit: 0 });
    expect(found).toMatchObject({ method: "eigensolver", smallest: 1, largest: 100, below: 0 });
    expect(asked.eigen).toBe(1);
  });

  it("does not hide that the memory for a factor is missing", async () => {
    const { engine } = known(
      spread(100, (k) => 1 + k),
      {
        curvatureInverse: async () => ({ code: "memory", bytes: 7, message: "too large" }) as const,
      },
    );
    await expect(extremeEigenvalues(engine, { limit: 0 })).rejects.toMatchObject({
      code: "GAUSSFLOW_MEMORY",
      details: { bytes: 7 },
    });
  });
});
