// Problems at the edge of what rounding lets a flow do: a Jacobian whose condition number is near 1/eps, one that is singular at the
// start. The flow and its monitor say so, whatever rate was measured on the way. The network is five tanh units on sin(3x), 60 points.
import { describe, expect, it, vi } from "vitest";
import { FlowField } from "../../src/flow/field.js";
import { flow, monitor, network, spectralDamping } from "../../src/index.js";
import { lastDigitMoved, noisyVelocity, relativeNoise } from "../../src/spectrum/velocity-noise.js";

const abscissae = Array.from({ length: 60 }, (_, i) => -1 + (2 * i) / 59);
const sine = { inputs: abscissae.map((x) => [x]), targets: abscissae.map((x) => Math.sin(3 * x)) };
const units = (seed: number, outputScale: number) => network({ layers: [1, 5, 1], centered: true, seed, outputScale });

describe("rounding in the velocity", () => {
  it("moves every parameter by its last digit, the same way every time", () => {
    const w = Float64Array.of(1, -3, 0, 1e-300);
    const moved = lastDigitMoved(w);
    expect(moved).toEqual(lastDigitMoved(w));
    moved.forEach((value, j) => {
      expect(Math.abs(value - w[j])).toBeLessThanOrEqual(2 * Number.EPSILON * Math.abs(w[j]));
      if (w[j] !== 0) expect(value).not.toBe(w[j]);
    });
    expect(relativeNoise(Float64Array.of(3, 4), Float64Array.of(3, 4.5))).toBeCloseTo(0.1, 15);
    expect(relativeNoise(new Float64Array(2), new Float64Array(2))).toBe(0);
  });

  it("is told of where it rejects the steps: sigma_min/sigma_max = 2e-14", async () => {
    const result = await flow(units(1, 1e8), sine, { damping: 0, until: 0.05, monitor: monitor() });
    expect(result.rounding).toMatch(
      /rounding limits the flow: .* changes dw\/dt by \d+%.*a constant damping above 0 cures it/,
    );
    const noisy = result.records.filter(({ velocityNoise }) => velocityNoise !== null);
    expect(noisy).toHaveLength(1);
    expect(noisy[0].velocityNoise).toBeGreaterThan(noisyVelocity);
    expect(noisy[0].warning).toBe(result.rounding);
    expect(result.monitor?.verdict).toEqual({ code: "rounding-limited", message: result.rounding });
    // The cure that it names: no step is rejected any more.
    const cured = await flow(units(1, 1e8), sine, { damping: 0.1, until: 5 });
    expect(cured.reason.code).toBe("until");
    expect(cured.rounding).toBeNull();
    expect(cured.statistics.rejected).toBeLessThan(5);
  });

  it("is told of where spectral damping follows an eigenvalue that comes and goes at the floor", async () => {
    const result = await flow(units(2, 1e3), sine, { damping: spectralDamping(), until: 0.03, monitor: monitor() });
    expect(result.rounding).toMatch(/rounding limits the flow/);
    expect(result.monitor?.verdict.code).toBe("rounding-limited");
  });

  it("is measured once a flow, also where it is small and steps keep being rejected", async () => {
    const asked = vi.spyOn(FlowField.prototype, "noiseAt");
    try {
      const result = await flow(units(2, 1e4), sine, { damping: 0 });
      // More rejections than twenty steps may have, after the step that asked.
      const first = result.records.findIndex(({ velocityNoise }) => velocityNoise !== null);
      const later = result.records.slice(first + 21);
      expect(later.reduce((sum, { rejections }) => sum + rejections, 0)).toBeGreaterThan(20);
      expect(result.records[first].velocityNoise).toBeLessThan(noisyVelocity);
      expect(later.every(({ velocityNoise }) => velocityNoise === null)).toBe(true);
      expect(asked).toHaveBeenCalledTimes(1);
      // Nor is it asked for again where the start has no velocity to compare.
      asked.mockClear().mockResolvedValue(Number.NaN);
      await flow(units(2, 1e4), sine, { damping: 0 });
      expect(asked).toHaveBeenCalledTimes(1);
    } finally {
      asked.mockRestore();
    }
  });

  it("is not blamed for curvature: the J that was regular at the start, at an output scale that is too small", async () => {
    const result = await flow(units(2, 1e4), sine, { damping: 0, monitor: monitor() });
    expect(result.reason.code).toBe("singular-jacobian");
    expect(result.rounding).toBeNull();
    expect(result.monitor?.verdict.code).toBe("curvature-limited");
    const message = result.monitor?.verdict.message ?? "";
    expect(message).toMatch(/ran into a singular Jacobian: J is singular at t = 0\.018/);
    // How steadily the loss fell so near to the end is a matter of the last digits; where a rate is told, it is the flow's.
    const told = /until then .* at rate ([\d.]+)/.exec(message);
    expect(message).toMatch(told === null ? /recommendOutputScale finds one$/ : /of the line fit\)$/);
    if (told !== null) expect(Number(told[1])).toBeCloseTo(2, 1);
  });
});

describe("a J that is singular at the start", () => {
  it("still has a start: its record, its output, its monitor", async () => {
    const seen: number[] = [];
    const result = await flow(units(3, 1e4), sine, {
      outputs: [0, 1],
      monitor: monitor(),
      onRecord: ({ step }) => void seen.push(step),
    });
    expect(result.reason).toMatchObject({
      code: "singular-jacobian",
      message: expect.stringMatching(/^at the start: J is singular/),
    });
    expect(seen).toEqual([0]);
    expect(result.records).toHaveLength(1);
    const [start] = result.records;
    expect(start).toMatchObject({
      step: 0,
      time: 0,
      dissipation: 0,
      rank: 15,
      warning: expect.stringContaining("J is singular"),
    });
    // Standardized targets of 60 points: the centered start at 0 has the mean square 1.
    expect(start.loss).toBeCloseTo(1, 12);
    expect(Object.values(start).every((value) => typeof value !== "number" || Number.isFinite(value))).toBe(true);
    expect(result.outputs.map(({ time }) => time)).toEqual([0]);
    expect(result.monitor?.records).toHaveLength(1);
    expect(result.monitor?.verdict).toMatchObject({
      code: "not-applicable",
      message: expect.stringMatching(/^at the start: J is singular/),
    });
  });
});
