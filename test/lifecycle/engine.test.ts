// The native engine through the deaths and accidents of a process: each scene plays in a child process, where a crash or a hang
// is the failure it is.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { estimateCalls } from "../../src/backend/estimate.js";
import { createNativeEngine } from "../../src/backend/native/engine.js";
import { loadNative } from "../../src/backend/native/load.js";
import { network } from "../../src/index.js";
import { buildLibrary } from "../helpers/build.js";
import { inPlace } from "../helpers/in-place.js";
import { waves } from "../helpers/problems.js";

const native = loadNative();

describe.skipIf(!native.ok)("a process with the native engine", () => {
  let library = "";
  beforeAll(() => {
    library = buildLibrary();
  });

  const scene = (name: string, flags: string[] = []) => {
    const file = fileURLToPath(new URL(`./scenes/${name}.mjs`, import.meta.url));
    const child = spawnSync(process.execPath, [...flags, file, library], { encoding: "utf8", timeout: 100_000 });
    return { status: child.status, signal: child.signal, out: child.stdout.trim(), err: child.stderr };
  };

  it("survives worker.terminate() in the middle of a call, again and again", () => {
    const { status, out, err } = scene("terminate");
    expect(`${status} ${out}`, err).toBe("0 8 workers terminated");
  });

  it("does not hang when it spawns processes while the engine computes", () => {
    const { status, out, err } = scene("spawn");
    expect(`${status} ${out}`, err).toBe("0 done");
  });

  it("exits with its code in the middle of a call", () => {
    const { status, signal, err } = scene("exit");
    expect([status, signal], err).toEqual([7, null]);
  });

  it("gives equal numbers in the main thread and in two workers at once", () => {
    const { status, out, err } = scene("workers");
    expect(`${status} ${out}`, err).toBe("0 equal");
  });

  it("may be loaded in a worker alone, which then ends", () => {
    const { status, out, err } = scene("worker-only");
    expect(`${status} ${out}`, err).toBe("0 main goes on");
  });

  it("gives memory back: dropped engines are collected, 1,000 trainings do not grow", () => {
    const { status, out, err } = scene("memory", ["--expose-gc"]);
    expect(status, `${out}${err}`).toBe(0);
    expect(out).toBe("steady");
  });

  it("holds no inputs in JavaScript beside the data set, and still names the sample of a failure", () => {
    const { status, out, err } = scene("release", ["--expose-gc"]);
    expect(`${status} ${out}`, err).toBe("0 700 one copy");
  });
});

describe.skipIf(!native.ok)("one engine", () => {
  const data = waves(3000, 6, 1, 1);
  const net = network({ layers: [6, 40, 40, 1], seed: 1 });
  const make = () =>
    createNativeEngine(
      net.architecture,
      { sampleCount: 3000, inputs: data.inputs, targets: data.targets },
      { threads: 2 },
    );
  const request = { curvature: "primal", decay: 0, scaling: null } as const;

  it("rejects with the signal's reason, before and during a call, and works afterwards", async () => {
    const engine = make();
    const reason = new Error("enough");
    await expect(engine.linearize(net.parameters, request, AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const running = engine.linearize(net.parameters, request, controller.signal);
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(await engine.linearize(net.parameters, request)).toMatchObject({ ok: true });
    engine.dispose();
  });

  it("refuses a second call while one runs, and any call after dispose", async () => {
    const engine = make();
    const running = engine.linearize(net.parameters, request);
    await expect(engine.evaluate(net.parameters)).rejects.toMatchObject({ code: "GAUSSFLOW_BUSY" });
    await running;
    await expect(make().solve({ damping: 1, decay: 0, scaling: null })).rejects.toMatchObject({
      code: "GAUSSFLOW_STATE",
    });
    engine.dispose();
    engine.dispose();
    await expect(engine.evaluate(net.parameters)).rejects.toMatchObject({ code: "GAUSSFLOW_STATE" });
  });

  it("makes every call that is not small beside the event loop", async () => {
    const small = network({ layers: [6, 20, 20, 1], seed: 1 });
    const [w, p] = [small.parameters, small.architecture.parameterCount];
    const problem = { sampleCount: 3000, inputs: data.inputs, targets: data.targets };
    const engine = createNativeEngine(small.architecture, problem, { threads: 2 });
    const calls: [string, "primal" | "matrix-free", () => Promise<unknown>][] = [
      ["forward", "primal", () => engine.forward(w)],
      ["evaluate", "primal", () => engine.evaluate(w)],
      ["linearize", "primal", () => engine.linearize(w, request)],
      ["solve", "primal", () => engine.solve({ damping: 1, decay: 0, scaling: null })],
      ["eigen", "primal", () => engine.eigen(false)],
      ["eigenvaluesBelow", "primal", () => engine.eigenvaluesBelow(1)],
      ["curvatureInverse", "primal", () => engine.curvatureInverse(w, 1)],
      ["accelerate", "primal", () => engine.accelerate(w, null)],
      ["hessianProduct", "primal", () => engine.hessianProduct(w)],
      ["dampedInverse", "primal", () => engine.dampedInverse(w)],
      ["curvatureProduct", "matrix-free", () => engine.curvatureProduct(w)],
      ["layerFactors", "matrix-free", () => engine.layerFactors()],
      ["jacobianProduct", "matrix-free", () => engine.jacobianProduct(w, new Float64Array(p))],
      ["transposeProduct", "matrix-free", () => engine.transposeProduct(w, new Float64Array(3000))],
      ["jacobian", "matrix-free", () => engine.jacobian(w, 0, 3000)],
    ];
    for (const [name, curvature, call] of calls) {
      await engine.linearize(w, { curvature, decay: 0, scaling: null });
      if (name === "accelerate" || name === "dampedInverse")
        await engine.solve({ damping: 1, decay: 0, scaling: null });
      expect(await inPlace(call), `${name} was done in place`).toBe(false);
    }
    engine.dispose();

    // Where the one begins and the other ends is known to the planner.
    const { architecture, parameters } = network({ layers: [8, 16, 16, 1], seed: 1 });
    let most = 1;
    while (estimateCalls("native", architecture, most + 1, { curvature: "none" }).forward !== "elsewhere") most++;
    for (const [sampleCount, expected] of [
      [most, true],
      [most + 1, false],
    ] as const) {
      const { inputs, targets } = waves(sampleCount, 8, 1, 1);
      const near = createNativeEngine(architecture, { sampleCount, inputs, targets }, { threads: 1 });
      expect(await inPlace(() => near.evaluate(parameters)), `${sampleCount} samples`).toBe(expected);
      near.dispose();
    }
  });

  it("leaves the gradient that it gave before as it is", async () => {
    const engine = make();
    const elsewhere = net.parameters.map((value) => 2 * value);
    const first = await engine.linearize(net.parameters, request);
    if ("code" in first) throw new Error(first.message);
    const copy = first.gradient.slice();
    const second = await engine.linearize(elsewhere, request);
    expect(second).toMatchObject({ ok: true });
    expect(first.gradient).toEqual(copy);
    expect(second).not.toMatchObject({ gradient: copy });
    engine.dispose();
  });

  it("may be disposed of during a call", async () => {
    const engine = make();
    const running = engine.linearize(net.parameters, request);
    engine.dispose();
    await running.then(
      () => {},
      (error) => expect(error.code).toBe("GAUSSFLOW_STATE"),
    );
  });

  it("lets the event loop turn during a call", async () => {
    const engine = make();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    for (let k = 0; k < 5; k++) await engine.linearize(net.parameters, request);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(5);
    engine.dispose();
  });

  it("checks element type, length, detached and resizable buffers, and takes shared ones", async () => {
    const engine = make();
    const p = net.parameterCount;
    const bad = (value: unknown, message: RegExp) =>
      expect(engine.evaluate(value as Float64Array)).rejects.toThrow(message);
    await bad(new Float32Array(p), /parameters must be a Float64Array/);
    await bad(new Float64Array(p - 1), new RegExp(`must have ${p} elements; received ${p - 1}`));
    await bad([1, 2, 3], /must be a Float64Array/);
    await bad(undefined, /must be a Float64Array/);
    const detached = new Float64Array(p);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    await bad(detached, /elements; received 0|detached/);
    // maxByteLength is younger than the type library.
    const resizable: ArrayBuffer = Reflect.construct(ArrayBuffer, [8 * p, { maxByteLength: 16 * p }]);
    await bad(new Float64Array(resizable), /resizable/);
    const shared = new Float64Array(new SharedArrayBuffer(8 * p));
    shared.set(net.parameters);
    expect(await engine.evaluate(shared)).toEqual(await engine.evaluate(net.parameters));
    engine.dispose();
  });
});
