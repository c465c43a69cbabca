// Advice before a run: the output scale, the assumptions of the theory, the discretization gap.
import { describe, expect, it } from "vitest";
import { teacherProblem } from "../../src/experiment/problems.js";
import {
  checkAssumptions,
  dataset,
  discretizationGap,
  flow,
  monitor,
  network,
  Random,
  readCsv,
  recommendOutputScale,
  spectralDamping,
} from "../../src/index.js";
import { waves } from "../helpers/problems.js";

const raw = { standardize: false } as const;
const cars = await readCsv("examples/data/auto-mpg.csv", {
  target: "mpg",
  ignore: ["name", "origin"],
  missing: "mean",
});

describe("recommendOutputScale", () => {
  it("suggests scales at which the undamped flow lives, and its excess loss falls at rate 2", async () => {
    for (const scale of [1, 0.3])
      for (const seed of [1, 2, 3]) {
        const problem = { seed, samples: 200, width: 5, scale, target: "reachable" } as const;
        const probe = await teacherProblem({ ...problem, alpha: 1e4 });
        const { outputScale, sufficient, trials } = await recommendOutputScale(probe.network, probe.data, raw);
        expect(outputScale).not.toBeNull();
        expect(sufficient).toBeGreaterThan(outputScale as number);
        expect(trials.some(({ outputScale: tried }) => tried === outputScale)).toBe(true);
        const net = probe.network.withOutputScale(outputScale as number);
        const watch = monitor({ spectrum: false, drift: false });
        const result = await flow(net, probe.data, { ...raw, damping: 0, until: 4, monitor: watch });
        expect(result.reason.code, `scale ${scale}, seed ${seed}`).toBe("until");
        expect(result.monitor?.rate?.measured).toBeGreaterThan(1.9);
        expect(result.monitor?.rate?.measured).toBeLessThan(2.1);
      }
  });

  it("knows closed forms: a linear model is never curved", async () => {
    const data = waves(40, 3, 1, 1);
    const linear = network({ layers: [3, 1], centered: true });
    const advice = await recommendOutputScale(linear, data, raw);
    expect(advice.lipschitz).toBe(0);
    expect(advice.sufficient).toBe(0);
    expect(advice.outputScale).toBe(1); // any would do
    expect(advice.text).toMatch(/linear in its parameters: all output scales are equivalent/);
    expect(advice.text).not.toMatch(/0\.00|careful/i);
    expect((await checkAssumptions(linear.withOutputScale(0.1), data, raw)).applies).toBe(true);
    // sigma_min of [X 1], |y|, |J^T y| from the data themselves.
    const y = data.targets;
    expect(advice.distance).toBeCloseTo(Math.hypot(...y), 10);
    const gradient = [0, 1, 2, 3].map((k) =>
      y.reduce((sum, value, i) => sum + value * (k < 3 ? data.inputs[3 * i + k] : 1), 0),
    );
    expect(advice.gradientNorm).toBeCloseTo(Math.hypot(...gradient), 9);
    expect([advice.rank, advice.of]).toEqual([4, 4]);
  });

  it("measures the Lipschitz constant of J: one unit f = a tanh(w x), by hand", async () => {
    // J = (a x s, t) with t = tanh(w x), s = 1 - t^2; along dw: dJ = (-2 a x^2 t s, x s). One sample.
    const one = network({ layers: [1, 1, 1], bias: false, centered: true, seed: 3 });
    const [w, a] = one.parameters;
    const x = 0.7;
    const data = dataset({ inputs: [[x]], targets: [[0.1]] });
    const t = Math.tanh(w * x);
    const s = 1 - t * t;
    const [jw, ja] = [a * x * s, t];
    const length = Math.hypot(jw, ja);
    const [u, v] = [jw / length, ja / length]; // displacement and gradient both lie along J
    const change = Math.hypot(-2 * a * x * x * t * s * u + x * s * v, x * s * u);
    const advice = await recommendOutputScale(one, data, raw);
    expect(advice.lipschitz).toBeCloseTo(change, 3); // forward difference at h = 1e-4
    expect(advice.displacement).toBeCloseTo(0.1 / length, 6);
  });

  it("says what is wrong: a singular J, a network that does not start at 0", async () => {
    const paired = network({ layers: [6, 4, 1], initialization: "symmetric", seed: 1 });
    const singular = await recommendOutputScale(paired, cars);
    expect(singular.sufficient).toBe(Number.POSITIVE_INFINITY);
    expect(singular.rank).toBeLessThan(singular.of);
    expect(singular.text).toMatch(/J is singular at the start/);
    const ordinary = await recommendOutputScale(network({ layers: [6, 3, 1], seed: 1 }), cars);
    expect(ordinary.text).toMatch(
      /it starts at alpha \|f\(w_0\)\| = alpha \* [\d.]+, which grows with alpha: use centered: true/,
    );
    const centered = await recommendOutputScale(network({ layers: [6, 3, 1], seed: 1, centered: true }), cars);
    expect(centered.text.split("\n")).toHaveLength(4);
    expect(centered.outputScale).toBeCloseTo(ordinary.outputScale as number, 10);
  });

  it("suggests nothing where J is singular: no sentence contradicts another", async () => {
    const draw = new Random(7);
    const inputs = Array.from({ length: 80 }, () => [draw.normal(), draw.normal(), draw.normal()]);
    const data = { inputs, targets: [...network({ layers: [3, 4, 1], seed: 11 }).predict(inputs)] };
    const dead = network({ layers: [3, 6, 1], activation: "relu", seed: 5, centered: true });
    const { outputScale, rank, of, text } = await recommendOutputScale(dead, data);
    expect(outputScale).toBeNull();
    expect(rank).toBeLessThan(of);
    expect(text).toMatch(
      /no output scale makes the undamped flow safe.*\n.*the way of a damped flow alpha = .* is enough/,
    );
    const { findings } = await checkAssumptions(dead, data);
    expect(findings.find(({ assumption }) => assumption === "output-scale")?.remedy).toMatch(
      /^J is singular at the start/,
    );
  });

  it("sees the rounding of an all but singular J, where larger scales make it worse, and only there", async () => {
    const abscissae = Array.from({ length: 60 }, (_, i) => -1 + (2 * i) / 59);
    const sine = { inputs: abscissae.map((x) => [x]), targets: abscissae.map((x) => Math.sin(3 * x)) };
    const units = (seed: number) => network({ layers: [1, 5, 1], centered: true, seed });
    const lost = await recommendOutputScale(units(1), sine);
    expect(lost).toMatchObject({ outputScale: null, roundingBound: 0, rank: 16, of: 16 });
    expect(lost.text).toMatch(/Rounding: .* at every alpha/);
    const found = await checkAssumptions(units(1).withOutputScale(1e8), sine);
    const regular = found.findings.find(({ assumption }) => assumption === "regular");
    expect(regular).toMatchObject({ holds: false, message: expect.stringMatching(/rounding leaves \d+% unknown/) });
    expect(found.applies).toBe(false);
    // cond(J) = 3e8, and what is suggested is good for the 18 or so steps of the well-conditioned.
    const good = await recommendOutputScale(units(7), sine);
    expect(good.roundingBound).toBeGreaterThan(good.outputScale as number);
    const trial = good.trials.find(({ outputScale }) => outputScale === good.outputScale);
    expect(good.text).toContain(`sigma_min keeps ${Number((100 * (trial?.kept as number)).toPrecision(2))}%`);
    const path = await flow(units(7).withOutputScale(good.outputScale as number), sine, { until: 5 });
    expect(path.reason.code).toBe("until");
    expect(path.statistics.rejected).toBe(0);
    expect(path.statistics.accepted).toBeLessThan(25);
  });

  it("does not care for the size of all weights together", async () => {
    const data = waves(40, 2, 1, 1);
    const net = network({ layers: [2, 3, 1], centered: true, seed: 1 });
    const advice = [];
    for (const weight of [1, 100]) {
      const weights = new Float64Array(40).fill(weight);
      advice.push(
        await recommendOutputScale(
          net,
          dataset({ inputs: data.inputs, targets: data.targets, inputSize: 2, weights }),
          raw,
        ),
      );
    }
    expect(advice[1].outputScale).toBe(advice[0].outputScale);
    expect(advice[1].sufficient / advice[0].sufficient).toBeCloseTo(1, 6);
    expect(advice[1].distance).toBeCloseTo(10 * advice[0].distance, 6);
  });

  it("refuses what it cannot use", async () => {
    const net = network({ layers: [6, 3, 1], seed: 1 });
    await expect(recommendOutputScale(net, waves(5, 2, 1, 1))).rejects.toThrow(/data must have 6 inputs and 1 targets/);
    await expect(recommendOutputScale(net, cars, { standardise: true } as never)).rejects.toThrow(
      /did you mean "standardize"/,
    );
    const broken = net.withParameters(net.parameters.map(() => Number.NaN));
    await expect(recommendOutputScale(broken, cars)).rejects.toThrow(/Jacobian is not finite/);
  });
});

describe("checkAssumptions", () => {
  it("holds for the teacher problem at a large scale, with the promised rate of its regime", async () => {
    const under = await teacherProblem({ seed: 1, samples: 200, width: 5, scale: 1, alpha: 1e4, target: "reachable" });
    const a = await checkAssumptions(under.network, under.data, raw);
    expect(a).toMatchObject({
      regime: "under",
      parameterCount: 25,
      equationCount: 200,
      rank: 25,
      expectedRate: 2,
      applies: true,
    });
    const over = await teacherProblem({ seed: 1, samples: 40, width: 200, scale: 1, alpha: 1e4, target: "reachable" });
    const b = await checkAssumptions(over.network, over.data, raw);
    expect(b).toMatchObject({ regime: "over", rank: 40, applies: true });
    const { records } = await flow(over.network, over.data, { ...raw, damping: spectralDamping(), until: 0.1 });
    expect(b.expectedRate).toBeCloseTo(1 + (records[0].smallestEigenvalue as number), 6);
    expect(b.text).toMatch(/The theory applies\.$/);
  });

  it.each<[string, Parameters<typeof network>[0], RegExp]>([
    [
      "smooth",
      { layers: [6, 3, 1], activation: "relu", centered: true, outputScale: 1e6 },
      /layer 1 has the activation relu.*use a smooth activation/,
    ],
    ["starts-at-zero", { layers: [6, 3, 1], outputScale: 1e3 }, /predictions start at .* use centered: true/],
    [
      "output-scale",
      { layers: [6, 3, 1], centered: true, outputScale: 1 },
      /outputScale is 1, recommended is .* use outputScale/,
    ],
    [
      "regular",
      { layers: [6, 4, 1], initialization: "symmetric", outputScale: 1e6 },
      /rank \d+ of 33.*paired units have parallel columns: use centered: true/,
    ],
  ])("finds %s broken, with a remedy", async (assumption, options, message) => {
    const found = await checkAssumptions(network({ ...options, seed: 1 }), cars);
    const finding = found.findings.find((one) => one.assumption === assumption);
    expect(finding?.holds).toBe(false);
    expect(`${finding?.message} ${finding?.remedy}`).toMatch(message);
    expect(found.applies).toBe(false);
    expect(found.text).toContain("DOES NOT HOLD");
  });

  it("sees that a centered network has moved away from its start at 0", async () => {
    const net = network({ layers: [6, 3, 1], centered: true, outputScale: 1e3, seed: 1 });
    const moved = net.withParameters(net.parameters.map((value) => 1.3 * value));
    const found = await checkAssumptions(moved, cars);
    expect(found.findings.find(({ assumption }) => assumption === "starts-at-zero")?.holds).toBe(false);
    expect((await recommendOutputScale(moved, cars)).text).toContain("which grows with alpha");
  });

  it("names linearly dependent inputs, such as all categories of a group beside a bias", async () => {
    const whole = await readCsv("examples/data/auto-mpg.csv", { target: "mpg", ignore: "name", missing: "mean" });
    const found = await checkAssumptions(
      network({ layers: [9, 3, 1], centered: true, outputScale: 1e6, seed: 1 }),
      whole,
    );
    const finding = found.findings.find(({ assumption }) => assumption === "regular");
    expect(finding?.message).toMatch(/rank 31 of 34/); // one column of each unit
    expect(finding?.remedy).toMatch(/rank 9 of 10.*leave a column out, such as one category of a group/);
  });

  it("names duplicate samples of an overparameterized problem", async () => {
    const twice = waves(10, 2, 1, 1).select([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]);
    const found = await checkAssumptions(
      network({ layers: [2, 30, 1], centered: true, outputScale: 1e6, seed: 1 }),
      twice,
    );
    const finding = found.findings.find(({ assumption }) => assumption === "regular");
    expect(finding).toMatchObject({ holds: false, remedy: expect.stringContaining("remove duplicate samples") });
    expect(found.rank).toBe(10);
  });
});

describe("discretizationGap", () => {
  it("is |(1-eta)^k - exp(-k eta)| in the lazy regime", async () => {
    const { network: net, data } = await teacherProblem({
      seed: 1,
      samples: 60,
      width: 4,
      scale: 1,
      alpha: 1e6,
      target: "reachable",
    });
    const {
      rows,
      euler,
      flow: reason,
    } = await discretizationGap(net, data, { step: 0.25, steps: 8 }, { ...raw, damping: 0 });
    expect([euler.code, reason.code]).toEqual(["until", "until"]);
    expect(rows.map(({ k }) => k)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    for (const { k, time, predictions, parameters, distance } of rows) {
      expect(time).toBeCloseTo(k / 4, 12);
      const linear = Math.abs(0.75 ** k - Math.exp(-k / 4));
      expect(predictions).toBeCloseTo(linear, 5);
      // The parameters move along one line, w(t) - w_0 = (1 - exp(-t)) d, up to curvature 1e-6 times cond(J) = 1e2.
      expect(parameters / distance).toBeCloseTo(linear / (1 - Math.exp(-k / 4)), 3);
    }
  });

  it("looks at the rows that are fitted, with their weights, and at nothing of one run alone", async () => {
    const data = waves(60, 2, 1, 1);
    const net = network({ layers: [2, 3, 1], centered: true, outputScale: 1e4, seed: 1 });
    const weights = Float64Array.from({ length: 60 }, (_, i) => (i < 30 ? 0 : 4));
    const targets = data.targets.map((value, i) => (i < 30 ? 1e6 : value));
    const half = dataset({ inputs: data.inputs, targets, inputSize: 2, weights });
    const gap = { step: 1, steps: 3 };
    const { rows } = await discretizationGap(net, half, gap, { ...raw, damping: 0 });
    const result = await flow(net, half, { ...raw, damping: 0, until: 3 });
    expect(rows[2].flowLoss).toBeCloseTo(result.records.at(-1)?.loss as number, 5);
    // Only the tangent part of the residual is jumped over: 0.37 of it is less than 0.37 of the whole.
    expect(rows[0].predictions).toBeGreaterThan(0.1);
    expect(rows[0].predictions).toBeLessThan(Math.exp(-1));
    for (const option of ["monitor", "checkpoint", "resume", "from", "outputs"])
      await expect(discretizationGap(net, half, gap, { [option]: monitor() } as never)).rejects.toThrow(option);
  });

  it("keeps its tight integrator where the option is undefined", async () => {
    const data = waves(30, 2, 1, 1);
    const net = network({ layers: [2, 3, 1], centered: true, seed: 1 });
    const gap = { step: 0.2, steps: 2 };
    const expected = await discretizationGap(net, data, gap, { damping: 0.5 });
    expect((await discretizationGap(net, data, gap, { damping: 0.5, integrator: undefined })).rows).toEqual(
      expected.rows,
    );
  });

  it("stops where the first of the two ends, and says how", async () => {
    const { network: net, data } = await teacherProblem({
      seed: 2,
      samples: 200,
      width: 5,
      scale: 0.1,
      alpha: 1,
      target: "reachable",
    });
    const { rows, flow: reason } = await discretizationGap(net, data, { step: 0.1, steps: 10 }, { ...raw, damping: 0 });
    expect(reason.code).toBe("singular-jacobian");
    expect(rows.length).toBeLessThan(10);
  });

  it("refuses a step of 0 and no steps", async () => {
    const data = waves(20, 2, 1, 1);
    const net = network({ layers: [2, 2, 1], seed: 1 });
    await expect(discretizationGap(net, data, { step: 0, steps: 1 })).rejects.toThrow(
      /gap.step must be a positive finite number; received 0/,
    );
    await expect(discretizationGap(net, data, { step: 1, steps: 0 })).rejects.toThrow(
      /gap.steps must be an integer of at least 1/,
    );
  });
});
