// What equations compile to (src/equations): residuals by jets through the engine against differences of the field itself.
import { describe, expect, it } from "vitest";
import { jetResiduals } from "../../src/backend/create-jets.js";
import { createReferenceJetEngine } from "../../src/backend/reference/jets/engine.js";
import { type EquationsOptions, type EquationTerm, equations } from "../../src/equations/equations.js";
import { faces, sample } from "../../src/equations/points.js";
import { network } from "../../src/network/network.js";
import { fieldFromJson } from "../../src/train/field-file.js";

type Place = Readonly<Record<string, number>>;

/** Residuals of all terms by the engine, factors taken out, at a network of given shape. */
async function residualsOf(terms: Record<string, EquationTerm>, options: EquationsOptions, unknowns: number[] = []) {
  const read = await equations(terms, options);
  const net = network({ layers: [read.inputSize, 7, 6, read.outputSize], activation: "tanh", seed: 3 });
  read.checkNetwork(net);
  const engine = createReferenceJetEngine(net.architecture, read.jets);
  const parameters = Float64Array.of(...net.parameters, ...unknowns);
  const rows = await engine.residuals(parameters);
  const field = read.field(net, Float64Array.from(unknowns), jetResiduals);
  const factors = read.jets.terms.flatMap(({ points, factors: own }) =>
    Array.from({ length: points }, () => own).flat(),
  );
  /** An output anywhere, for differences. */
  const value = (output: string) => (at: Place) =>
    field.predict(Object.fromEntries(Object.entries(at).map(([x, c]) => [x, [c]])))[output][0];
  return { read, field, rows: rows.map((row, i) => row / factors[i]), value };
}

const H = 0.01;
/** Derivatives by differences of order 6: truncation about f^(7) h^6 / 140 = 1e-12 f^(7), rounding eps f / h^2 = 2e-12 f. */
function first(f: (at: Place) => number, at: Place, x: string): number {
  const d = (k: number) => f({ ...at, [x]: at[x] + k * H }) - f({ ...at, [x]: at[x] - k * H });
  return (45 * d(1) - 9 * d(2) + d(3)) / (60 * H);
}
function second(f: (at: Place) => number, at: Place, x: string): number {
  const s = (k: number) => f({ ...at, [x]: at[x] + k * H }) + f({ ...at, [x]: at[x] - k * H });
  return (270 * s(1) - 27 * s(2) + 2 * s(3) - 490 * f(at)) / (180 * H * H);
}
const mixed = (f: (at: Place) => number, at: Place, x: string, y: string) =>
  first((place) => first(f, place, x), at, y);

const close = (got: number, expected: number) =>
  expect(Math.abs(got - expected)).toBeLessThan(1e-8 * (1 + Math.abs(expected)));
const points = { x: [0.2, -0.7, 0.55], t: [0.9, 0.1, 0.4] };
const places = points.x.map((x, i) => ({ x, t: points.t[i] }));

describe("residuals", () => {
  it("of Burgers' equation with features and constants", async () => {
    const { read, rows, value } = await residualsOf(
      { inside: { residual: "u_t + u*u_x - nu*u_xx", points } },
      { inputs: ["x", "t"], features: ["cos(pi*x)", "sin(pi*x)", "t"], constants: { nu: 0.03 } },
    );
    expect(read.inputSize).toBe(3);
    expect(read.jets.terms[0].channels).toEqual({ firsts: 2, seconds: [[[0, 0, 1]]] });
    places.forEach((at, i) => {
      const u = value("u");
      close(rows[i], first(u, at, "t") + u(at) * first(u, at, "x") - 0.03 * second(u, at, "x"));
    });
  });

  it("of two outputs with transforms, mixed derivatives, unknowns, columns and several equations", async () => {
    const measured = [1, 2, 3];
    const { read, rows, value } = await residualsOf(
      {
        inside: {
          residual: ["u_xt - k*v_xx + p", "u*v_t - u_tt/v"],
          points: { ...points, p: measured },
          weight: [4, 1],
        },
      },
      {
        inputs: ["x", "t"],
        outputs: ["u", "v"],
        transform: { u: "sin(x) + t*u*v", v: "2 + k*x^2*exp(v)" },
        unknowns: { k: 0.5 },
      },
      [0.5],
    );
    expect(read.jets.terms[0].factors).toEqual([Math.sqrt(4 * 2), Math.sqrt(2)]);
    places.forEach((at, i) => {
      const [u, v] = [value("u"), value("v")];
      close(rows[2 * i], mixed(u, at, "x", "t") - 0.5 * second(v, at, "x") + measured[i]);
      close(rows[2 * i + 1], u(at) * first(v, at, "t") - second(u, at, "t") / v(at));
    });
  });

  it("of Laplacians: one channel, over all or some coordinates, through transforms and for coordinates with long names", async () => {
    const inputs = ["x", "y", "time"];
    const table = { x: [0.3, -0.4], y: [0.8, 0.1], time: [0.5, 0.2] };
    const { read, rows, value } = await residualsOf(
      { heat: { residual: ["laplacian(u)", "u_time - laplacian(u, x, y)", "u_x_time"], points: table } },
      { inputs, features: inputs, transform: { u: "x*(1 - x)*exp(y*u)" } },
    );
    const { firsts, seconds } = read.jets.terms[0].channels;
    expect(firsts).toBe(3);
    expect(seconds.map((list) => list.length).sort()).toEqual([1, 2, 3]);
    table.x.forEach((x, i) => {
      const at = { x, y: table.y[i], time: table.time[i] };
      const u = value("u");
      const [xx, yy, tt] = inputs.map((c) => second(u, at, c));
      close(rows[3 * i], xx + yy + tt);
      close(rows[3 * i + 1], first(u, at, "time") - xx - yy);
      close(rows[3 * i + 2], mixed(u, at, "x", "time"));
    });
  });

  it("join second derivatives that enter in one combination to one channel", async () => {
    const channels = async (residual: string | string[]) => {
      const read = await equations({ a: { residual, points: sample({ x: [0, 1], y: [0, 1] }, 8) } });
      return read.jets.terms[0].channels.seconds;
    };
    expect(await channels("u_xx + u_yy + x")).toEqual([
      [
        [0, 0, 1],
        [1, 1, 1],
      ],
    ]);
    expect(await channels("-2*u_xx - 4*u_yy + 3*u_xy")).toEqual([
      [
        [0, 0, 1],
        [1, 1, 2],
        [0, 1, -1.5],
      ],
    ]);
    expect(await channels("u*u_xx + u_yy")).toHaveLength(2);
    expect(await channels(["u_xx + u_yy", "u_xx - u_yy"])).toHaveLength(2);
    const { rows, value } = await residualsOf(
      { a: { residual: ["-2*u_xx - 4*u_tt + 3*u_xt", "laplacian(u) + 3*u_xx"], points } },
      { inputs: ["x", "t"] },
    );
    places.forEach((at, i) => {
      const u = value("u");
      const [xx, tt] = [second(u, at, "x"), second(u, at, "t")];
      close(rows[2 * i], -2 * xx - 4 * tt + 3 * mixed(u, at, "x", "t"));
      close(rows[2 * i + 1], 4 * xx + tt);
    });
  });

  it("see coordinates scaled to [-1, 1] where no features are given", async () => {
    const terms = { a: { residual: "u_xx", points: sample({ x: [10, 30], t: 4 }, 16) } };
    const read = await equations({ ...terms, b: { residual: "u", points: { x: [50], t: [8] } } });
    expect(read.definition.features).toEqual(["(x - 30)*0.05", "(t - 6)*0.5"]);
    const { inputs } = read.jets.terms[1];
    expect([...inputs]).toEqual([1, 1]);
  });

  it("weigh terms by the mean of their squares", async () => {
    const { factors } = (
      await equations({
        a: { residual: "u", points: sample({ x: [0, 1] }, 64), weight: 0.1 },
        b: { residual: ["u_x", "u"], points: faces({ x: [0, 1] }, 2) },
      })
    ).jets.terms.reduce((all, term) => ({ factors: [...all.factors, ...term.factors] }), { factors: [] as number[] });
    const rows = 64 + 4;
    expect(factors).toEqual([Math.sqrt((0.1 * rows) / 64), Math.sqrt(rows / 2), Math.sqrt(rows / 2)]);
  });
});

describe("renewed points", () => {
  it("follow from the round, stay in the box and are other ones each time", async () => {
    const read = await equations({
      a: { residual: "u_x - x", points: sample({ x: [2, 4] }, 32, { renew: 5 }) },
      b: { residual: "u", points: { x: [2] } },
      c: { residual: "u", points: sample({ x: [2, 4] }, 8, { renew: 10, crowd: 4 }) },
    });
    expect(read.renewals.map(({ term, every, choose }) => [term, every, choose === null])).toEqual([
      [0, 5, true],
      [2, 10, false],
    ]);
    const [plain, crowded] = read.renewals;
    const round = plain.points(1);
    expect(plain.points(1)).toEqual(round);
    expect(plain.points(2).auxiliary).not.toEqual(round.auxiliary);
    expect(round.auxiliary).not.toEqual(read.jets.terms[0].auxiliary);
    expect(round.auxiliary.every((x) => x > 2 && x < 4)).toBe(true);
    expect(crowded.points(1).points).toBe(32);
    const chosen = crowded.choose!(1, new Float64Array(32).fill(1));
    expect(chosen).toHaveLength(8);
    expect(crowded.choose!(1, new Float64Array(32).fill(1))).toEqual(chosen);
  });
});

describe("fields", () => {
  it("predict any formula of derivatives, and come back from their text", async () => {
    const { field, value } = await residualsOf(
      { a: { residual: "u_xx - k", points } },
      { inputs: ["x", "t"], transform: { u: "x*u + c" }, constants: { c: 0.25 }, unknowns: { k: 2 } },
      [2],
    );
    const got = await field.derivatives(points, ["u", "u_xx", "u_t - k*u + c*x"]);
    const read = await fieldFromJson(field.toJson());
    expect(await read.derivatives(points, ["u", "u_xx", "u_t - k*u + c*x"])).toEqual(got);
    expect(read.unknowns).toEqual({ k: 2 });
    const again = field.predict(points);
    expect(again).toEqual(read.predict(points));
    places.forEach((at, i) => {
      const u = value("u");
      close(got.u[i], again.u[i]);
      close(got.u_xx[i], second(u, at, "x"));
      close(got["u_t - k*u + c*x"][i], first(u, at, "t") - 2 * u(at) + 0.25 * at.x);
    });
    await expect(field.derivatives({ x: [1] }, ["u"])).rejects.toThrow("points must have the coordinate t");
    await expect(field.derivatives(points, ["u_xxx"])).rejects.toThrow("formulas has");
    await expect(fieldFromJson(field.toJson().replace("0.25", "0.26"))).rejects.toThrow("checksum");
    await expect(fieldFromJson("{}", "sol.json")).rejects.toThrow("sol.json");
  });
});

describe("refused are", () => {
  const box = sample({ x: [0, 1], t: [0, 1] }, 8);
  it.each<[string, Record<string, EquationTerm>, EquationsOptions, string]>([
    ["no terms", {}, {}, "terms must be an object of at least one term"],
    ["a third derivative", { a: { residual: "u_xxx", points: box } }, {}, "for third ones name a second derivative"],
    [
      "an unknown name",
      { a: { residual: "u_t - mu*u_xx", points: box } },
      { constants: { nu: 1 } },
      'terms.a.residual has "mu" at character 7',
    ],
    ["two sides", { a: { residual: "u_t = u_xx", points: box } }, {}, 'write "u_t - (u_xx)"'],
    ["a name without a declaration", { a: { residual: "u_t - k*u", points: box } }, {}, "or options.unknowns"],
    [
      "an unknown in no residual",
      { a: { residual: "u_t - u", points: box } },
      { unknowns: { k: 1 } },
      "options.unknowns must each appear in a residual",
    ],
    ["a Laplacian of nothing", { a: { residual: "laplacian(w)", points: box } }, {}, "did you mean laplacian(u)"],
    ["a misspelled field", { a: { residuals: "u", points: box } as never }, {}, 'did you mean "residual"?'],
    [
      "a misspelled option",
      { a: { residual: "u", points: box } },
      { feature: [] } as never,
      'did you mean "features"?',
    ],
    [
      "points without a coordinate",
      { a: { residual: "u", points: box }, b: { residual: "u", points: { x: [1] } } },
      {},
      "terms.b.points must have the coordinate t",
    ],
    [
      "tables alone without inputs",
      { a: { residual: "u", points: { x: [1] } } },
      {},
      "options.inputs must name the coordinates",
    ],
    [
      "a number that is not finite",
      { a: { residual: "u - y", points: { x: [1], t: [1], y: [Number.NaN] } } },
      { inputs: ["x", "t"] },
      "terms.a.points.y[0] must be a finite number",
    ],
    [
      "columns of different lengths",
      { a: { residual: "u", points: { x: [1, 2], t: [1] } } },
      { inputs: ["x", "t"] },
      "terms.a.points.t must have 2 numbers",
    ],
    [
      "a column with the name of a derivative",
      { a: { residual: "u", points: { x: [1], t: [1], u_x: [1] } } },
      { inputs: ["x", "t"] },
      "must have a name of its own",
    ],
    [
      "a constant with the name of a coordinate",
      { a: { residual: "u", points: box } },
      { constants: { x: 1 } },
      "must have a name of its own",
    ],
    [
      "names that make two derivatives one",
      { a: { residual: "u", points: sample({ x: [0, 1], xx: [0, 1] }, 8) } },
      {},
      "must not make one name of two derivatives",
    ],
    [
      "a transform of what is no output",
      { a: { residual: "u", points: box } },
      { transform: { v: "v" } },
      "options.transform must name outputs: u",
    ],
    [
      "a feature of an output",
      { a: { residual: "u", points: box } },
      { features: ["u"] },
      'options.features[0] has "u"',
    ],
    [
      "a feature that is not finite",
      { a: { residual: "u_x", points: sample({ x: 0, t: [0, 1] }, 8) } },
      { features: ["sqrt(x)", "t"] },
      "feature 0 (from 0) has not at x = 0",
    ],
    [
      "weights that do not fit",
      { a: { residual: "u", points: box, weight: [1, 2] } },
      {},
      "terms.a.weight must be a number, or a list of 1",
    ],
    [
      "a negative weight",
      { a: { residual: "u", points: box, weight: -1 } },
      {},
      "terms.a.weight must be a finite number of at least 0",
    ],
    [
      "points that are a number",
      { a: { residual: "u", points: 5 as never } },
      {},
      "terms.a.points must be sample(...)",
    ],
  ])("%s", async (_, terms, options, message) => {
    const error = await equations(terms, options).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: "GAUSSFLOW_ARGUMENT" });
    expect((error as Error).message).toContain(message);
  });

  it("networks of another shape, with the layers that fit", async () => {
    const read = await equations({ a: { residual: "u", points: box } });
    const wrong = network({ layers: [3, 5, 1], seed: 1 });
    expect(() => read.checkNetwork(wrong)).toThrow("such as layers: [2, 5, 1]");
  });
});
