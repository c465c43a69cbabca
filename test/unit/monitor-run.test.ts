// The monitor on runs: every quantity against an oracle, the costs that can be switched off, the verdict and the convergence test
// on problems whose answer is known.
import { describe, expect, it } from "vitest";
import { teacherProblem } from "../../src/experiment/problems.js";
import {
  dataset,
  euler,
  flow,
  gaussNewton,
  levenbergMarquardt,
  type MonitorRecord,
  type MonitorReport,
  monitor,
  network,
  Random,
  spectralDamping,
  squaredError,
  train,
} from "../../src/index.js";
import { waves } from "../helpers/problems.js";

const raw = { standardize: false } as const;
const report = async (run: Promise<{ monitor: MonitorReport | null }>) => (await run).monitor as MonitorReport;

describe("what the monitor records of a flow", () => {
  const over = teacherProblem({ seed: 3, samples: 12, width: 20, scale: 1, alpha: 20, target: "reachable" });

  it("the PL ratio is 1 for Gauss-Newton flow to a reachable target, and at least the slowest mode's share elsewhere", async () => {
    const { network: net, data } = await teacherProblem({
      seed: 3,
      samples: 60,
      width: 4,
      scale: 1,
      alpha: 1e4,
      target: "reachable",
    });
    const gn = await report(flow(net, data, { ...raw, damping: 0, until: 3, monitor: monitor({ optimum: 0 }) }));
    for (const { plRatio } of gn.records) expect(plRatio).toBeCloseTo(1, 3);
    expect(gn.optimum).toEqual({ value: 0, estimated: false });
    const lm = await report(flow(net, data, { ...raw, damping: 0.5, until: 3, monitor: monitor({ optimum: 0 }) }));
    for (const { plRatio, promised } of lm.records)
      expect(plRatio).toBeGreaterThanOrEqual((promised as number) / 2 - 1e-3);
  });

  it("estimates the optimum of an unreachable target, says so, and takes the rate from the tangent part", async () => {
    const { network: net, data } = await teacherProblem({
      seed: 3,
      samples: 60,
      width: 4,
      scale: 1,
      alpha: 1e4,
      target: "random",
    });
    const long = await flow(net, data, { ...raw, damping: 0, until: 12 });
    const found = await report(flow(net, data, { ...raw, damping: 0, until: 3, monitor: monitor() }));
    expect(found.optimum?.estimated).toBe(true);
    // After t = 12 nothing is left of the excess but exp(-24).
    const best = long.records.at(-1)?.objective as number;
    expect(Math.abs((found.optimum?.value as number) / best - 1)).toBeLessThan(1e-6);
    expect(found.rate?.measured).toBeCloseTo(2, 2);
    expect(found.verdict.code).toBe("on-theory");
    for (const { plRatio } of found.records.slice(0, 5)) expect(plRatio).toBeCloseTo(1, 2);
  });

  it("observes every k-th step, the start and the end", async () => {
    const { network: net, data } = await over;
    const result = await flow(net, data, { ...raw, damping: 0.2, until: 2, monitor: monitor({ every: 4 }) });
    const times = result.records.map(({ time }) => time);
    const expected = times.filter((_, k) => k % 4 === 0 || k === times.length - 1);
    expect(result.monitor?.records.map(({ position }) => position)).toEqual(expected);
  });

  it("measures nothing that is switched off, and still fits the rate", async () => {
    const { network: net, data } = await over;
    const off = monitor({ spectrum: false, parts: false, drift: false, optimum: 0 });
    const found = await report(flow(net, data, { ...raw, damping: spectralDamping(), until: 2, monitor: off }));
    for (const record of found.records)
      expect(record).toMatchObject({ spectrum: null, tangentNorm: null, normalNorm: null, drift: null });
    // The schedule itself asked for lambda: the promise is known all the same.
    expect(found.rate?.promised).toBeGreaterThan(1);
    expect(found.verdict.code).toMatch(/on-theory|faster/);
  });

  it("shows records as they arise, and changes nothing of the flow", async () => {
    const { network: net, data } = await over;
    const seen: MonitorRecord[] = [];
    const options = { ...raw, damping: 0.2, until: 1 } as const;
    const watched = await flow(net, data, {
      ...options,
      monitor: monitor({ onRecord: (record) => void seen.push(record) }),
    });
    const alone = await flow(net, data, options);
    expect(seen.map(({ position }) => position)).toEqual(watched.monitor?.records.map(({ position }) => position));
    expect(watched.last.parameters).toEqual(alone.last.parameters);
    expect(alone.monitor).toBeNull();
  });

  it("is for one run", async () => {
    const { network: net, data } = await over;
    const used = monitor();
    await flow(net, data, { ...raw, damping: 0.2, until: 0.1, monitor: used });
    expect(used.report?.verdict.code).toBe("not-applicable"); // two or three points
    await expect(flow(net, data, { ...raw, damping: 0.2, until: 0.1, monitor: used })).rejects.toThrow(
      /made anew for every run/,
    );
  });
});

describe("verdicts on flows whose answer is known", () => {
  it("on-theory along the weakest eigenvector, damping-limited there with rho = 0.5, both with their numbers", async () => {
    const { network: net, data } = await teacherProblem({
      seed: 2,
      samples: 40,
      width: 200,
      scale: 1,
      alpha: 100,
      target: "weakest",
    });
    const theory = await report(flow(net, data, { ...raw, damping: spectralDamping(), monitor: monitor() }));
    expect(theory.verdict.code).toBe("on-theory");
    expect(theory.rate?.measured).toBeCloseTo(theory.rate?.promised as number, 2);
    const limited = await report(flow(net, data, { ...raw, damping: 0.5, monitor: monitor() }));
    expect(limited.verdict.code).toBe("damping-limited");
    expect(limited.rate?.measured).toBeLessThan(0.98 * (limited.rate?.attainable as number));
  });

  it("curvature-limited where alpha is small: the same problem that is on-theory at a larger one", async () => {
    for (const [alpha, code] of [
      [2, "curvature-limited"],
      [1e4, "on-theory"],
    ] as const) {
      const problem = { seed: 2, samples: 200, width: 5, scale: 1, target: "reachable" } as const;
      const { network: net, data } = await teacherProblem({ ...problem, alpha });
      const found = await report(flow(net, data, { ...raw, damping: 0, until: 3, monitor: monitor({ optimum: 0 }) }));
      expect(found.verdict.code).toBe(code);
      // The kernel has moved by about as much as it is large, or hardly.
      const drift = found.records.at(-1)?.drift as number;
      if (alpha === 2) expect(drift).toBeGreaterThan(0.3);
      else expect(drift).toBeLessThan(1e-3);
    }
  });

  it("compares fixed steps with what they make of the promise", async () => {
    const { network: net, data } = await teacherProblem({
      seed: 3,
      samples: 60,
      width: 4,
      scale: 1,
      alpha: 1e4,
      target: "reachable",
    });
    const watch = monitor({ optimum: 0 });
    const found = await report(
      flow(net, data, { ...raw, damping: 0, until: 4, integrator: euler({ step: 0.5 }), monitor: watch }),
    );
    // (1 - 1/2)^2 a step of 1/2.
    expect(found.rate?.promised).toBeCloseTo(-2 * Math.log(0.25), 10);
    expect(found.rate?.measured).toBeCloseTo(-2 * Math.log(0.25), 3);
    expect(found.verdict.code).toBe("on-theory");
  });

  it("not-applicable for relu, for weight decay, for too short a flow", async () => {
    const data = waves(40, 2, 1, 1);
    const relu = network({ layers: [2, 4, 1], activation: "relu", seed: 1 });
    const found = await report(flow(relu, data, { damping: 0.5, until: 1, monitor: monitor() }));
    expect(found.verdict).toMatchObject({
      code: "not-applicable",
      message: expect.stringContaining("relu is not smooth"),
    });
    const tanh = network({ layers: [2, 4, 1], seed: 1 });
    const loss = squaredError({ decay: 1 });
    const decayed = await report(flow(tanh, data, { damping: 0.5, until: 1, loss, monitor: monitor() }));
    expect(decayed.verdict.message).toContain("weight decay of 1");
  });

  it("not-applicable where duplicate samples contradict each other in an overparameterized flow", async () => {
    const base = waves(10, 2, 1, 1);
    const twice = base.select([...Array.from({ length: 10 }, (_, i) => i), 0, 1]);
    const targets = twice.targets.slice();
    targets[10] += 1;
    const data = dataset({ inputs: twice.inputs, targets, inputSize: 2 });
    const net = network({ layers: [2, 30, 1], initialization: "symmetric", outputScale: 100, seed: 1 });
    const found = await report(flow(net, data, { ...raw, damping: spectralDamping(), until: 10, monitor: monitor() }));
    expect(found.records.at(-1)?.spectrum?.below).toBe(2);
    expect(found.verdict.message).toMatch(/2 eigenvalues of the kernel lie below the rounding floor/);
  });
});

describe("the monitor of a training run", () => {
  it("sees a fit on its way to the minimum as on-theory, and the minimum as converged", async () => {
    const data = waves(200, 2, 1, 4, 0.05);
    const net = network({ layers: [2, 1, 1], seed: 2 });
    const method = levenbergMarquardt({ scaling: "identity" });
    const options = { validation: false, method } as const;
    const result = await train(net, data, { ...options, monitor: monitor(), stop: { iterations: 300 } });
    const { converged, records, optimum } = result.monitor as MonitorReport;
    expect(records.map(({ position }) => position)).toEqual(Array.from({ length: result.iterations + 1 }, (_, k) => k));
    expect(converged.holds, converged.message).toBe(true);
    expect(converged.message).toMatch(/relative offset/);
    expect(optimum?.estimated).toBe(true);
    // The run ends where steps change the last bit: a sum of 200 squares is known to 200 eps.
    const lowest = records.at(-1)?.objective as number;
    expect(optimum?.value).toBeLessThanOrEqual(lowest * (1 + 200 * Number.EPSILON));
    expect(records[0]).toMatchObject({ drift: 0, distance: 0, gainRatio: null });
    const last = records.at(-1) as MonitorRecord;
    expect(last.gainRatio).not.toBeNull();
    expect(last.dissipation).toBeGreaterThanOrEqual(0);
  });

  it("says no while a fit is on its way", async () => {
    const data = waves(200, 2, 1, 4, 0.05);
    const net = network({ layers: [2, 8, 1], seed: 2 });
    const options = { validation: false, stop: { iterations: 5 } } as const;
    const early = await report(train(net, data, { ...options, monitor: monitor() }));
    expect(early.converged.holds).toBe(false);
    expect(early.converged.message).toMatch(
      /^no: further steps could still lower the training error \(relative offset .* a minimum has less than 0\.001\)$/,
    );
  });

  it("calls an interpolating fit converged once the loss is at its rounding floor", async () => {
    const data = waves(8, 2, 1, 4, 0.05);
    const net = network({ layers: [2, 20, 1], seed: 2 });
    const stop = { iterations: 200, gradient: 0, step: 0, reduction: 0 };
    const found = await report(
      train(net, data, { validation: false, stop, method: gaussNewton(), monitor: monitor() }),
    );
    expect(found.converged).toMatchObject({ holds: true, message: expect.stringContaining("rounding floor") });
  });

  it.each<[string, Parameters<typeof levenbergMarquardt>[0] | null, number, string]>([
    ["an enormous damping: damping-limited", { scaling: "identity", initialDamping: 1e6 }, 6, "damping-limited"],
    ["full steps of a nearly linear network: on-theory", null, 12, "on-theory"],
  ])("%s", async (_, damped, iterations, code) => {
    const data = waves(60, 2, 1, 4, 0.05);
    // Half steps of Gauss-Newton at a large output scale: the excess falls to a quarter each time, as the model says.
    const net = network({ layers: [2, 4, 1], seed: 2, centered: true, outputScale: damped === null ? 1e5 : 1 });
    const method = damped === null ? gaussNewton({ step: 0.5, lineSearch: false }) : levenbergMarquardt(damped);
    const options = { validation: false, method, stop: { iterations }, monitor: monitor({ window: 5 }) } as const;
    const found = await report(train(net, data, options));
    expect(found.verdict.code, found.verdict.message).toBe(code);
    if (damped === null) expect(found.rate?.measured).toBeCloseTo(Math.log(4), 2);
  });

  it("never blames a damping that is 0", async () => {
    const data = waves(60, 2, 1, 4, 0.3);
    for (const seed of [1, 2, 3, 4, 5]) {
      const net = network({ layers: [2, 6, 1], seed });
      const watch = monitor();
      await train(net, data, { validation: false, method: gaussNewton(), stop: { iterations: 30 }, monitor: watch });
      expect(watch.report?.verdict.code, `seed ${seed}`).toMatch(/^(?!damping-limited)/);
    }
  });

  it.each([
    ["fewer parameters than samples", 80, 20],
    ["more parameters than samples", 30, 20],
  ])("finds a minimum with weight decay converged, %s", async (_, samples, width) => {
    const data = waves(samples, 2, 1, 4, 0.2);
    const net = network({ layers: [2, width, 1], seed: 2 });
    const loss = squaredError({ decay: 1 });
    const stop = { iterations: 500, reduction: 0 };
    const found = await report(train(net, data, { validation: false, loss, stop, monitor: monitor() }));
    expect(found.converged.holds, found.converged.message).toBe(true);
    const early = await report(
      train(net, data, { validation: false, loss, stop: { iterations: 2 }, monitor: monitor() }),
    );
    expect(early.converged.holds, early.converged.message).toBe(false);
  });

  it("says what it does not know when `parts` is off", async () => {
    const data = waves(60, 2, 1, 4, 0.3);
    const net = network({ layers: [2, 4, 1], seed: 2 });
    const blind = await report(train(net, data, { validation: false, monitor: monitor({ parts: false }) }));
    expect(blind.optimum).toBeNull();
    expect(blind.rate).toBeNull();
    expect(blind.verdict.message).toMatch(/the optimum is not known: switch `parts` on, or give `optimum`/);
    expect(blind.converged).toMatchObject({
      holds: false,
      message: expect.stringMatching(/^not known: `parts` is off/),
    });
  });

  it("changes no bit of the training, and an abort in the monitor is a reason", async () => {
    const data = waves(60, 2, 1, 4, 0.05);
    const net = network({ layers: [2, 4, 1], seed: 2 });
    const options = { validation: false, stop: { iterations: 10 } } as const;
    const [alone, watched] = [
      await train(net, data, options),
      await train(net, data, { ...options, monitor: monitor() }),
    ];
    expect(watched.last.parameters).toEqual(alone.last.parameters);
    const controller = new AbortController();
    const stopping = monitor({
      onRecord: ({ position }) => {
        if (position === 3) controller.abort();
      },
    });
    const result = await train(net, data, { ...options, monitor: stopping, signal: controller.signal });
    expect(result.reason.code).toBe("aborted");
    expect(result.monitor?.verdict).toBeDefined();
  });
});

describe("verdicts that point the right way", () => {
  // 80 points of a teacher of the same size: a target that no lazy network reaches.
  const draw = new Random(7);
  const inputs = Array.from({ length: 80 }, () => [draw.normal(), draw.normal(), draw.normal()]);
  const taught = { inputs, targets: [...network({ layers: [3, 4, 1], seed: 11 }).predict(inputs)] };
  const lazy = network({ layers: [3, 4, 1], centered: true, seed: 5, outputScale: 3162 });

  it("damping-limited warns of less damping where the undamped flow would not live, and only there", async () => {
    for (const seed of [0, 1]) {
      const small = network({ layers: [3, 4, 1], seed });
      const { verdict } = await report(flow(small, taught, { damping: 0.1, until: 10, monitor: monitor() }));
      expect(verdict.code).toBe("damping-limited");
      expect(verdict.message).toMatch(
        /lets through \d+% of the undamped flow; damping: 0 would promise 2\.0000; but not at this outputScale of 1, at which psi would end .* raise it first \(recommendOutputScale\)/,
      );
      // What the warning is about.
      expect((await flow(small, taught, { damping: 0, until: 10 })).reason.code).toBe("singular-jacobian");
    }
    const { verdict } = await report(flow(lazy, taught, { damping: 0.1, until: 5, monitor: monitor() }));
    expect(verdict.code).toBe("damping-limited");
    expect(verdict.message).toMatch(/damping: 0 would promise 2\.0000$/);
    expect((await flow(lazy, taught, { damping: 0 })).reason.code).toBe("until");
  });

  it("an optimum that is not the run's is named, instead of a flow that has stalled and converged", async () => {
    const found = await report(flow(lazy, taught, { damping: 0, until: 20, monitor: monitor({ optimum: 0 }) }));
    expect(found.converged.holds).toBe(true);
    expect(found.verdict.code).toBe("not-applicable");
    expect(found.verdict.message).toMatch(/the optimum given is 0, and the run has converged to an objective of 1\.2/);
    const above = await report(flow(lazy, taught, { damping: 0, until: 1, monitor: monitor({ optimum: 1e9 }) }));
    expect(above.verdict.message).toMatch(/the optimum given is 1000000000, and the run is below it/);
  });

  it("a fixed step: beyond its stability limit, and one that takes everything at once", async () => {
    const coarse = { integrator: euler({ step: 2.5 }), until: 25, monitor: monitor() };
    const wild = await report(flow(lazy, taught, coarse));
    expect(wild.verdict.code).toBe("not-applicable");
    expect(wild.verdict.message).toMatch(
      /excess loss rises at rate .* euler with step 2\.5 is beyond its stability limit: the fastest mode decays at 2\.000/,
    );
    const whole = await report(flow(lazy, taught, { integrator: euler({ step: 1 }), monitor: monitor() }));
    expect(whole.verdict.message).toMatch(/takes all of the excess at once \(a full Gauss-Newton step\)/);
    expect(whole.rate).toMatchObject({ promised: null, attainable: null });
    expect(JSON.stringify(whole)).not.toContain("72.087");
  });

  it("the normal part of a residual that is all but tangent is what is left of it, not a difference that cancels", async () => {
    const abscissae = Array.from({ length: 60 }, (_, i) => -1 + (2 * i) / 59);
    const sine = { inputs: abscissae.map((x) => [x]), targets: abscissae.map((x) => Math.sin(3 * x)) };
    const options = { monitor: monitor(), validation: false, stop: { iterations: 200 } } as const;
    const found = await report(train(network({ layers: [1, 5, 1], seed: 2 }), sine, options));
    expect(found.converged.message).not.toMatch(/Infinity|NaN/);
    for (const { tangentNorm, normalNorm, objective } of found.records) {
      const [tangent, normal] = [tangentNorm as number, normalNorm as number];
      expect(normal).toBeGreaterThan(0);
      // Pythagoras, to what the worst conditioned J of the run (1e12) leaves of gradient and step.
      expect(Math.abs((tangent ** 2 + normal ** 2) / (2 * objective) - 1)).toBeLessThan(1e-4);
    }
    expect(found.optimum?.value).toBeGreaterThan(0);
  });
});
