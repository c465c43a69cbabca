// The exact Hessian product F'' v: Taylor tests against the gradient and the loss, of both engines, for every activation and loss. And of the
// reference engine, with the damped inverse: symmetry, the Gauss-Newton matrix where residuals are 0, slots, data files, and what stays intact.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dot, norm } from "../../src/algebra/vectors.js";
import type { EngineData, LinearizeRequest } from "../../src/backend/engine.js";
import type { EngineFactory, NetworkEngine } from "../../src/backend/network-engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { logistic, network, openDataFile, Random, squaredError, writeDataFile } from "../../src/index.js";
import { ACTIVATION_NAMES } from "../../src/network/activations.js";
import { difference, sure } from "../helpers/engine-problems.js";
import { type LossCase, lossCase } from "../helpers/loss-cases.js";
import { ENGINES, LOSSES } from "../helpers/losses.js";

const byName = LOSSES.map((loss) => [loss.kind, loss] as const);

function draw(length: number, seed: number): Float64Array {
  const random = new Random(seed, 3);
  return Float64Array.from({ length }, () => random.normal());
}

/** An engine linearized at the case's parameters, and the gradient there. */
async function linearized(
  { architecture, parameters, data }: LossCase,
  request: Partial<LinearizeRequest> = {},
  create: EngineFactory = createReferenceEngine,
) {
  const engine = create(architecture, data);
  const { gradient } = await sure(
    engine.linearize(parameters, { curvature: "none", decay: 0, scaling: null, ...request }),
  );
  return { engine, gradient };
}

const hessian = (engine: NetworkEngine, vectors: Float64Array) => {
  if (engine.hessianProduct === undefined) throw new Error("no Hessian products");
  return engine.hessianProduct(vectors);
};
const inverse = (engine: NetworkEngine, vector: Float64Array) => {
  if (engine.dampedInverse === undefined) throw new Error("no damped inverse");
  return sure(engine.dampedInverse(vector));
};

/** Slopes of log error over log h: of the gradient against g + h F'' v, and of the loss against its second-order model. */
async function taylor(create: EngineFactory, one: LossCase, hs: readonly [number, number]) {
  const { engine, gradient } = await linearized(one, {}, create);
  const w = one.parameters;
  const v = draw(w.length, 5).map((value) => value / Math.sqrt(w.length));
  const start = await sure(engine.evaluate(w));
  await sure(engine.linearize(w, { curvature: "none", decay: 0, scaling: null }));
  const image = await hessian(engine, v);
  const errors: { readonly gradient: number; readonly loss: number }[] = [];
  for (const h of hs) {
    const there = w.map((value, j) => value + h * v[j]);
    const moved = await sure(engine.linearize(there, { curvature: "none", decay: 0, scaling: null }));
    errors.push({
      gradient: norm(moved.gradient.map((value, j) => value - gradient[j] - h * image[j])),
      loss: Math.abs(moved.loss - start.loss - h * dot(gradient, v) - 0.5 * h * h * dot(v, image)),
    });
  }
  engine.dispose();
  const decades = Math.log10(hs[0] / hs[1]);
  const slope = (kind: "gradient" | "loss") => Math.log10(errors[0][kind] / errors[1][kind]) / decades;
  return { gradient: slope("gradient"), loss: slope("loss"), errors };
}

const byEngine = ENGINES.flatMap(([engine, create]) =>
  LOSSES.map((loss) => [loss.kind, engine, create, loss] as const),
);
describe.each(byEngine)("%s, %s engine: Taylor tests of the Hessian product", (_, __, create, loss) => {
  const smooth = ACTIVATION_NAMES.filter((name) => name !== "relu");
  it.each(smooth)("%s: the gradient to second order, the loss to third", async (activation) => {
    const one = lossCase(loss, [3, 5, 4, 3], 25, { weighted: true, activation });
    // Steps so short that no error of the Huber loss crosses its threshold; the gradient keeps 8 digits of h^2 there.
    const hs = loss.kind === "huber" ? ([1e-4, 1e-5] as const) : ([1e-2, 1e-3] as const);
    const slopes = await taylor(create, one, hs);
    expect(Math.abs(slopes.gradient - 2)).toBeLessThan(0.1);
    // h^3 of the Huber steps is below the rounding of the loss.
    if (loss.kind !== "huber") expect(Math.abs(slopes.loss - 3)).toBeLessThan(0.2);
  });

  it("relu: that of the linear pieces", async () => {
    const one = lossCase(loss, [3, 5, 4, 3], 25, { activation: "relu" });
    expect(Math.abs((await taylor(create, one, [1e-4, 1e-5])).gradient - 2)).toBeLessThan(0.1);
  });

  it("without biases, and of one layer", async () => {
    for (const layers of [
      [3, 4, 2],
      [4, 3],
    ]) {
      const one = lossCase(loss, layers, 20, { bias: false });
      const { gradient } = await taylor(create, one, [1e-4, 1e-5]);
      // A linear network with squared error or the Huber loss has a constant Hessian: the error is rounding.
      if (layers.length === 2 && (loss.kind === "squared-error" || loss.kind === "huber")) continue;
      expect(Math.abs(gradient - 2)).toBeLessThan(0.1);
    }
  });
});

describe.each(byName)("%s: the Hessian", (_, loss) => {
  // 2 blocks of 128 samples, through 3 layers of width 6.
  const one = lossCase(loss, [3, 6, 5, 3], 200, { weighted: true });
  const rounding = 4 * 3 * 200 * Number.EPSILON;

  it("is symmetric, and a block of vectors has the bits of its vectors", async () => {
    const { engine } = await linearized(one);
    const p = engine.parameterCount;
    const [u, v] = [draw(p, 1), draw(p, 2)];
    const [hu, hv] = [await hessian(engine, u), await hessian(engine, v)];
    expect(Math.abs(dot(u, hv) - dot(v, hu))).toBeLessThan(rounding * norm(u) * norm(hv));
    const block = new Float64Array(2 * p);
    block.set(u);
    block.set(v, p);
    const both = await hessian(engine, block);
    expect([...both]).toEqual([...hu, ...hv]);
    engine.dispose();
  });

  it("is the same after every kind of linearization, that of a subset among them", async () => {
    const { engine } = await linearized(one);
    const v = draw(engine.parameterCount, 3);
    const image = await hessian(engine, v);
    const subset = Uint32Array.from({ length: 40 }, (_, k) => 5 * k);
    for (const request of [
      { curvature: "primal" },
      { curvature: "dual" },
      { curvature: "orthogonal" },
      { curvature: "matrix-free" },
      { curvature: "matrix-free", subset },
      { curvature: "primal", precision: "single", subset },
    ] as const) {
      await sure(engine.linearize(one.parameters, { decay: 0.3, scaling: null, ...request }));
      expect([...(await hessian(engine, v))]).toEqual([...image]);
    }
    engine.dispose();
  });

  it("sums by slots", async () => {
    const { engine } = await linearized(one);
    const v = draw(engine.parameterCount, 4);
    const whole = await hessian(engine, v);
    const slotted = await linearized({ ...one, data: { ...one.data, slots: 4 } });
    const joined = await hessian(slotted.engine, v);
    expect(difference(whole, joined)).toBeLessThan(rounding);
    for (const each of [engine, slotted.engine]) each.dispose();
  });

  it("leaves the curvature and its factor as they are", async () => {
    const { engine } = await linearized(one, { curvature: "primal" });
    const request = { damping: 0.7, decay: 0.1, scaling: null };
    const before = await sure(engine.solve(request));
    const matrix = await engine.curvature();
    const v = draw(engine.parameterCount, 6);
    const x = await inverse(engine, v);
    await hessian(engine, v);
    expect([...(await inverse(engine, v))]).toEqual([...x]);
    expect([...(await engine.curvature())]).toEqual([...matrix]);
    expect([...(await sure(engine.solve(request))).step]).toEqual([...before.step]);
    engine.dispose();
  });
});

describe("where all residuals are 0", () => {
  it("the Hessian is the Gauss-Newton matrix", async () => {
    const { architecture, parameters, data } = lossCase(squaredError(), [3, 6, 2], 60);
    const probe = createReferenceEngine(architecture, data);
    const targets = await probe.forward(parameters);
    probe.dispose();
    const { engine } = await linearized(
      { architecture, parameters, data: { ...data, targets } },
      { curvature: "primal" },
    );
    const v = draw(engine.parameterCount, 2);
    const [image, product] = [await hessian(engine, v), await engine.curvatureProduct(v)];
    expect(difference(product, image)).toBeLessThan(4 * 60 * Number.EPSILON);
    engine.dispose();
  });
});

describe.each(byName)("%s: the damped inverse", (_, loss) => {
  const one = lossCase(loss, [3, 4, 3], 30, { weighted: true });

  it.each([
    ["primal", 0.3],
    ["dual", 0.3],
    ["dual", 0],
  ] as const)("%s with decay %f inverts G + decay I + mu D", async (curvature, decay) => {
    const engine = createReferenceEngine(one.architecture, one.data);
    const layers = curvature === "dual" ? engine.layerCount : engine.parameterCount;
    const scaling = curvature === "dual" && decay > 0 ? null : new Float64Array(layers);
    await sure(engine.linearize(one.parameters, { curvature, decay, scaling }));
    const damping = 0.2;
    await sure(engine.solve({ damping, decay, scaling }));
    const v = draw(engine.parameterCount, 8);
    const x = await inverse(engine, v);
    // The product with G by the matrix-free route, at the same parameters.
    const diagonal = x.map((_, j) => {
      if (scaling === null) return 1;
      if (curvature === "primal") return scaling[j];
      const { layers: all } = one.architecture;
      const layer = all.findLastIndex(({ weightOffset }) => weightOffset <= j);
      return scaling[layer];
    });
    await sure(engine.linearize(one.parameters, { curvature: "matrix-free", decay: 0, scaling: null }));
    const image = await engine.curvatureProduct(x);
    const miss = image.map((value, j) => value + (decay + damping * diagonal[j]) * x[j] - v[j]);
    // Unrefined: n eps times the condition of the damped system, some 1e3 here.
    expect(norm(miss) / norm(v)).toBeLessThan(1e-10);
    engine.dispose();
  });

  it("of a single-precision factor is that of float32, symmetric and positive", async () => {
    const engine = createReferenceEngine(one.architecture, one.data);
    const scaling = new Float64Array(engine.parameterCount);
    await sure(engine.linearize(one.parameters, { curvature: "primal", decay: 0.3, scaling, precision: "single" }));
    await sure(engine.solve({ damping: 0.2, decay: 0.3, scaling }));
    const [u, v] = [draw(engine.parameterCount, 8), draw(engine.parameterCount, 9)];
    const [pu, pv] = [await inverse(engine, u), await inverse(engine, v)];
    expect(Math.abs(dot(u, pv) - dot(v, pu))).toBeLessThan(1e-12 * norm(u) * norm(pv));
    expect(dot(u, pu)).toBeGreaterThan(0);
    await sure(engine.linearize(one.parameters, { curvature: "primal", decay: 0.3, scaling: scaling.slice() }));
    await sure(engine.solve({ damping: 0.2, decay: 0.3, scaling }));
    expect(difference(await inverse(engine, u), pu)).toBeLessThan(1e-3);
    engine.dispose();
  });
});

describe("misuse", () => {
  const one = lossCase(logistic(), [2, 3, 1], 8);

  it("without a linearization, a factor, or vectors of p entries", async () => {
    const engine = createReferenceEngine(one.architecture, one.data);
    const p = engine.parameterCount;
    await expect(hessian(engine, new Float64Array(p))).rejects.toMatchObject({ code: "GAUSSFLOW_STATE" });
    await expect(inverse(engine, new Float64Array(p))).rejects.toMatchObject({ code: "GAUSSFLOW_STATE" });
    await sure(engine.linearize(one.parameters, { curvature: "primal", decay: 0, scaling: null }));
    await expect(hessian(engine, new Float64Array(p + 1))).rejects.toMatchObject({ code: "GAUSSFLOW_ARGUMENT" });
    await expect(inverse(engine, new Float64Array(p))).rejects.toMatchObject({ code: "GAUSSFLOW_STATE" });
    await sure(engine.solve({ damping: 1, decay: 0, scaling: null }));
    await expect(inverse(engine, new Float64Array(p - 1))).rejects.toMatchObject({ code: "GAUSSFLOW_ARGUMENT" });
    engine.dispose();
  });

  it("a matrix-free curvature has no damped inverse, and a dual one needs damping", async () => {
    const engine = createReferenceEngine(one.architecture, one.data);
    const v = new Float64Array(engine.parameterCount).fill(1);
    await sure(engine.linearize(one.parameters, { curvature: "matrix-free", decay: 0, scaling: null }));
    await expect(inverse(engine, v)).rejects.toMatchObject({ code: "GAUSSFLOW_STATE" });
    await sure(engine.linearize(one.parameters, { curvature: "dual", decay: 0, scaling: null }));
    const solved = await engine.solve({ damping: 0, decay: 0, scaling: null });
    if ("ok" in solved) expect(await engine.dampedInverse?.(v)).toMatchObject({ code: "indefinite" });
    engine.dispose();
  });
});

describe("samples of a data file", () => {
  it("give the bits of samples in memory", async () => {
    const folder = await mkdtemp(join(tmpdir(), "gaussflow-hessian-"));
    const random = new Random(4, 3);
    const n = 300;
    const inputs = Float64Array.from({ length: 2 * n }, () => random.normal());
    const targets = Float64Array.from({ length: n }, () => Math.round(random.uniform()));
    const path = join(folder, "rows.gfd");
    function* rows() {
      for (let i = 0; i < n; i++) yield [inputs[2 * i], inputs[2 * i + 1], targets[i]];
    }
    await writeDataFile(path, { featureNames: ["a", "b"], targetNames: ["y"], weighted: false }, rows());
    const file = openDataFile(path);
    const plain = (count: number) => ({ offset: new Float64Array(count), scale: new Float64Array(count).fill(1) });
    const empty = new Float64Array(0);
    const onDisk: EngineData = {
      sampleCount: n,
      inputs: empty,
      targets: empty,
      loss: logistic(),
      file: { layout: file.layout, inputs: plain(2), targets: plain(1) },
    };
    const net = network({ layers: [2, 5, 1], seed: 1 });
    const images = [];
    for (const data of [{ sampleCount: n, inputs, targets, loss: logistic() }, onDisk]) {
      const engine = createReferenceEngine(net.architecture, data);
      await sure(engine.linearize(net.parameters, { curvature: "primal", decay: 0, scaling: null }));
      images.push([...(await hessian(engine, draw(engine.parameterCount, 1)))]);
      engine.dispose();
    }
    expect(images[1]).toEqual(images[0]);
    await rm(folder, { recursive: true, force: true });
  });
});
