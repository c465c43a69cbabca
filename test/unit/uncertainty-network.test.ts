// Uncertainty of networks with hidden layers against the explicit Jacobian, in both spaces and on both engines; what is refused and warned of.
import { describe, expect, it } from "vitest";
import {
  createEngine,
  estimateUncertainty,
  network,
  Random,
  squaredError,
  train,
  uncertaintyOf,
} from "../../src/index.js";
import { eliminate } from "../helpers/dense.js";

const random = new Random(8);
const draw = (n: number) => Array.from({ length: n }, () => [random.normal(), random.normal()]);
const truth = ([a = 0, b = 0]: number[]) => Math.sin(a) + a * b;

function table(n: number) {
  const inputs = draw(n);
  return {
    inputs,
    targets: inputs.map((row) => [truth(row) + 0.1 * random.normal(), Math.cos(row[0]!) + 0.2 * random.normal()]),
  };
}

/** g^T (J^T J + d I)^-1 g for the outputs of `rows`, by elimination on explicit rows of J. */
async function variances(net: ReturnType<typeof network>, inputs: number[][], rows: number[][], decay: number) {
  const scaled = (given: number[][]) =>
    Float64Array.from(
      given.flatMap((row) => row.map((x, j) => (x - net.scaling!.inputs.offset[j]!) / net.scaling!.inputs.scale[j]!)),
    );
  const jacobian = (given: number[][]) => {
    const data = { sampleCount: given.length, inputs: scaled(given), targets: new Float64Array(given.length * 2) };
    return createEngine(net.architecture, data, { backend: "typescript" }).jacobian(net.parameters, 0, given.length);
  };
  const p = net.parameterCount;
  const j = await jacobian(inputs);
  const a = new Float64Array(p * p);
  for (let row = 0; row < j.length / p; row++)
    for (let k = 0; k < p; k++) for (let l = 0; l < p; l++) a[k * p + l]! += j[row * p + k]! * j[row * p + l]!;
  for (let k = 0; k < p; k++) a[k * p + k]! += decay;
  const own = await jacobian(rows);
  return Array.from({ length: own.length / p }, (_, at) => {
    const g = own.slice(at * p, (at + 1) * p);
    const solved = eliminate(a.slice(), g.slice(), p);
    return g.reduce((sum, one, k) => sum + one * solved[k]!, 0);
  });
}

describe.each(["typescript", "native"] as const)("networks on the %s engine", (backend) => {
  it.each([
    [60, "parameters"],
    [8, "samples"],
  ] as const)("with %d rows have the variances of the explicit Jacobian, in the space of %s", async (n, space) => {
    const data = table(n);
    const loss = squaredError({ decay: 0.5 });
    const options = { backend, loss, uncertainty: true, validation: false as const };
    const { network: net, uncertainty } = await train(network({ layers: [2, 5, 2], seed: 4 }), data, options);
    expect(net.posterior!.space).toBe(space);
    const rows = draw(9);
    const exact = await variances(net, data.inputs, rows, 0.5);
    const { standardError } = await uncertainty!.predict(rows, { backend });
    // The matrix has the condition number (largest value) / decay, below 1e3 here; p^2 eps of it in either way of solving.
    const tolerance = 1e3 * 27 ** 2 * Number.EPSILON;
    for (const [at, variance] of exact.entries())
      expect(Math.abs((standardError[at]! / uncertainty!.noise![at % 2]!) ** 2 / variance - 1)).toBeLessThan(tolerance);
    const hat = await variances(net, data.inputs, data.inputs, 0.5);
    for (const [at, one] of hat.entries())
      expect(Math.abs(uncertainty!.rows!.leverage[at]! - one)).toBeLessThan(tolerance);
    const trace = hat.reduce((sum, one) => sum + one, 0);
    expect(Math.abs(uncertainty!.effectiveParameters - trace)).toBeLessThan(trace * tolerance);
    // The same from a network that was trained before.
    const later = await estimateUncertainty(net.withPosterior(null), data, { backend, loss });
    expect(later.noise).toEqual(uncertainty!.noise);
    expect(later.rows).toEqual(uncertainty!.rows);
  });

  it("leave out directions that nothing determines", async () => {
    // The second column is twice the first: of the two weights into each of 3 units the data determine one combination.
    const inputs = draw(80).map(([a = 0]) => [a, 2 * a]);
    const targets = inputs.map(([a = 0]) => Math.sin(a) + 0.1 * random.normal());
    const { uncertainty } = await train(
      network({ layers: [2, 3, 1], seed: 4 }),
      { inputs, targets },
      {
        backend,
        uncertainty: true,
        validation: false,
      },
    );
    expect(uncertainty!.spectrum.directions).toBe(13);
    expect(uncertainty!.spectrum.determined).toBe(10);
    expect(uncertainty!.effectiveParameters).toBe(10);
    const { standardError } = await uncertainty!.predict([[0.5, 1]], { backend });
    expect(standardError[0]).toBeLessThan(uncertainty!.noise![0]!);
  });
});

describe("uncertainty", () => {
  const net = network({ layers: [2, 3, 1], seed: 1 });
  const inputs = draw(50);
  const data = { inputs, targets: inputs.map((row) => truth(row) + 0.1 * random.normal()) };

  it("is null without the option, and leaves the network with other parameters or units", async () => {
    const { uncertainty, network: plain } = await train(net, data, { stop: { iterations: 3 } });
    expect(uncertainty).toBeNull();
    expect(() => uncertaintyOf(plain)).toThrow(/^network must carry its uncertainty: train it with uncertainty: true/);
    const loss = squaredError({ decay: 0.1 });
    const trained = await train(net, data, { uncertainty: true, validation: false, loss });
    const carrying = trained.network;
    expect(uncertaintyOf(carrying).noise).toEqual(trained.uncertainty!.noise);
    expect(carrying.withSummary(null).posterior).toBe(carrying.posterior);
    expect(carrying.withParameters(carrying.parameters).posterior).toBeNull();
    expect(carrying.withScaling(null).posterior).toBeNull();
    expect(carrying.withOutputScale(2).posterior).toBeNull();
    expect(carrying.withLink("identity").posterior).toBe(carrying.posterior);
  });

  it("warns of crowded fits without decay, and of networks that stopped before their minimum", async () => {
    const crowded = await train(net, data, { uncertainty: true, validation: false });
    expect(crowded.warnings.join()).toMatch(/intervals of the mean are too narrow: 13 parameters .* 50 equations/);
    expect(crowded.uncertainty!.warnings).toEqual(crowded.warnings);
    const early = await train(net, data, { uncertainty: true, validation: false, stop: { iterations: 1 } });
    expect(early.warnings.join()).toMatch(/not at the minimum of its training loss/);
    const calm = await train(network({ layers: [2, 1] }), data, { uncertainty: true, validation: false });
    expect(calm.warnings).toEqual([]);
  });

  it("counts the rows that were fitted, those with a weight", async () => {
    const weights = inputs.map((_, i) => (i % 5 === 0 ? 0 : 1));
    const { uncertainty } = await train(
      net,
      { ...data, weights },
      { uncertainty: true, validation: 0.25, loss: squaredError({ decay: 0.1 }) },
    );
    // 50 rows less the validation part, of the rest those with a weight.
    expect(uncertainty!.samples).toBe(uncertainty!.rows!.leverage.length);
    expect(uncertainty!.samples).toBeLessThan(38);
  });

  it("is not measured without degrees of freedom, which a warning says", async () => {
    const few = { inputs: inputs.slice(0, 8), targets: data.targets.slice(0, 8) };
    const { uncertainty, warnings, network: kept } = await train(net, few, { uncertainty: true, validation: false });
    expect(uncertainty).toBeNull();
    expect(kept.posterior).toBeNull();
    expect(warnings.join()).toMatch(/was not measured: the noise cannot be told from the fit: 8 equations/);
    await expect(estimateUncertainty(kept, few)).rejects.toThrow(/^there is no uncertainty: the noise cannot be told/);
  });
});
