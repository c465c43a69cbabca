// gaussflow fit: which names of a model are columns, what its messages name, and its numbers against certified ones. Commands run in this
// process.
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidArgumentError } from "commander";
import { afterAll, describe, expect, it } from "vitest";
import { errorText, exitCodeOf } from "../../src/cli/exit.js";
import { heldParameters, namedBounds, namedNumbers } from "../../src/cli/fit-flags.js";
import { probability } from "../../src/cli/parse.js";
import { makeProgram } from "../../src/cli/program.js";
import { plain } from "../../src/report/paint.js";
import { jsonLines } from "../helpers/command-line.js";
import { NIST_FOLDER, nistNames, nistProblem, nistTable } from "../helpers/nist.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-cli-fit-"));
const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const listeners = SIGNALS.map((name) => process.listeners(name));
// A fit listens for signals as long as its process lives, which here is that of other tests.
afterAll(() => {
  for (const [k, name] of SIGNALS.entries())
    for (const one of process.listeners(name)) if (!listeners[k]!.includes(one)) process.off(name, one);
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function run(...args: readonly string[]) {
  const written = { out: "", err: "" };
  let code: number | null = null;
  const stream = (name: "out" | "err") => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const terminal = { out: stream("out"), err: stream("err"), paintOut: plain, paintErr: plain };
  const program = makeProgram(terminal, (ended) => {
    code = ended;
  });
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    return { ...written, code: exitCodeOf(error), error: errorText(error, {}) };
  }
  return { ...written, code: code as number | null, error: "" };
}

// The Puromycin data of Bates and Watts, with columns that a fit has no use for.
const X = [0.02, 0.02, 0.06, 0.06, 0.11, 0.11, 0.22, 0.22, 0.56, 0.56, 1.1, 1.1];
const Y = [76, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200];
const puromycin = file(
  "puromycin.csv",
  [
    "note,conc,rate,w,error",
    ...X.map((x, i) => [i % 2 ? "" : "a, b".slice(0, 1), x, Y[i], (i + 1) / 6, 10].join(",")),
  ].join("\n"),
);
const MODEL = "rate = V*conc/(K+conc)";
const START = ["--start", "V=200,K=0.05"];

interface Parameter {
  readonly name: string;
  readonly estimate: number;
  readonly standardError: number;
  readonly lower: number;
  readonly upper: number;
  readonly state: string;
}
async function result(...args: readonly string[]) {
  const ended = await run("fit", ...args, "--json");
  expect(ended.error).toBe("");
  const line = jsonLines(ended.out).at(-1);
  expect(line.type).toBe("result");
  const parameters: readonly Parameter[] = line.parameters;
  return { ...line, parameters, by: Object.fromEntries(parameters.map((one) => [one.name, one])) };
}

describe("flags of parameters", () => {
  it("are read whole", () => {
    expect({ ...namedNumbers("b1=500, b2 = 1e-4", undefined) }).toEqual({ b1: 500, b2: 1e-4 });
    expect({ ...namedNumbers("c=1", { a: 2 }) }).toEqual({ a: 2, c: 1 });
    expect({ ...namedNumbers("constructor=1,__proto__=2", undefined) }).toEqual(Object.fromEntries([["constructor", 1], ["__proto__", 2]])); // biome-ignore format: one call
    expect({ ...heldParameters("b3=0,b4", undefined) }).toEqual({ b3: 0, b4: null });
    expect({ ...namedBounds("a=0:,b=-1:1,c=:1e3", undefined) }).toEqual({ a: [0, null], b: [-1, 1], c: [null, 1000] });
    expect(probability("0.95")).toBe(0.95);
  });

  it.each([
    [
      "starts",
      (text: string) => namedNumbers(text, undefined),
      ["", "b1", "b1=", "b1=x", "=1", "b1=1;b2=2", "b1=1,b1=2", "b1=0x10"],
    ],
    ["held", (text: string) => heldParameters(text, undefined), ["", "a,", "a b", "a=1,a", "a=b"]],
    [
      "bounds",
      (text: string) => namedBounds(text, undefined),
      ["", "a", "a=1", "a=:", "a=1:0", "a=1:1", "a=0:1:2", "a=x:1", "a=0:1,a=2:3"],
    ],
    ["probability", probability, ["0", "1", "95", "95%", ""]],
  ] as const)("%s refuse what is not wholly right", (_name, parse, texts) => {
    for (const text of texts) expect(() => parse(text), JSON.stringify(text)).toThrow(InvalidArgumentError);
  });
});

describe("gaussflow fit", () => {
  it("prints the table of a statistics package", async () => {
    const { out, err, code } = await run("fit", puromycin, "--model", MODEL, ...START);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^ {2}V +212\.684 +6\.9472 +30\.61 +197\.205 +228\.163$/m);
    expect(out).toMatch(/^ {2}K +0\.0641213 +0\.0082809 +7\.743 +0\.0456702 +0\.0825724$/m);
    expect(out).toContain("residual standard deviation 10.934 on 10 degrees of freedom; 12 observations");
    expect(out).toContain("R² 0.961261, adjusted 0.957387; AIC 95.2710, BIC 96.7257");
    expect(out).toMatch(/\d iterations? in .*; stopped because /);
  });

  it("writes the same as JSON, with profiles where they are asked for", async () => {
    const linear = await result(puromycin, "--model", MODEL, ...START);
    expect(linear.by.V!.estimate).toBeCloseTo(212.683743, 5);
    expect(linear).toMatchObject({
      converged: true,
      degreesOfFreedom: 10,
      intervals: "linear",
      level: 0.95,
      target: "rate",
    });
    const profile = await result(puromycin, "--model", MODEL, ...START, "--intervals", "profile");
    // Bates and Watts, and R's uniroot on the same function.
    expect(profile.by.V!.lower).toBeCloseTo(197.3019329, 3);
    expect(profile.by.V!.upper).toBeCloseTo(229.2890551, 3);
    expect(profile.by.K!.lower).toBeCloseTo(0.046920342, 6);
    expect(profile.by.K!.upper).toBeCloseTo(0.0861569134, 6);
  });

  it("takes weights, as nls of R", async () => {
    const { by, residualDeviation, aic } = await result(puromycin, "--model", MODEL, ...START, "--weights", "w");
    expect(by.V!.estimate).toBeCloseTo(216.9595103, 4);
    expect(by.V!.standardError).toBeCloseTo(4.525989404, 4);
    expect(by.K!.standardError).toBeCloseTo(0.00760481163, 7);
    expect(residualDeviation).toBeCloseTo(8.24103192, 5);
    expect(aic).toBeCloseTo(89.999578922, 6);
  });

  it("takes known standard deviations, which the residuals do not change", async () => {
    const { by, residualDeviation } = await result(puromycin, "--model", MODEL, ...START, "--sigma", "error");
    // (J^T J)^-1 of the plain fit is 1 / 10.934^2 of its covariance; sigma is 10.
    expect(by.V!.standardError).toBeCloseTo((6.94715510864 * 10) / 10.9336581913, 4);
    expect(residualDeviation).toBeCloseTo(1.09336581913, 6);
  });

  it("holds parameters and keeps bounds", async () => {
    const fixed = await result(puromycin, "--model", MODEL, "--start", "V=200", "--fixed", "K=0.05");
    const shape = X.map((x) => x / (0.05 + x));
    const exact = shape.reduce((sum, s, i) => sum + s * Y[i]!, 0) / shape.reduce((sum, s) => sum + s * s, 0);
    // A fit ends where what a further step would change is expected to be 1e-9 of an estimate.
    expect(Math.abs(fixed.by.V!.estimate / exact - 1)).toBeLessThan(1e-9);
    expect(fixed.by.K).toMatchObject({ estimate: 0.05, standardError: 0, state: "fixed" });
    const bound = await result(puromycin, "--model", MODEL, ...START, "--bounds", "K=:0.05");
    expect(bound.by.K).toMatchObject({ estimate: 0.05, state: "upper bound" });
    expect(bound.by.V!.estimate / exact).toBeCloseTo(1, 8);
    expect(bound.warnings.join()).toContain('"K" lies at its bound');
  });

  it("draws starts inside the bounds where there is none", async () => {
    const { by } = await result(puromycin, "--model", MODEL, "--starts", "5", "--bounds", "V=1:1000,K=0.001:10");
    expect(by.V!.estimate).toBeCloseTo(212.683743, 4);
  });

  it("reads the column of --x as x, and the target's default is the last column without a use", async () => {
    const table = file("plain.csv", "time (s),level\n0,1\n1,3.1\n2,4.9\n3,7\n");
    const { by, target } = await result(table, "--model", "a + b*x", "--x", "time (s)", "--start", "a=0,b=1");
    expect(target).toBe("level");
    expect(by.b!.estimate).toBeCloseTo(1.98, 10);
  });

  it("fits against outliers", async () => {
    const y = [2.1, 3.9, 6.2, 7.8, 10.1, 12.2, 30, 16.1, 17.8, 20.3];
    const table = file("outlier.csv", ["x,y", ...y.map((one, i) => `${i + 1},${one}`)].join("\n"));
    const { by } = await result(table, "--model", "y = a + b*x", "--start", "a=0,b=1", "--loss", "huber:0.5");
    expect(Math.abs(by.b!.estimate - 2.02)).toBeLessThan(0.05);
    const refused = await run(
      "fit",
      table,
      "--model",
      "a+b*x",
      "--start",
      "a=0,b=1",
      "--loss",
      "huber",
      "--intervals",
      "profile",
    );
    expect(refused).toMatchObject({ code: 2, error: expect.stringContaining("--intervals profile is about") });
  });

  it.each([
    [
      "a missing start",
      ["--model", "rate = V*conc/(K+conc)", "--start", "V=200"],
      /has K, which is no column of .*puromycin\.csv \(note, conc, rate, w, error\) and has no start: give --start K=NUMBER/,
    ],
    [
      "several missing starts",
      ["--model", "rate = V*conc/(K+conc)"],
      /has V, K, which are no column .* and have no start: give --start V=NUMBER,K=NUMBER/,
    ],
    [
      "half of a range to draw from",
      ["--model", MODEL, "--start", "V=1", "--bounds", "K=0:", "--starts", "3"],
      /has K.*, or --bounds with both ends/,
    ],
    [
      "a start that the model has not",
      ["--model", MODEL, "--start", "V=200,K=0.05,Km=1"],
      /--model has no parameter "Km" \(--start\); did you mean "K"\?|it has V, K/,
    ],
    [
      "a start of a column",
      ["--model", MODEL, "--start", "V=200,K=0.05,conc=1"],
      /--start names conc, which is a column of .*--ignore conc/,
    ],
    [
      "a target that is no column",
      ["--model", MODEL, ...START, "--target", "rat"],
      /has no column "rat" \(--target\); did you mean "rate"\?/,
    ],
    [
      "a left side that is no column",
      ["--model", "y = V*conc/(K+conc)", ...START],
      /has no column "y" \(--model, left of =\)/,
    ],
    ["a sigma that is no column", ["--model", MODEL, ...START, "--sigma", "sd"], /has no column "sd" \(--sigma\)/],
    ["a target in the model", ["--model", "rate = V*rate", "--start", "V=1"], /column "rate" has two uses/],
    [
      "no variable",
      ["--model", "V+K", ...START, "--target", "rate"],
      /--model has no variable: none of its names \(V, K\) is a column/,
    ],
    ["a formula that is none", ["--model", "rate = V*(conc", ...START], /^gaussflow: --model is not a formula/],
    [
      "a function without derivatives",
      ["--model", "rate = V*gamma(conc)", "--start", "V=1"],
      /--model has "gamma\(conc\)".* has no derivative rule/,
    ],
    ["sigma and weights", ["--model", MODEL, ...START, "--sigma", "error", "--weights", "w"], /give one of them/],
    [
      "a start outside of its bounds",
      ["--model", MODEL, ...START, "--bounds", "K=1:2"],
      /--start must be inside the bounds: K between 1 and 2/,
    ],
    [
      "a start where the model has no value",
      ["--model", "rate = V*log(conc-K)", ...START],
      /--start must be a point where all residuals/,
    ],
    ["text in a column", ["--model", "rate = V*conc+K*note", ...START], /note/],
  ])("names what is wrong with %s", async (_, flags, message) => {
    // biome-ignore format: a table
    const { code, error, out } = await run("fit", puromycin, ...flags);
    expect(error).toMatch(message);
    expect([code, out]).toEqual([/has no column|is not a number|missing|empty/.test(error) ? 1 : 2, ""]);
  });

  it("needs a model", async () => {
    expect((await run("fit", puromycin)).code).toBe(2);
  });

  it("saves a fit that predict applies, with intervals of new observations", async () => {
    const out = join(folder, "fit.json");
    const report = join(folder, "fit.html");
    const ended = await run("fit", puromycin, "--model", MODEL, ...START, "--out", out, "--report", report);
    expect(ended.out).toContain("predict");
    const html = readFileSync(report, "utf8");
    for (const text of ["rate = V*conc/(K+conc)", "Profile of K", "Data and fitted curve"])
      expect(html.includes(text), text).toBe(true);
    const fresh = file("new.csv", "other,conc\na,0.5\nb,1\n");
    const plainRows = (await run("predict", out, fresh)).out.trim().split("\n");
    expect(plainRows[0]).toBe("row,rate");
    const [v, k] = [212.683743086161, 0.0641212815943];
    expect(Number(plainRows[1]!.split(",")[1])).toBeCloseTo((v * 0.5) / (k + 0.5), 5);
    const rows = (await run("predict", out, fresh, "--intervals", "0.95")).out.trim().split("\n");
    expect(rows[0]).toBe("row,rate,rate standard error,rate lower,rate upper");
    const [, value, error, lower, upper] = rows[2]!.split(",").map(Number) as [number, number, number, number, number];
    // g^T C g by the covariance of nls in R: 48.2629641, 0.04401453126, 6.85741251836e-5.
    const [a, b] = [1 / (k + 1), -v / (k + 1) ** 2];
    const exact = Math.sqrt(a * a * 48.2629641035 + 2 * a * b * 0.0440145312626 + b * b * 6.85741251836e-5);
    expect(error).toBeCloseTo(exact, 5);
    expect(upper - value).toBeCloseTo(2.22813885199 * Math.hypot(exact, 10.9336581913), 4);
    expect(value - lower).toBeCloseTo(upper - value, 8);
  });

  it("refuses files of fits that are damaged, and flags of networks", async () => {
    const out = join(folder, "kept.json");
    await run("fit", puromycin, "--model", MODEL, ...START, "--out", out, "--quiet");
    expect(existsSync(out)).toBe(true);
    const text = readFileSync(out, "utf8");
    const damaged = file("damaged.json", text.replace('"target":"rate"', '"target":"ratf"'));
    expect(await run("predict", damaged, puromycin)).toMatchObject({
      code: 1,
      error: expect.stringContaining("checksum"),
    });
    expect(await run("predict", out, puromycin, "--spread")).toMatchObject({
      code: 2,
      error: expect.stringContaining("--spread is about networks"),
    });
    expect(await run("predict", out, file("less.csv", "a\n1\n"))).toMatchObject({
      code: 1,
      error: expect.stringContaining('no column "conc"'),
    });
  });

  it("names the row of a standard deviation that is none", async () => {
    const table = file("sigma.csv", "x,y,s\n1,2,1\n2,3,0\n3,5,1\n");
    const { error, code } = await run("fit", table, "--model", "y=a*x", "--start", "a=1", "--sigma", "s");
    expect(error).toMatch(/row 2: the standard deviation \(--sigma s\) must be above 0; it is 0/);
    expect(code).toBe(1);
  });
});

describe.skipIf(NIST_FOLDER === null)("gaussflow fit on NIST's tables", () => {
  const cases = nistNames().flatMap((name) => [0, 1].map((start) => [name, start] as const));
  it.each(cases)("%s from start %i: estimates and standard errors to six digits", async (name, start) => {
    const problem = nistProblem(name);
    const table = file(`${name}.csv`, nistTable(problem));
    const values = problem.parameters.map((b, j) => `${b}=${problem.starts[start]![j]}`).join(",");
    const { parameters, residualDeviation } = await result(
      table,
      "--model",
      `y = ${problem.formula}`,
      "--start",
      values,
    );
    const digits = (actual: number, certified: number) => -Math.log10(Math.abs(actual / certified - 1));
    for (const [j, { estimate, standardError }] of parameters.entries()) {
      expect(digits(estimate, problem.certified[j]!)).toBeGreaterThan(6);
      expect(digits(standardError, problem.standardErrors[j]!)).toBeGreaterThan(6);
    }
    expect(digits(residualDeviation, problem.residualDeviation)).toBeGreaterThan(6);
  });
});
