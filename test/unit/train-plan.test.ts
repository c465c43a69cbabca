// The planner: which route, what it costs, and what is refused before anything runs.
import { describe, expect, it } from "vitest";
import type { CallRun } from "../../src/backend/estimate.js";
import { showBytes } from "../../src/bytes.js";
import {
  createEngine,
  flow,
  GaussflowError,
  type Loss,
  logistic,
  network,
  plan,
  softmaxCrossEntropy,
  squaredError,
  train,
} from "../../src/index.js";
import type { Architecture } from "../../src/network/architecture.js";
import { rateAt, secondsOf, speedupAt } from "../../src/plan/cost-model.js";
import { COST_TABLE } from "../../src/plan/cost-table.js";
import { engineBytes, memoryOf } from "../../src/plan/memory-model.js";
import { type PlanRequest, planRoute, refuse } from "../../src/plan/plan.js";
import type { Route } from "../../src/plan/route.js";
import { iterationWork } from "../../src/plan/workload.js";
import { waves } from "../helpers/problems.js";

const exact = ["primal", "dual"] as const;

function requestOf(layers: number[], sampleCount: number, more: Partial<PlanRequest> = {}): PlanRequest {
  const { architecture } = network({ layers, seed: 1 });
  return {
    architecture,
    sampleCount,
    validationCount: 0,
    weighted: false,
    engine: "native",
    threads: 2,
    copies: 0,
    asked: "auto",
    routes: exact,
    memoryLimit: 2 ** 50,
    ...more,
  };
}

describe("planRoute", () => {
  it("takes the exact route whose matrix is regular, primal where both are of the same order", () => {
    // 3-24-1 has 121 parameters.
    expect(planRoute(requestOf([3, 24, 1], 121)).route).toBe("primal");
    expect(planRoute(requestOf([3, 24, 1], 120)).route).toBe("dual");
    expect(planRoute(requestOf([3, 24, 1], 120, { asked: "primal" }))).toMatchObject({
      route: "primal",
      because: "the caller asked for the primal route",
    });
  });

  it("takes products alone where an exact step is beyond reason, and nowhere near it", () => {
    const routes: Route[] = [...exact, "matrix-free"];
    const far = planRoute(requestOf([784, 30, 10], 60_000, { routes }));
    expect(far.route).toBe("matrix-free");
    expect(far.because).toMatch(/an exact step by the primal route would take \d+ times as long/);
    expect(planRoute(requestOf([8, 32, 32, 1], 5000, { routes })).route).toBe("primal");
    expect(planRoute(requestOf([256, 25, 2], 10_000, { routes })).route).toBe("primal");
    expect(planRoute(requestOf([5000, 100, 1], 400, { routes })).route).toBe("dual");
  });

  it("the memory limit turns an exact route into products where those fit, and says so", () => {
    const routes: Route[] = [...exact, "matrix-free"];
    const sizes = { routes, memoryLimit: 300 * 2 ** 20 };
    const limited = planRoute(requestOf([60, 100, 1], 20_000, sizes));
    expect(limited).toMatchObject({ route: "matrix-free", chosen: { fits: true } });
    expect(limited.because).toMatch(/the primal route needs \d+ MiB, and the memory limit is 300 MiB/);
    expect(planRoute(requestOf([60, 100, 1], 20_000, { routes })).route).toBe("primal");
  });

  it("never depends on the threads of the machine", () => {
    const routes: Route[] = [...exact, "matrix-free"];
    for (const layers of [
      [4, 5, 1],
      [8, 32, 32, 1],
      [64, 100, 3],
      [300, 40, 10],
    ])
      for (const n of [50, 1000, 30_000]) {
        const taken = [1, 2, 64].map((threads) => planRoute(requestOf(layers, n, { routes, threads })).route);
        expect(new Set(taken).size).toBe(1);
      }
  });

  it("shows bytes as people read them", () => {
    expect([0, 1, 30 * 2 ** 20, 2 ** 30].map(showBytes)).toEqual(["0 KiB", "1 KiB", "30 MiB", "1.0 GiB"]);
  });
});

describe("refuse", () => {
  const request = requestOf([60, 100, 1], 20_000, { memoryLimit: 300 * 2 ** 20, copies: 8 * 61 * 20_000 });
  const error = (): GaussflowError => {
    try {
      refuse(planRoute(request), request);
    } catch (caught) {
      return caught as GaussflowError;
    }
    throw new Error("nothing was refused");
  };

  it("names both sizes, the parts and the ways out", () => {
    expect(error().code).toBe("GAUSSFLOW_MEMORY");
    expect(error().message).toMatch(
      /^the primal route needs \d+ MiB at its peak \(\d+ MiB matrix and factor, .*; 6201 parameters are at most 20000 equations\), and the memory limit is 300 MiB: /,
    );
    expect(error().message).toMatch(
      /about \d+ parameters fit these samples; options\.memoryLimit of \d+ bytes would let it run$/,
    );
  });

  it("and its numbers are true: what it says fits is planned to fit, one step more is not", () => {
    const { bytes, mostParameters } = error().details as Record<string, number>;
    expect(mostParameters).toBeGreaterThan(1000);
    expect(mostParameters).toBeLessThan(6201);
    const enough = { ...request, memoryLimit: bytes };
    expect(() => refuse(planRoute(enough), enough)).not.toThrow();
    const short = { ...request, memoryLimit: bytes - 1 };
    expect(() => refuse(planRoute(short), short)).toThrow(GaussflowError);
    const dual = requestOf([60, 200, 1], 12_000, { memoryLimit: 400 * 2 ** 20 });
    let most = 0;
    try {
      refuse(planRoute(dual), dual);
    } catch (caught) {
      most = (caught as GaussflowError).details.mostSamples as number;
    }
    expect(most).toBeGreaterThan(1000);
    // As many samples and no more, by the route that was refused.
    const [fits, tooMany] = [most, most + 1].map(
      (n) => planRoute({ ...dual, sampleCount: n, asked: "dual" }).chosen.fits,
    );
    expect([fits, tooMany]).toEqual([true, false]);
  });

  it("a run in single precision is refused by what it may come to in double", () => {
    const single = requestOf([60, 100, 1], 20_000, { single: true });
    const { peak, most, curvature, factor } = planRoute(single).chosen.bytes;
    expect(planRoute(single).bytes).toBe(peak);
    // Matrix and factor are twice as large, and so is what they are made from; the vectors of the float system stay.
    expect(most - peak).toBeGreaterThan(curvature + factor);
    expect(most - peak).toBeLessThan(1.15 * (curvature + factor));
    const between = { ...single, memoryLimit: Math.round((peak + most) / 2) };
    expect(() => refuse(planRoute(between), between)).toThrow(
      /^the primal route needs (\d+) MiB at its peak \(.*, \d+ MiB more once the curvature is that of all samples in double precision, /,
    );
    const enough = { ...single, memoryLimit: most };
    expect(() => refuse(planRoute(enough), enough)).not.toThrow();
  });
});

/** Bytes that the reference engine takes only while a call runs, so that it cannot report them. */
function passing(
  route: Route,
  { layers, parameterCount: p, outputSize: c }: Architecture,
  sampleCount: number,
): number {
  if (route === "orthogonal") return 8 * (p + 1) ** 2; // the triangle with the damping folded in
  if (route === "primal" || route === "matrix-free") return 0;
  const perSample = layers.reduce((sum, { inputSize, outputSize }) => sum + inputSize + outputSize * (1 + c), c);
  return 8 * sampleCount * perSample; // the panels of all samples
}

/** Equal probabilities of the outputs, which every loss takes, in place of the targets of squared error. */
const targetsFor = (loss: Loss, targets: Float64Array, outputs: number) =>
  loss.kind === "squared-error" ? targets : new Float64Array(targets.length).fill(1 / outputs);

describe("predicted bytes", () => {
  const cases: [number[], number, Route, Loss?][] = [
    [[8, 16, 16, 1], 1500, "primal"],
    [[8, 20, 20, 2], 400, "primal"],
    [[40, 20, 1], 2000, "primal"],
    [[8, 40, 40, 1], 300, "dual"],
    [[8, 60, 2], 250, "dual"],
    [[8, 10, 10, 1], 400, "orthogonal"],
    [[60, 20, 2], 3000, "matrix-free"],
    // A full curvature factor: as many rows of deltas in the last layer as in any other.
    [[8, 20, 6], 400, "primal", softmaxCrossEntropy()],
    [[20, 40, 5], 120, "dual", softmaxCrossEntropy()],
    [[8, 10, 6], 400, "orthogonal", softmaxCrossEntropy()],
    [[60, 20, 6], 3000, "matrix-free", softmaxCrossEntropy()],
    [[60, 20, 2], 3000, "matrix-free", logistic()],
  ];
  for (const backend of ["native", "typescript"] as const)
    for (const [layers, n, route, loss = squaredError()] of cases)
      it(`are those that the ${backend} engine reports: ${layers.join("-")}, n = ${n}, ${route}, ${loss.kind}`, async () => {
        const { architecture, parameters } = network({ layers, seed: 3 });
        const { inputs, targets, sampleCount } = waves(n, layers[0]!, layers.at(-1)!, 2);
        const engine = createEngine(
          architecture,
          { sampleCount, inputs, targets: targetsFor(loss, targets, layers.at(-1)!), loss },
          { backend, threads: 2 },
        );
        await engine.linearize(Float64Array.from(parameters), { curvature: route, decay: 0, scaling: null });
        if (route === "matrix-free") await engine.curvatureProduct(Float64Array.from(parameters));
        else await engine.solve({ damping: 1, decay: 0, scaling: null });
        if (route === "primal" || route === "dual") await engine.accelerate(Float64Array.from(parameters), null);
        await engine.evaluate(Float64Array.from(parameters));
        const measured = engine.bytes();
        engine.dispose();
        const sizes = requestOf(layers, n, { engine: backend, architecture: { ...architecture, loss } });
        // To the byte: both count by the functions that the engine reserves by.
        const own = backend === "native" ? measured : measured + passing(route, architecture, n);
        expect(engineBytes(route, sizes)).toBe(own);
      });

  it("are those of one precision at a time, and of the products behind a single one", async () => {
    const { architecture, parameters } = network({ layers: [8, 24, 24, 1], seed: 3 });
    const { inputs, targets, sampleCount } = waves(900, 8, 1, 2);
    const engine = createEngine(architecture, { sampleCount, inputs, targets }, { backend: "native", threads: 2 });
    const heldIn = async (precision: "single" | "double") => {
      await engine.linearize(parameters, { curvature: "primal", precision, decay: 0, scaling: null });
      await engine.solve({ damping: 1e3, decay: 0, scaling: null });
      await engine.accelerate(parameters, null);
      await engine.evaluate(parameters);
      return engine.bytes();
    };
    const [single, double, again] = [await heldIn("single"), await heldIn("double"), await heldIn("single")];
    engine.dispose();
    const request = requestOf([8, 24, 24, 1], 900, { single: true });
    const predicted = engineBytes("primal", request);
    const { most, peak } = memoryOf("primal", request);
    expect(predicted).toBe(single);
    expect(predicted + most - peak).toBe(double);
    // A float32 matrix and its factor are half as large; of the double system some vectors stay, and the list of the Gram's tasks.
    const p = architecture.parameterCount;
    expect(double - single).toBeGreaterThan(4 * p * (p + 1));
    expect(again - single).toBeLessThan(0.05 * (double - single));
  });
});

describe("predicted seconds", () => {
  it("grow with the work and shrink with threads, and rates are interpolated between those measured", () => {
    const { architecture } = network({ layers: [8, 32, 32, 1], seed: 1 });
    const seconds = (n: number, threads = 1) => secondsOf(iterationWork("primal", architecture, n), "native", threads);
    expect(seconds(4000)).toBeGreaterThan(1.5 * seconds(2000));
    expect(seconds(4000, 2)).toBeLessThan(seconds(4000));
    const cost = {
      rates: [
        [10, 1],
        [1000, 100],
      ],
      gains: [
        [1e6, 0.2],
        [1e8, 0.8],
      ],
    } as const;
    const close = (value: number) => expect.closeTo(value, 12);
    expect([1, 10, 100, 1000, 1e6].map((size) => rateAt(cost, size))).toEqual([1, 1, 10, 100, 100].map(close));
    const speedups = (threads: number) => [1, 1e6, 1e7, 1e8, 1e9].map((flops) => speedupAt(cost, flops, threads));
    expect(speedups(1)).toEqual([1, 1, 1, 1, 1]);
    expect(speedups(3)).toEqual([1.4, 1.4, 2, 2.6, 2.6].map(close));
    expect(speedupAt({ ...cost, gains: [] }, 1e9, 8)).toBe(1);
  });

  it("count a hop, and more than one thread, for calls that are not done where they stand", () => {
    const seconds = (run: CallRun, threads: number) =>
      secondsOf([{ operation: "passes", flops: 1e8, size: 20, calls: 2, run }], "native", threads) -
      secondsOf([], "native", threads);
    const { hopSeconds } = COST_TABLE.native;
    expect(hopSeconds).toBeGreaterThan(1e-6);
    expect(COST_TABLE.typescript.hopSeconds).toBe(0);
    expect(seconds("elsewhere", 1) - seconds("alone", 1)).toBeCloseTo(2 * hopSeconds, 12);
    expect(seconds("together", 1)).toBeCloseTo(seconds("alone", 1), 12);
    expect(seconds("alone", 2)).toBeCloseTo(seconds("alone", 1), 12);
    expect(seconds("together", 2)).toBeLessThan(seconds("together", 1));
    expect(seconds("elsewhere", 2)).toBeLessThan(seconds("elsewhere", 1));
  });

  it("plan one thread where every call is done where it stands", () => {
    const threads = (layers: number[], sampleCount: number) => {
      const { inputs, targets } = waves(sampleCount, layers[0]!, 1, 1);
      return plan(network({ layers, seed: 1 }), { inputs, targets }, { threads: 2 }).threads;
    };
    expect(threads([2, 3, 1], 20)).toBe(1);
    expect(threads([8, 32, 32, 1], 5000)).toBe(2);
  });

  it("are those of what the engine does: rows of J and float32 at half the price are the native one's", () => {
    const { architecture } = network({ layers: [8, 24, 24, 1], seed: 1 });
    const steps = { single: true, subset: { primal: { first: 253, most: 253 } } };
    const work = (engine: "native" | "typescript") => iterationWork("primal", architecture, 1500, { ...steps, engine });
    const flopsOf = (engine: "native" | "typescript", operation: string) =>
      work(engine).reduce((sum, entry) => sum + (entry.operation === operation ? entry.flops : 0), 0);
    expect(flopsOf("native", "gram")).toBe(0);
    const p = architecture.parameterCount;
    expect(flopsOf("typescript", "cholesky")).toBeCloseTo(p ** 3 / 3 + 8 * p ** 2, 3);
    const whole = iterationWork("primal", architecture, 253).find(({ operation }) => operation === "gram")!;
    expect(flopsOf("typescript", "gram")).toBe(whole.flops);
  });

  it("the table has every rate, positive, sizes ascending", () => {
    for (const { operations, callSeconds, processBytes } of [COST_TABLE.native, COST_TABLE.typescript]) {
      expect(callSeconds).toBeGreaterThan(0);
      expect(processBytes).toBeGreaterThan(1e7);
      for (const { rates, gains } of Object.values(operations)) {
        gains.forEach(([flops, gain], i) => {
          expect(gain).toBeGreaterThanOrEqual(0);
          expect(gain).toBeLessThanOrEqual(1);
          if (i > 0) expect(flops).toBeGreaterThanOrEqual(gains[i - 1]![0]);
        });
        expect(rates.length).toBeGreaterThan(1);
        rates.forEach(([size, rate], i) => {
          expect(rate).toBeGreaterThan(0);
          if (i > 0) expect(size).toBeGreaterThan(rates[i - 1]![0]);
        });
      }
    }
  });
});

describe("plan and train", () => {
  it("agree on the route and the peak, and train tells them", async () => {
    const data = waves(60, 3, 1, 2);
    const net = network({ layers: [3, 4, 1] });
    const { details, plan: taken } = await train(net, data, { stop: { iterations: 1 } });
    expect(taken).toEqual(plan(net, data));
    expect(taken.sampleCount).toBe(51);
    expect(details).toMatch(
      /primal route \(21 parameters are at most 51 equations; 4 KiB for matrix and factor, peak \d+ MiB\)/,
    );
  });

  it("train and flow refuse what does not fit before they allocate", async () => {
    const huge = network({ layers: [3, 1500, 1500, 1], seed: 1 });
    const data = waves(60, 3, 1, 2);
    const refused = { code: "GAUSSFLOW_MEMORY", message: expect.stringContaining('route "dual" fits') };
    const options = { route: "primal", backend: "typescript" } as const;
    await expect(train(huge, data, options)).rejects.toMatchObject(refused);
    await expect(flow(huge, data, { ...options, damping: 0.5 })).rejects.toMatchObject(refused);
    const small = network({ layers: [3, 4, 1] });
    await expect(train(small, data, { memoryLimit: 2 ** 20 })).rejects.toMatchObject({
      code: "GAUSSFLOW_MEMORY",
      details: { memoryLimit: 2 ** 20, route: "primal" },
    });
    await expect(train(small, data, { memoryLimit: -1 })).rejects.toThrow(
      "options.memoryLimit must be a number of bytes above 0; received -1",
    );
  });
});
