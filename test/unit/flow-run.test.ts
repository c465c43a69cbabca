// How a flow runs and ends: reasons, best-so-far, records, events, outputs, aborts, failures of the right-hand side.
import { describe, expect, it } from "vitest";
import { teacherProblem } from "../../src/experiment/problems.js";
import {
  dataset,
  distanceAbove,
  dormandPrince,
  driftAbove,
  euler,
  type FlowRecord,
  flow,
  flowSteps,
  gradientBelow,
  lossBelow,
  network,
  rungeKutta4,
  spectralDamping,
  squaredError,
  tsitouras,
} from "../../src/index.js";
import { waves } from "../helpers/problems.js";

const { network: net, data } = await teacherProblem({
  seed: 1,
  samples: 60,
  width: 4,
  scale: 1,
  alpha: 1000,
  target: "reachable",
});
const raw = { standardize: false } as const;
/** Mean loss of the centered network's start. */
const startLoss = data.targets.reduce((sum, value) => sum + value ** 2, 0) / 60;

describe("a flow", () => {
  it("ends at its time with a record for the start and every accepted step", async () => {
    const seen: FlowRecord[] = [];
    const result = await flow(net, data, {
      ...raw,
      damping: 0,
      until: 2,
      onRecord: (record) => void seen.push(record),
    });
    expect(result.reason).toEqual({ code: "until", message: "t = 2 is reached" });
    expect(result.time).toBe(2);
    expect(result.records).toEqual(seen);
    expect(result.records.map(({ step }) => step)).toEqual(seen.map((_, k) => k));
    expect(seen).toHaveLength(result.statistics.accepted + 1);
    expect(seen[0]).toMatchObject({ step: 0, time: 0, stepSize: 0, error: null, dissipated: 0, distance: 0 });
    expect(seen[0].loss).toBeCloseTo(startLoss, 12);
    for (const { error, damping, warning } of seen.slice(1)) {
      expect(error).toBeLessThanOrEqual(1);
      expect(damping).toBe(0);
      expect(warning).toBeNull();
    }
    expect(result.chosen).toMatch(
      /constant damping \(rho = 0\), dormand-prince .*20 parameters are at most 60 equations/,
    );
    // The last point is the best one of a falling loss, and the network predicts it.
    expect(result.network.parameters).toEqual(result.last.parameters);
    const loss =
      result.network.predict(data.inputs).reduce((sum, value, i) => sum + (value - data.targets[i]) ** 2, 0) / 60;
    expect(Math.abs(loss / (seen.at(-1) as FlowRecord).loss - 1)).toBeLessThan(1e-9); // alpha eps / residual
  });

  it("starts from where it is told, in time and in the network", async () => {
    const half = await flow(net, data, { ...raw, damping: 0.2, from: 1, until: 2 });
    const rest = await flow(half.last, data, { ...raw, damping: 0.2, from: 2, until: 3 });
    const whole = await flow(net, data, { ...raw, damping: 0.2, from: 1, until: 3 });
    expect(half.records[0].time).toBe(1);
    expect(whole.records.at(-1)?.loss).toBeCloseTo(rest.records.at(-1)?.loss as number, 5);
  });

  it.each([
    euler({ step: 0.05 }),
    rungeKutta4({ step: 0.2 }),
    dormandPrince(),
    tsitouras(),
    dormandPrince({ step: 0.25 }),
  ])("falls as exp(-2t) with $label", async (integrator) => {
    const { records } = await flow(net, data, { ...raw, damping: 0, until: 2, integrator });
    const last = records.at(-1) as FlowRecord;
    const rate = -Math.log(last.objective / records[0].objective) / 2;
    // Euler at 0.05: log((1 - 0.05)^2)/0.05 = -2.052.
    expect(rate).toBeCloseTo(integrator.name === "euler" ? (-2 * Math.log(0.95)) / 0.05 : 2, 2);
  });

  it("yields its records to for await, and leaving early frees the engine", async () => {
    let count = 0;
    for await (const record of flowSteps(net, data, { ...raw, damping: 0 })) {
      expect(record.step).toBe(count);
      if (++count === 3) break;
    }
    expect(count).toBe(3);
  });

  it("gives the network at the times asked for, start and end included", async () => {
    const times = [0, 0.3, 1, 1.7, 2];
    const integrator = dormandPrince({ relativeTolerance: 1e-8, absoluteTolerance: 1e-12 });
    const { outputs, records } = await flow(net, data, { ...raw, damping: 0, until: 2, outputs: times, integrator });
    expect(outputs.map(({ time }) => time)).toEqual(times);
    for (const { time, network: there } of outputs) {
      const psi = there.predict(data.inputs);
      const g = 0.5 * psi.reduce((sum, value, i) => sum + (value - data.targets[i]) ** 2, 0);
      // alpha = 1000: curvature bends the rate by 1e-3.
      expect(Math.abs(Math.log(g / records[0].objective) + 2 * time)).toBeLessThan(0.01);
    }
    expect(outputs[0].network.parameters).toEqual(net.parameters);
  });

  it("keeps decay in the objective, and its dissipation pays for it", async () => {
    const loss = squaredError({ decay: 0.5 });
    const { records } = await flow(net, data, { ...raw, loss, damping: 0.5, until: 1 });
    const square = net.parameters.reduce((sum, value) => sum + value ** 2, 0);
    expect(records[0].objective).toBeCloseTo(0.5 * (startLoss * 60) + 0.25 * square, 6);
    for (let i = 1; i < records.length; i++) expect(records[i].objective).toBeLessThan(records[i - 1].objective);
  });

  it("takes sample weights: a weight of 2 is a row twice", async () => {
    const few = waves(20, 2, 1, 3);
    const weights = Float64Array.from({ length: 20 }, (_, i) => (i < 5 ? 2 : 1));
    const weighted = dataset({ inputs: few.inputs, targets: few.targets, inputSize: 2, weights });
    const twice = few.select([...Array.from({ length: 20 }, (_, i) => i), 0, 1, 2, 3, 4]);
    const small = network({ layers: [2, 2, 1], outputScale: 50, centered: true, seed: 1 });
    const [a, b] = [
      await flow(small, weighted, { ...raw, damping: 0.1, until: 1 }),
      await flow(small, twice, { ...raw, damping: 0.1, until: 1 }),
    ];
    expect(a.records.at(-1)?.objective).toBeCloseTo(b.records.at(-1)?.objective as number, 9);
  });

  it("does not care for the size of all weights together: steps and losses are the same", async () => {
    const few = waves(40, 2, 1, 3);
    const small = network({ layers: [2, 3, 1], outputScale: 1e3, centered: true, seed: 1 });
    const runs = [];
    for (const weight of [1, 1e-4, 1e8]) {
      const weights = new Float64Array(40).fill(weight);
      const data = dataset({ inputs: few.inputs, targets: few.targets, inputSize: 2, weights });
      runs.push(await flow(small, data, { ...raw, damping: 0, until: 3 }));
    }
    const relative = runs.map(({ records }) => (records.at(-1) as FlowRecord).objective / records[0].objective);
    expect(new Set(runs.map(({ statistics }) => statistics.accepted)).size).toBe(1);
    // sqrt(weight) is rounded: eps times the condition of the problem.
    for (const share of relative) expect(Math.abs(share / relative[0] - 1)).toBeLessThan(1e-8);
  });
});

describe("events of a flow", () => {
  it("stop at the root of the interpolant: loss below, within 10 times the tolerance of the closed form", async () => {
    const relativeTolerance = 1e-8;
    const lazy = await teacherProblem({ seed: 1, samples: 60, width: 4, scale: 1, alpha: 1e6, target: "reachable" });
    const start = lazy.data.targets.reduce((sum, value) => sum + value ** 2, 0) / 60;
    const result = await flow(lazy.network, lazy.data, {
      ...raw,
      damping: 0,
      until: 5,
      integrator: dormandPrince({ relativeTolerance, absoluteTolerance: 1e-13 }),
      events: [lossBelow(start * Math.exp(-3))],
    });
    expect(result.reason.code).toBe("event");
    // alpha = 1e6: the loss is exp(-2t) up to curvature of order 1e-6; the tolerance joins relative to the residual there.
    expect(Math.abs(result.time - 1.5)).toBeLessThan(1e-6 + 10 * relativeTolerance * Math.exp(1.5));
    expect(result.records.at(-1)?.loss).toBeCloseTo(start * Math.exp(-3), 8);
    expect(result.events).toHaveLength(1);
    expect(result.events[0].time).toBe(result.time);
    expect(result.events[0].network.parameters).toEqual(result.last.parameters);
  });

  it("are recorded in order without stopping where they are not terminal", async () => {
    const events = [
      lossBelow(startLoss * Math.exp(-2), false),
      lossBelow(startLoss * Math.exp(-1), false),
      { name: "never", value: () => 1 },
      { name: "time", value: ({ time }: { time: number }) => time - 0.75, direction: "rising" as const },
    ];
    const result = await flow(net, data, { ...raw, damping: 0, until: 2, events });
    expect(result.reason.code).toBe("until");
    expect(result.events.map(({ name }) => name)).toEqual([events[1].name, "time", events[0].name]);
    // A function of time alone has the root of the interpolant exactly.
    expect(Math.abs(result.events[1].time - 0.75)).toBeLessThan(1e-10);
  });

  it("look at gradient, kernel drift and distance", async () => {
    const small = await teacherProblem({ seed: 1, samples: 60, width: 4, scale: 1, alpha: 30, target: "reachable" });
    const probe = await flow(small.network, small.data, { ...raw, damping: 0.1, until: 3 });
    const gradient = probe.records.at(-1)?.gradientNorm as number;
    const distance = (probe.records.at(-1)?.distance as number) / 2;
    for (const event of [gradientBelow(2 * gradient), distanceAbove(distance), driftAbove(1e-3)]) {
      const result = await flow(small.network, small.data, { ...raw, damping: 0.1, until: 3, events: [event] });
      expect(result.reason.code, event.name).toBe("event");
      expect(result.time).toBeGreaterThan(0);
      expect(result.time).toBeLessThan(3);
      if (event.name.startsWith("distance")) expect(result.records.at(-1)?.distance).toBeCloseTo(distance, 8);
      if (event.name.startsWith("gradient")) expect(result.records.at(-1)?.gradientNorm).toBeCloseTo(2 * gradient, 3);
    }
  });
});

describe("a flow ends with a reason", () => {
  it("stop.loss, stop.gradient, the most steps, seconds", async () => {
    const code = async (options: Parameters<typeof flow>[2]) =>
      (await flow(net, data, { ...raw, damping: 0, ...options })).reason.code;
    expect(await code({ stop: { loss: startLoss / 2 } })).toBe("loss");
    // The gradient measure is a cosine: it falls where the target is off the manifold.
    const noisy = waves(60, 3, 1, 2, 0.3);
    const watched = await flow(net, noisy, { ...raw, damping: 0, stop: { gradient: 1e-3 }, until: 20 });
    expect(watched.reason.code).toBe("gradient");
    expect(watched.reason.message).toMatch(/the gradient measure \d\.\d+e-4 is at or below 0.001/);
    expect(await code({ integrator: dormandPrince({ steps: 3 }) })).toBe("steps");
    expect(await code({ damping: 1, until: 1e6, stop: { seconds: 0.2 } })).toBe("seconds");
  });

  it("aborted: before it begins, and on its way, with what was reached", async () => {
    const gone = await flow(net, data, { ...raw, damping: 0, signal: AbortSignal.abort() });
    expect(gone.reason.code).toBe("aborted");
    expect(gone.network.parameters).toEqual(net.parameters);
    const controller = new AbortController();
    const onRecord = ({ step }: FlowRecord) => {
      if (step === 4) controller.abort(new Error("enough"));
    };
    const result = await flow(net, data, { ...raw, damping: 0, signal: controller.signal, onRecord });
    expect(result.reason).toEqual({ code: "aborted", message: "the caller aborted the run: enough" });
    expect(result.records).toHaveLength(5);
    expect(result.records.at(-1)?.loss).toBeLessThan(startLoss);
  });

  it("what onRecord throws comes through", async () => {
    const onRecord = () => {
      throw new Error("observer");
    };
    await expect(flow(net, data, { ...raw, damping: 0, onRecord })).rejects.toThrow("observer");
  });

  it("parameters that are not finite: the first bad one, at once", async () => {
    const broken = net.parameters.slice();
    broken[7] = Number.NaN;
    const result = await flow(net.withParameters(broken), data, { ...raw, damping: 0 });
    expect(result.reason).toMatchObject({ code: "non-finite", where: { what: "parameter", parameter: 7 } });
    expect(result.records).toEqual([]);
  });

  it("a weight decay that takes the objective out of range: named, at once", async () => {
    const result = await flow(net, data, { ...raw, damping: 0, loss: squaredError({ decay: 1e308 }) });
    expect(result.reason).toMatchObject({ code: "non-finite", where: { what: "objective" } });
    expect(result.reason.message).toMatch(/weight decay 1e\+308 is too large/);
    expect(result.records).toEqual([]);
  });

  it("an Euler flow that explodes names layer and sample, and keeps the best finite point", async () => {
    // Gradient flow at a step far beyond stability: |w| doubles on and on until a layer overflows.
    const linear = network({ layers: [1, 2, 1], activation: "identity", seed: 2 });
    const line = dataset({ inputs: [[1], [2], [3]], targets: [[100], [200], [300]] });
    const result = await flow(linear, line, { ...raw, damping: 1, until: 1e4, integrator: euler({ step: 10 }) });
    expect(result.reason.code).toBe("non-finite");
    expect(result.reason.message).toMatch(/a step of 10 from t = \d+ failed: the \w+ is not finite, first at layer \d/);
    expect(result.reason.where?.layer).toBeDefined();
    expect(result.network.parameters.every(Number.isFinite)).toBe(true);
    const best = Math.min(...result.records.map(({ objective }) => objective));
    const psi = result.network.predict(line.inputs);
    expect(0.5 * psi.reduce((sum, value, i) => sum + (value - line.targets[i]) ** 2, 0)).toBeCloseTo(best, 6);
    // Along the way every rise was reported: an exact flow never climbs.
    expect(result.records.some(({ warning }) => /the objective rose from/.test(warning ?? ""))).toBe(true);
  });

  it("singular-jacobian with t and sigma_min, where an undamped flow is driven into one", async () => {
    const small = await teacherProblem({ seed: 2, samples: 200, width: 5, scale: 0.1, alpha: 1, target: "reachable" });
    const result = await flow(small.network, small.data, { ...raw, damping: 0 });
    expect(result.reason.code).toBe("singular-jacobian");
    expect(result.reason.message).toMatch(
      /(J is singular|the step collapsed) at t = [\d.]+: sigma_min = [\d.e-]+.*numerical rank \d+ of 25/,
    );
    expect(result.network.parameters.every(Number.isFinite)).toBe(true);
  });

  it("steps, not a singular J, where only the budget of steps ran out", async () => {
    const small = await teacherProblem({ seed: 1, samples: 200, width: 5, scale: 0.1, alpha: 1, target: "reachable" });
    const integrator = dormandPrince({ steps: 20 });
    const result = await flow(small.network, small.data, { ...raw, damping: 0, integrator });
    expect(result.reason).toMatchObject({ code: "steps", message: expect.stringContaining("20 steps were tried") });
  });

  it("singular-jacobian at the start, where columns of J depend on each other", async () => {
    const twin = data.select(Array.from({ length: 60 }, (_, i) => i));
    const inputs = twin.inputs.map((value, k) => (k % 3 === 2 ? twin.inputs[k - 1] : value));
    const dependent = dataset({ inputs, targets: twin.targets, inputSize: 3 });
    const result = await flow(net, dependent, { ...raw, damping: 0 });
    expect(result.reason).toMatchObject({ code: "singular-jacobian" });
    expect(result.reason.message).toMatch(/at the start: J is singular at t = 0: numerical rank 16 of 20/);
  });
});

it("gradient flow looks stiff, and the number that says so is near the edge of the stability region", async () => {
  for (const alpha of [1, 1e4]) {
    const problem = await teacherProblem({ seed: 1, samples: 200, width: 5, scale: 1, alpha, target: "reachable" });
    const { stiffness } = await flow(problem.network, problem.data, { ...raw, damping: 1, until: 2 });
    const number = Number(stiffness?.match(/now ([\d.]+)/)?.[1]);
    // 3.31 is where Dormand-Prince ends on the negative real axis: it is told on the way there, from 2.5 on.
    expect(number, String(stiffness)).toBeGreaterThan(2.5);
    expect(number, String(stiffness)).toBeLessThan(3.7);
  }
});

describe("routes of a flow", () => {
  it("agree where both apply", async () => {
    const ends = [];
    for (const route of ["primal", "orthogonal", "dual"] as const)
      ends.push((await flow(net, data, { ...raw, damping: 0.3, until: 1, route })).records.at(-1)?.objective as number);
    // Solves agree to cond * eps; the step sizes follow the errors to rounding. 1e-6 is the integration's own tolerance.
    for (const objective of ends) expect(Math.abs(objective / ends[0] - 1)).toBeLessThan(1e-6);
  });

  it("switch from Cholesky to QR where the condition estimate asks for it, once, and say when and why", async () => {
    const bad = await teacherProblem({ seed: 2, samples: 200, width: 5, scale: 0.03, alpha: 1e4, target: "reachable" });
    const result = await flow(bad.network, bad.data, { ...raw, damping: 0, until: 1 });
    expect(result.switched?.time).toBe(0);
    expect(result.switched?.message).toMatch(
      /orthogonal route from t = 0 on: the condition estimate [\d.]+e\+\d+ is above/,
    );
    expect(result.records.every(({ route, rank }) => route === "orthogonal" && rank === 25)).toBe(true);
    expect(result.statistics.linearizations).toBe(result.statistics.evaluations + 1);
  });

  it("the spectral schedule holds lambda of a large system through a step, and refreshes it between", async () => {
    // Order 700 is above the eigensolver's limit.
    const wide = waves(700, 3, 1, 5);
    const big = network({ layers: [3, 160, 1], outputScale: 100, centered: true, seed: 1 });
    const result = await flow(big, wide, {
      ...raw,
      damping: spectralDamping(),
      until: 0.5,
      integrator: dormandPrince({ relativeTolerance: 1e-3 }),
    });
    expect(result.reason.code).toBe("until");
    const { accepted, rejected, evaluations } = result.statistics;
    // One for the start, one for the starting step's probe, six a trial, and one more at every accepted step but the last.
    expect(evaluations).toBe(2 + 6 * (accepted + rejected) + (accepted - 1));
    for (const { smallestEigenvalue, damping } of result.records) {
      expect(smallestEigenvalue).toBeGreaterThan(0);
      expect(damping).toBeCloseTo((smallestEigenvalue as number) / (1 + (smallestEigenvalue as number)), 12);
    }
  });
});
