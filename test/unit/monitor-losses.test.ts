// The monitor on losses other than squared error: what it measures against dense algebra and closed forms, and that it promises nothing.
import { describe, expect, it } from "vitest";
import { symmetricEigen } from "../../src/algebra/symmetric-eigen.js";
import { loadNative } from "../../src/backend/native/load.js";
import { Pace } from "../../src/event-loop-yield.js";
import {
  createEngine,
  fitRate,
  flow,
  huber,
  type Loss,
  logistic,
  type MonitorReport,
  monitor,
  network,
  Random,
  softmaxCrossEntropy,
  squaredError,
  train,
} from "../../src/index.js";

const BACKENDS = loadNative().ok ? (["typescript", "native"] as const) : (["typescript"] as const);
const random = new Random(11, 2);
const N = 60;
const inputs = Array.from({ length: N }, () => [random.normal(), random.normal()]);
const noisy = inputs.map(([x, y]) => Math.sin(2 * (x as number)) + (y as number) + random.normal());
const TARGETS = {
  real: noisy.map((value, i) => [value + (i % 10 === 0 ? 30 : 0)]),
  one: noisy.map((value) => [value > 0 ? 1 : 0]),
  classes: noisy.map((value) => (value < -0.7 ? [1, 0, 0] : value < 0.7 ? [0, 1, 0] : [0, 0, 1])),
};
const CASES: readonly (readonly [string, Loss, keyof typeof TARGETS, RegExp])[] = [
  ["Huber", huber({ delta: 0.1, decay: 0.05 }), "real", /Huber loss \(delta 0\.1\)/],
  ["Huber without a delta", huber({ decay: 0.05 }), "real", /Huber loss \(delta 0\.\d+\)/],
  ["logistic", logistic({ decay: 0.5 }), "one", /logistic/],
  ["softmax", softmaxCrossEntropy({ decay: 0.5 }), "classes", /softmax/],
];
const dataOf = (kind: keyof typeof TARGETS) => ({ inputs, targets: TARGETS[kind] });
const outputsOf = (kind: keyof typeof TARGETS) => (TARGETS[kind][0] as number[]).length;

/** F^T (G + shift I)^-1 F for a symmetric positive definite G + shift I, p x p, by Gaussian elimination. */
function slope(gram: Float64Array, shift: number, gradient: Float64Array): number {
  const p = gradient.length;
  const rows = Array.from({ length: p }, (_, i) => [
    ...Array.from({ length: p }, (_, j) => (gram[i * p + j] as number) + (i === j ? shift : 0)),
    gradient[i] as number,
  ]);
  for (let k = 0; k < p; k++)
    for (let i = k + 1; i < p; i++) {
      const [row, pivot] = [rows[i] as number[], rows[k] as number[]];
      const factor = (row[k] as number) / (pivot[k] as number);
      for (let j = k; j <= p; j++) row[j] = (row[j] as number) - factor * (pivot[j] as number);
    }
  // With G + shift I = L D L^T the eliminated right-hand side is L^-1 F, and the diagonal is D.
  return rows.reduce((sum, row, k) => sum + (row[p] as number) ** 2 / (row[k] as number), 0);
}

const RUNS = BACKENDS.flatMap((backend) =>
  CASES.map(([name, loss, kind, label]) => ({ backend, name, loss, kind, label })),
);

describe.each(RUNS)("$name on the $backend engine", ({ backend, loss, kind, label }) => {
  const net = network({ layers: [2, 3, outputsOf(kind)], seed: 2 });
  const options = { backend, loss, validation: false, threads: 1 } as const;
  const watched = async (iterations: number) => {
    const result = await train(net, dataOf(kind), {
      ...options,
      stop: { iterations, gradient: 1e-9 },
      monitor: monitor(),
    });
    return { result, report: result.monitor as MonitorReport };
  };

  it("promises nothing and says why, in every record, the report and the verdict", async () => {
    const { report } = await watched(8);
    const sentence = /no rate is promised: .* proven for squared error alone, and this run minimizes the /;
    expect(report.noPromise).toMatch(sentence);
    expect(report.noPromise).toMatch(label);
    expect(report.records.length).toBe(9);
    for (const record of report.records) {
      expect(record.noPromise).toBe(report.noPromise);
      expect([record.promised, record.plRatio, record.normalNorm]).toEqual([null, null, null]);
    }
    expect([report.rate?.promised, report.rate?.attainable, report.optimum]).toEqual([null, null, null]);
    expect(report.verdict.code).toBe("not-applicable");
    expect(report.verdict.message).toContain(`${report.noPromise}; measured: `);
    expect(report.verdict.message).toContain(`rate ${report.rate?.measured.toPrecision(5)}`);
    expect(report.warnings).toEqual([]);
  });

  it("measures gradient, offered reduction and condition as dense algebra does", async () => {
    const { result, report } = await watched(8);
    const { scaling } = result.network;
    const last = report.records.at(-1);
    const z = (value: number, column: number, part: "inputs" | "targets") =>
      (value - (scaling?.[part].offset[column] as number)) / (scaling?.[part].scale[column] as number);
    const flat = (rows: readonly number[][], part: "inputs" | "targets") =>
      Float64Array.from(rows.flatMap((row) => row.map((value, column) => z(value, column, part))));
    const data = {
      sampleCount: N,
      inputs: flat(inputs, "inputs"),
      targets: flat(TARGETS[kind], "targets"),
      loss: result.lossUsed,
    };
    const engine = createEngine(net.architecture, data, { backend: "typescript" });
    const { decay } = loss;
    const request = { curvature: "primal", decay, scaling: null } as const;
    const point = await engine.linearize(result.last.parameters, request);
    if (!("gradient" in point)) throw new Error(point.message);
    const gram = await engine.curvature();
    const near = (value: number | null | undefined, expected: number, tolerance: number) =>
      expect(Math.abs((value as number) / expected - 1)).toBeLessThan(tolerance);
    near(last?.objective, point.loss + (decay / 2) * result.last.parameters.reduce((sum, w) => sum + w * w, 0), 1e-12);
    // The gradient is a small sum of large terms: at the end of eight iterations four digits of sixteen have canceled.
    near(last?.gradientNorm, Math.hypot(...point.gradient), 1e-9);
    near((last?.tangentNorm as number) ** 2, slope(gram, decay, point.gradient), 1e-8);
    const { values } = await symmetricEigen(gram.slice(), net.parameterCount, false, new Pace(undefined));
    near(last?.spectrum?.largest, values.at(-1) as number, 1e-10);
    // The monitor takes singular values of J~, this test the eigenvalues of J~^T J~, whose error is relative to the largest.
    const { below = 0, smallest = 0, largest = 0 } = last?.spectrum ?? {};
    expect(Math.abs(smallest - (values[below] as number))).toBeLessThan(1e-13 * largest);
    engine.dispose();
  });

  it("fits the rate of the reduction that the undamped model offers", async () => {
    const { report } = await watched(8);
    const points = report.records.map(({ position, tangentNorm }) => ({
      position,
      value: (tangentNorm as number) ** 2 / 2,
    }));
    expect(report.rate?.measured).toBeCloseTo(fitRate(points.slice(-8))?.measured as number, 12);
  });

  it("says whether the run has converged", async () => {
    const short = await watched(2);
    expect(short.report.converged).toEqual({ holds: false, message: expect.stringMatching(/^no: further steps/) });
    const long = await watched(400);
    expect(long.report.converged).toEqual({ holds: true, message: expect.stringMatching(/^yes: further steps/) });
  });

  it("measures a flow, whose dissipation is that of its own records", async () => {
    if (result(loss) === null) return;
    const path = await flow(net, dataOf(kind), { backend, loss, damping: 0.3, until: 2, monitor: monitor() });
    const report = path.monitor as MonitorReport;
    expect(report.verdict.code).toBe("not-applicable");
    for (const [k, record] of report.records.entries()) {
      expect([record.promised, record.plRatio]).toEqual([null, null]);
      expect(record.dissipation).toBe(path.records[k]?.dissipation);
      expect(record.objective).toBe(path.records[k]?.objective);
      expect(record.drift).toBeGreaterThanOrEqual(0);
    }
    expect(report.rate?.measured).toBeGreaterThan(0);
  });
});

/** null for the loss that a flow refuses. */
function result(loss: Loss): Loss | null {
  return loss.kind === "huber" && loss.delta === null ? null : loss;
}

describe.each(BACKENDS)("linear models on the %s engine", (backend) => {
  // Without hidden layers an exact curvature is the Hessian, and the undamped flow is Newton's: dF/dt = H dw/dt = -F.
  it.each<[string, Loss, keyof typeof TARGETS]>([
    ["logistic", logistic({ decay: 0.5 }), "one"],
    ["softmax", softmaxCrossEntropy({ decay: 0.5 }), "classes"],
  ])(
    "%s: the gradient falls as exp(-t), the offered reduction at rate 2, and the kernel does not drift",
    async (_, loss, kind) => {
      const net = network({ layers: [2, outputsOf(kind)], seed: 2 });
      const path = await flow(net, dataOf(kind), { backend, loss, damping: 0, until: 8, monitor: monitor() });
      const report = path.monitor as MonitorReport;
      const start = report.records[0]?.gradientNorm as number;
      // The tolerance of the integration is 1e-6 of the predictions at the start a step, so that the end is known to fewer digits.
      for (const { position, gradientNorm, drift } of report.records) {
        if (position < 4) expect(Math.abs(gradientNorm / (start * Math.exp(-position)) - 1)).toBeLessThan(1e-3);
        expect(drift).toBe(0);
      }
      // The window begins late enough for the curvature to be that of the minimum.
      expect(Math.abs((report.rate?.measured as number) - 2)).toBeLessThan(0.02);
    },
  );
});

describe("an optimum that is given", () => {
  it("makes the rate that of the excess objective", async () => {
    const options = { backend: "typescript", loss: logistic({ decay: 0.5 }), validation: false } as const;
    const net = network({ layers: [2, 3, 1], seed: 2 });
    const { last, records } = await train(net, dataOf("one"), { ...options, stop: { iterations: 400 } });
    const optimum = records.at(-1)?.objective as number;
    expect(last.parameterCount).toBe(net.parameterCount);
    const watched = await train(net, dataOf("one"), {
      ...options,
      stop: { iterations: 6 },
      monitor: monitor({ optimum }),
    });
    const points = watched.records
      .filter(({ accepted }) => accepted)
      .map(({ iteration, objective }) => ({ position: iteration, value: objective - optimum }));
    expect(watched.monitor?.rate?.measured).toBeCloseTo(fitRate(points)?.measured as number, 10);
    expect(watched.monitor?.optimum).toEqual({ value: optimum, estimated: false });
    expect(watched.monitor?.verdict.message).toContain("the excess objective falls at rate");
    expect(watched.monitor?.records.every(({ plRatio, promised }) => plRatio === null && promised === null)).toBe(true);
  });
});

describe("squared error", () => {
  it("has promises, and no sentence that takes them back", async () => {
    const path = await flow(network({ layers: [2, 3, 1], seed: 2 }), dataOf("real"), {
      backend: "typescript",
      loss: squaredError(),
      until: 1,
      monitor: monitor(),
    });
    expect(path.monitor?.noPromise).toBeNull();
    expect(path.monitor?.records.every(({ noPromise, promised }) => noPromise === null && promised === 2)).toBe(true);
  });
});
