// The verdict, one test a code and side, from facts alone; the rate fit and the promises against closed forms.

import { describe, expect, it } from "vitest";
import { fitRate, type RateFit, VERDICT_THRESHOLDS } from "../../src/index.js";
import { predictions } from "../../src/monitor/judge-training.js";
import { attainableRate, promisedDecrement, promisedRate, windowMean } from "../../src/monitor/promised.js";
import { type FlowFacts, flowVerdict, type TrainFacts, trainVerdict } from "../../src/monitor/verdict.js";
import type { TrainRecord } from "../../src/run/record.js";

const line = (measured: number, standardError = 1e-6, points = 8): RateFit => ({
  measured,
  standardError,
  rSquared: 1,
  points,
  from: 0,
  until: 1,
});

describe("the rate fit", () => {
  it("finds an exponential exactly, and its standard error is that of the textbook", () => {
    const exact = fitRate([0, 0.5, 1, 3].map((t) => ({ position: t, value: 7 * Math.exp(-1.5 * t) }))) as RateFit;
    expect(exact.measured).toBeCloseTo(1.5, 13);
    expect(exact.standardError).toBeLessThan(1e-14);
    expect(exact.rSquared).toBe(1);
    // y = 0, 1, 1 at t = 0, 1, 2: slope 1/2, residuals -1/6, 1/3, -1/6, squares 1/6; se = sqrt(1/6 / 1 / 2).
    const noisy = fitRate([0, 1, 2].map((t) => ({ position: t, value: Math.exp(t === 0 ? 0 : 1) }))) as RateFit;
    expect(noisy.measured).toBeCloseTo(-0.5, 14);
    expect(noisy.standardError).toBeCloseTo(Math.sqrt(1 / 12), 14);
    expect(noisy.rSquared).toBeCloseTo(1 - 1 / 6 / (2 / 3), 14);
  });

  it("leaves out what has no logarithm, and says nothing of fewer than three points or one position", () => {
    const points = [1, 0, Number.NaN, Number.POSITIVE_INFINITY, -1].map((value, k) => ({ position: k, value }));
    expect(fitRate(points)).toBeNull();
    expect(fitRate([1, 2, 3].map((value) => ({ position: 1, value })))).toBeNull();
    expect(fitRate([...points, { position: 5, value: 1 }, { position: 6, value: 1 }])?.points).toBe(3);
  });
});

describe("the promises", () => {
  it("are those of the modes: 2k/((1-rho)k + rho)", () => {
    expect(promisedRate(0, null)).toBe(2);
    expect(promisedRate(1, 0.3)).toBeCloseTo(0.6, 15);
    expect(promisedRate(0.5, null)).toBeNull();
    for (const lambda of [1e-9, 0.03, 5])
      for (const c of [0.1, 1, 10]) {
        const rho = (c * lambda) / (1 + c * lambda);
        expect(promisedRate(rho, lambda)).toBeCloseTo((2 * (1 + c * lambda)) / (1 + c), 12);
      }
    expect(attainableRate(false, null)).toBe(2);
    expect(attainableRate(true, 0.25)).toBe(1.25);
    expect(attainableRate(true, null)).toBeNull();
  });

  it("of a step: -log of what is left, no more than rounding allows", () => {
    expect(promisedDecrement(0.5, 1)).toBeCloseTo(Math.LN2, 15);
    expect(promisedDecrement(1, 1)).toBeCloseTo(52 * Math.LN2, 12);
    expect(promisedDecrement(2, 1)).toBeCloseTo(52 * Math.LN2, 12);
    expect(promisedDecrement(1, 0)).toBeNull();
  });

  it("are averaged over time, not over points", () => {
    const points = [0, 1, 3].map((position) => ({ position, value: position }));
    expect(windowMean(points)).toBeCloseTo(1.5, 15);
    expect(windowMean([{ position: 1, value: 4 }])).toBe(4);
    expect(windowMean([{ position: 1, value: null }])).toBeNull();
    expect(windowMean([])).toBeNull();
  });
});

describe("the verdict of a flow", () => {
  const facts: FlowFacts = {
    excluded: null,
    optimumKnown: true,
    missedOptimum: null,
    ended: null,
    fit: line(1.02),
    promised: 1.02,
    attainable: 1.02,
    share: null,
    damping: 0.02,
    overparameterized: true,
    singular: null,
    rounding: null,
    unstable: null,
  };
  const code = (changed: Partial<FlowFacts>) => flowVerdict({ ...facts, ...changed }).code;

  it("on-theory inside the band, which is 2% or three standard errors", () => {
    expect(code({})).toBe("on-theory");
    expect(code({ fit: line(1.02 * (1 - 0.019)) })).toBe("on-theory");
    expect(code({ fit: line(1.02 * (1 - 0.021)) })).not.toBe("on-theory");
    expect(code({ fit: line(0.95, 0.03) })).toBe("on-theory");
  });

  it("faster-than-promised beyond it", () => {
    expect(code({ fit: line(1.6) })).toBe("faster-than-promised");
    expect(flowVerdict({ ...facts, fit: line(1.6) }).message).toMatch(
      /excess loss falls at rate 1\.6000 \(\+- 1\.0e-6 of the line fit\), more than the 1\.0200 promised/,
    );
  });

  it("damping-limited where the rate is what rho promises, and another rho would promise more", () => {
    const limited = { promised: 0.4, attainable: 1.02, damping: 0.1 };
    expect(code({ ...limited, fit: line(0.4) })).toBe("damping-limited");
    // Faster than rho promises for the slowest mode: the damping is to blame where it alone makes up the difference.
    expect(code({ ...limited, fit: line(0.7), share: 0.35 })).toBe("damping-limited");
    expect(code({ ...limited, fit: line(0.7), share: 0.95 })).toBe("curvature-limited");
    expect(code({ ...limited, fit: line(0.7), share: null })).toBe("faster-than-promised");
    expect(flowVerdict({ ...facts, ...limited, fit: line(0.4) }).message).toContain(
      "spectralDamping() with c = 1 would promise 1.0200",
    );
    const under = { promised: 1e-3, attainable: 2, damping: 1, overparameterized: false, fit: line(0.3), share: 0.15 };
    expect(flowVerdict({ ...facts, ...under })).toMatchObject({
      code: "damping-limited",
      message: expect.stringMatching(/lets through 15% of the undamped flow; damping: 0 would promise 2\.0000/),
    });
  });

  it("curvature-limited below the promise of its own damping", () => {
    expect(code({ fit: line(0.8) })).toBe("curvature-limited");
    expect(flowVerdict({ ...facts, fit: line(0.8) }).message).toContain("a larger outputScale flattens it");
  });

  it("stalled where next to nothing of the promise is left, or the loss rises", () => {
    expect(code({ fit: line(0.01) })).toBe("stalled");
    expect(code({ fit: line(-0.1) })).toBe("stalled");
    expect(code({ fit: line(VERDICT_THRESHOLDS.stalledShare * 1.02 * 1.01) })).toBe("curvature-limited");
  });

  it("not-applicable where the rate changes within the window: a bend has no rate", () => {
    const bend = fitRate([0, -3, -3.1, -3.2].map((log, t) => ({ position: t, value: Math.exp(log) })));
    const found = flowVerdict({ ...facts, fit: bend, promised: 2, attainable: 2 });
    expect(found.code).toBe("not-applicable");
    expect(found.message).toMatch(/it changes within the window, from t = 0.* to 3/);
  });

  it("names what comes before any rate: rounding, a singular J, an unstable step, an optimum that is none", () => {
    expect(flowVerdict({ ...facts, rounding: "rounding limits the flow" })).toEqual({
      code: "rounding-limited",
      message: "rounding limits the flow",
    });
    // The rate was the promised one until then, and yet this is no run to be content with.
    const ran = flowVerdict({ ...facts, singular: { start: false, message: "J is singular at t = 1" } });
    expect(ran.code).toBe("curvature-limited");
    expect(ran.message).toMatch(
      /ran into a singular Jacobian: J is singular at t = 1; until then .* falls at rate 1\.0200/,
    );
    const wild = { singular: { start: false, message: "J" }, fit: line(-2e6, 1e7) };
    expect(flowVerdict({ ...facts, ...wild }).message).not.toContain("until then");
    expect(code({ singular: { start: true, message: "J" }, fit: null })).toBe("not-applicable");
    const rises = flowVerdict({ ...facts, fit: line(-0.46, 0.06), unstable: "euler is beyond its stability limit" });
    expect(rises.code).toBe("not-applicable");
    expect(rises.message).toMatch(/the excess loss rises at rate 0\.46000 .*: euler is beyond its stability limit/);
    expect(flowVerdict({ ...facts, missedOptimum: "the optimum given is 0" }).message).toBe("the optimum given is 0");
    const whole = flowVerdict({ ...facts, promised: Number.POSITIVE_INFINITY, attainable: Number.POSITIVE_INFINITY });
    expect(whole).toMatchObject({
      code: "not-applicable",
      message: expect.stringContaining("takes all of the excess at once"),
    });
    for (const changed of [{}, { fit: line(0.8) }, { fit: null }])
      expect(flowVerdict({ ...facts, ...changed, ended: "the flow was cut short: x" }).message).toMatch(
        /; the flow was cut short: x$/,
      );
  });

  it("begins with a plain sentence, the numbers follow", () => {
    for (const changed of [{}, { fit: line(1.6) }, { fit: line(0.8) }, { fit: line(0.001) }])
      expect(flowVerdict({ ...facts, ...changed }).message).toMatch(
        /^the flow [a-z', ]+[:;] .*excess loss falls at rate/,
      );
  });

  it("not-applicable with the reason", () => {
    expect(flowVerdict({ ...facts, excluded: "the activation relu is not smooth" }).message).toMatch(
      /says nothing here: the activation relu/,
    );
    expect(flowVerdict({ ...facts, fit: null }).message).toMatch(
      /too few points above the error floor for a rate: 0, at least 4 are needed/,
    );
    expect(flowVerdict({ ...facts, fit: line(1, 0, 3) }).message).toMatch(/a rate: 3, at least 4/);
    expect(flowVerdict({ ...facts, promised: null }).message).toMatch(/spectrum of the kernel was not recorded/);
    expect(flowVerdict({ ...facts, optimumKnown: false, fit: null }).message).toMatch(
      /the optimum is not known: switch `parts` on/,
    );
    for (const changed of [{ excluded: "x" }, { fit: null }, { attainable: null }, { optimumKnown: false }])
      expect(code(changed)).toBe("not-applicable");
  });
});

describe("the verdict of a training run", () => {
  const facts: TrainFacts = {
    excluded: null,
    optimumKnown: true,
    missedOptimum: null,
    ended: null,
    fit: line(0.7),
    promised: 0.7,
    share: 0.9,
    gainRatio: 0.98,
    damping: 1e-3,
  };
  const code = (changed: Partial<TrainFacts>) => trainVerdict({ ...facts, ...changed }).code;

  it("on-theory, and faster or slower than the model's offers beyond 20%", () => {
    expect(code({})).toBe("on-theory");
    expect(code({ fit: line(0.9), promised: 0.7 })).toBe("faster-than-promised");
    expect(code({ fit: line(0.5), gainRatio: 0.6 })).toBe("curvature-limited");
  });

  it("damping-limited where good steps take little of what the undamped model hopes for", () => {
    expect(code({ fit: line(0.1), promised: 0.1, share: 0.1 })).toBe("damping-limited");
    expect(code({ fit: line(1e-4), promised: 1e-4, share: 1e-4 })).toBe("damping-limited");
    expect(code({ fit: line(0.1), promised: 0.1, share: 0.1, gainRatio: 0.5 })).not.toBe("damping-limited");
  });

  it("never damping-limited without a damping, or without the share", () => {
    expect(code({ fit: line(0.1), promised: 0.1, share: 0.1, damping: 0 })).not.toBe("damping-limited");
    expect(code({ fit: line(0.1), promised: 0.1, share: null })).not.toBe("damping-limited");
  });

  it("tells an offer of everything as such, not as the logarithm of rounding, and how the run ended", () => {
    const found = trainVerdict({ ...facts, promised: 26, ended: "validation ended the run" });
    expect(found.message).toMatch(/offers all but a millionth of the excess or less, .*; validation ended the run$/);
    expect(code({ missedOptimum: "x" })).toBe("not-applicable");
  });

  it("stalled below 1% an iteration where the damping is not to blame", () => {
    expect(code({ fit: line(0.005), gainRatio: 0.1 })).toBe("stalled");
    expect(code({ fit: line(-0.1), gainRatio: 0.1 })).toBe("stalled");
  });

  it("not-applicable with the reason", () => {
    expect(trainVerdict({ ...facts, optimumKnown: false }).message).toMatch(/optimum is not known/);
    expect(trainVerdict({ ...facts, promised: null }).message).toMatch(/no step in the window has a gain ratio/);
    expect(code({ excluded: "x" })).toBe("not-applicable");
    expect(code({ fit: line(1, 0, 2) })).toBe("not-applicable");
  });
});

it("takes the promise of a step with a secant correction for none of the damped linear model", () => {
  const record = (iteration: number, objective: number, more: object = {}) =>
    ({ iteration, objective, gainRatio: 0.5, ...more }) as TrainRecord;
  const found = predictions([record(0, 8), record(1, 4), record(2, 3, { secant: 2 }), record(3, 2)]);
  expect([...found]).toEqual([
    [1, { predicted: 8, before: 8 }],
    [3, { predicted: 2, before: 3 }],
  ]);
});
