// What the memory limit has to know: the monitor's curvature, the triangle that a flow may turn to. Predicted bytes against those that an
// engine reports once it has done what the monitor, or the flow, does. And memory that an observation cannot have is a warning, not the end.
import { describe, expect, it } from "vitest";
import {
  createEngine,
  dataset,
  flow,
  GaussflowError,
  type MonitorReport,
  monitor,
  network,
  type ObservedRun,
  type Observer,
  plan,
  train,
} from "../../src/index.js";

const rows = (n: number, d: number) => Float64Array.from({ length: n * d }, (_, k) => Math.sin(k * 1.3));
const data = (n: number, d: number) =>
  dataset({ inputs: rows(n, d), targets: rows(n, 1), inputSize: d, outputSize: 1 });

describe("the plan of a run with a monitor", () => {
  it.each([
    ["matrix-free, Gram matrix measured", [8, 24, 24, 1], 2000, "matrix-free"],
    ["primal, triangle measured", [8, 12, 12, 1], 2000, "primal"],
    ["matrix-free, kernel measured", [8, 24, 24, 1], 400, "matrix-free"],
  ] as const)("counts what the engine reports after an observation: %s", async (_, layers, n, route) => {
    const net = network({ layers: [...layers], seed: 1 });
    const set = data(n, 8);
    let bytes = 0;
    let engineOf: ObservedRun["engine"] | null = null;
    const onRecord = () => {
      bytes = Math.max(bytes, engineOf?.bytes() ?? 0);
    };
    const watch = monitor({ drift: false, onRecord });
    const options = { route, monitor: watch, validation: false, backend: "native", threads: 1 } as const;
    const bare = plan(net, set, { ...options, monitor: undefined }).chosen.bytes;
    const planned = plan(net, set, options).chosen.bytes;
    expect(bare.monitor).toBe(0);
    const start = watch.onStart?.bind(watch);
    watch.onStart = async (run) => {
      engineOf = run.engine;
      await start?.(run);
    };
    await train(net, set, { ...options, stop: { iterations: 2 } });
    // The spectrum's work arrays and the vectors are not the engine's.
    const [p, order] = [net.parameterCount, Math.min(net.parameterCount, n)];
    const eigen = order ** 2 + (order > 512 || p > n ? Math.min(order, 300) * order : 0);
    const own = planned.data + planned.curvature + planned.factor + planned.workspaces + planned.monitor;
    const counted = own - 8 * (eigen + 6 * n + 6 * p);
    expect(bytes).toBeGreaterThan(bare.data + bare.curvature + bare.factor + bare.workspaces);
    expect(counted).toBeGreaterThan(0.95 * bytes);
    // Panels that both routes use are counted for each of them.
    expect(counted).toBeLessThan(1.5 * bytes);
  });

  it("is refused before anything is reserved, and says that it fits without the monitor", async () => {
    const net = network({ layers: [20, 60, 60, 1], seed: 1 });
    const set = data(6000, 20);
    const base = { route: "matrix-free", validation: false, backend: "native", threads: 1 } as const;
    const { most } = plan(net, set, base).chosen.bytes;
    const memoryLimit = most + 2e6;
    await expect(train(net, set, { ...base, memoryLimit, monitor: monitor() })).rejects.toThrow(
      /what the monitor measures.*it fits without the monitor/s,
    );
    const off = monitor({ spectrum: false, parts: false, drift: false });
    expect(plan(net, set, { ...base, memoryLimit, monitor: off }).chosen.bytes.monitor).toBeLessThan(1e6);
  });
});

describe("the plan of a flow", () => {
  it("counts the triangle that it may turn to beside the Gram matrix", async () => {
    const net = network({ layers: [8, 16, 16, 1], seed: 1 });
    const set = data(1000, 8);
    const options = { until: 1e-3, backend: "native", threads: 1 } as const;
    const run = await flow(net, set, { ...options, damping: 0.5 });
    const { most, peak } = run.plan.chosen.bytes;
    const engine = createEngine(
      net.architecture,
      { sampleCount: 1000, inputs: set.inputs, targets: set.targets },
      { backend: "native", threads: 1 },
    );
    const request = { decay: 0, scaling: null } as const;
    const solve = { damping: 0.1, decay: 0, scaling: null };
    await engine.linearize(net.parameters, { ...request, curvature: "primal" });
    await engine.solve(solve);
    const before = engine.bytes();
    await engine.linearize(net.parameters, { ...request, curvature: "orthogonal" });
    await engine.solve(solve);
    expect(most - peak).toBeGreaterThan(0.95 * (engine.bytes() - before));
    engine.dispose();
    // One that is asked to stay, with a damping that keeps it going, forms no triangle.
    const stays = await flow(net, set, { ...options, damping: 0.5, route: "primal" });
    expect(stays.plan.chosen.bytes.most).toBe(stays.plan.chosen.bytes.peak);
    const limit = { memoryLimit: (most + peak) / 2 };
    await expect(flow(net, set, { ...options, ...limit, damping: 0.5 })).rejects.toThrow(
      /turns to the orthogonal route/,
    );
    expect((await flow(net, set, { ...options, ...limit, damping: 0.5, route: "primal" })).reason.code).toBe("until");
  });
});

describe("an observation that cannot have its memory", () => {
  it("is a warning in the report, and the run goes on", async () => {
    const net = network({ layers: [2, 3, 1], seed: 1 });
    const set = data(30, 2);
    const watch = monitor();
    const start = watch.onStart?.bind(watch);
    let calls = 0;
    watch.onStart = (run) => {
      const engine = new Proxy(run.engine, {
        get: (target, name) => {
          if (name === "eigen" && ++calls === 2)
            return () => Promise.reject(new GaussflowError("GAUSSFLOW_MEMORY", "the eigenvalues need 8 TB"));
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
      return start?.({ ...run, engine });
    };
    const observer: Observer<MonitorReport> = watch;
    const result = await train(net, set, { monitor: observer, validation: false, stop: { iterations: 4 } });
    expect(result.reason.code).toBe("iterations");
    expect(result.monitor?.warnings).toEqual(["the observation at iteration 1 failed: the eigenvalues need 8 TB"]);
    expect(result.monitor?.records.map(({ position }) => position)).toEqual([0, 2, 3, 4]);
  });
});
