// What formulas may say (src/expression/parse.ts), and the errors of what they may not.
import { describe, expect, it } from "vitest";
import { scalarsOf } from "../../src/expression/columns.js";
import { compile } from "../../src/expression/compile.js";
import { TapeEvaluator } from "../../src/expression/evaluate.js";
import { type Expression, namesIn } from "../../src/expression/expression.js";
import { checkNames, parseExpression } from "../../src/expression/parse.js";
import { render } from "../../src/expression/render.js";
import { formulas, VARIABLES } from "../helpers/expressions.js";
import { fc } from "../helpers/property.js";

const NAMES = ["x", "y", "b1", "b2"];
const vocabulary = {
  names: NAMES,
  calls: { isName: (call: string) => call === "laplacian(u)", examples: ["laplacian(u)"] },
};
const read = async (text: string) => render(await parseExpression(text, vocabulary, "model"));

describe("formulas", () => {
  it.each([
    ["2x", "2*x"],
    ["2 (x+1) (y-2)", "2*(x + 1)*(y - 2)"],
    ["-x^2", "-x^2"],
    ["(-x)^2", "(-x)^2"],
    ["x^2^3", "x^8"],
    ["x - (y - b1)", "x - (y - b1)"],
    ["x - y - b1", "x - y - b1"],
    ["x/(y/b1)/b2", "x/(y/b1)/b2"],
    ["pow(x, 3) + ln(y)", "x^3 + log(y)"],
    ["e^x", "exp(x)"],
    ["x^(1/2)", "sqrt(x)"],
    ["min(x, y, 1)", "min(min(x, y), 1)"],
    ["0*x + 1*y - 0", "y"],
    ["x - -y", "x + y"],
    ["b1*(1 - exp(-b2*x))", "b1*(1 - exp(-b2*x))"],
    ["laplacian( u ) + x", "laplacian(u) + x"],
    ["+x", "x"],
  ])("%s is %s", async (text, expected) => {
    expect(await read(text)).toBe(expected);
    expect(await read(expected)).toBe(expected);
  });

  it("have the caller's constants, pi and e; a variable hides them", async () => {
    const parse = (names: string[]) => parseExpression("nu*x + e - e", { names, constants: { nu: 0.5 } }, "residual");
    expect(render(await parse(["x"]))).toBe(`0.5*x + ${Math.E} - ${Math.E}`);
    expect(namesIn(await parse(["x", "e", "nu"]))).toEqual(new Set(["nu", "x", "e"]));
  });
});

describe("refused are", () => {
  it.each([
    ["", "must be a formula as text"],
    ["1+", "is not a formula at its end"],
    ["(x", "is not a formula at its end"],
    ["x**2", 'is not a formula at character 3, before "*2" (Value expected): write ^ for powers'],
    ["x @ 2", "is not a formula at character 3"],
    ["b1(x)", 'has "b1(x)" at character 1, which is a call, and b1 is a number: write b1*(...) for a product'],
    ["x + b22*y", 'has "b22" at character 5, which is not a known name: did you mean "b2"?'],
    ["2 cm", 'has "cm" at character 3, which is not a known name: known names are: x, y'],
    ["2*sin x", "at character 3, which is a function: write sin(...)"],
    ["1 + gamma(x)", 'has "gamma(x)" at character 5, which has no derivative rule here; there are: laplacian(u), sqrt'],
    ["sinn(x)", "did you mean sin?"],
    ["laplacian(y)", "did you mean laplacian(u)?"],
    ["atan2(x)", "takes 2 arguments and has 1"],
    ["log(x, 2, 3)", "takes 1 to 2 arguments and has 3"],
    ["1/2 x", "can be read in two ways: write * and parentheses"],
    ["x/2y", "can be read in two ways: write * and parentheses"],
    ["x'", "has the operator '"],
    ["x!", "has the operator !"],
    ["x == 1", "has the operator =="],
    ["x .* y", "has the operator .*"],
    ["x mod 3", "has the operator mod"],
    ["x > 1 ? 1 : 2", "is a condition"],
    ["0 < x < 1", "is a comparison"],
    ["x = 3", "is an assignment: give the right side alone"],
    ["f(x) = x", "is a definition of a function"],
    ["x; y", "is more than one formula"],
    ["[1, 2]", "is a matrix"],
    ["1:3", "is a range"],
    ["x.y", "is an access to a part"],
    ['"text"', "is not a finite number"],
    ["true", "is not a finite number"],
    ["1e999", "is not a finite number"],
    [`${"(".repeat(1500)}x${")".repeat(1500)}`, "must not nest more than 1000 operations"],
    ["x+".repeat(1500).concat("x"), "must not nest more than 1000 operations"],
    ["x".repeat(20_001), "must have at most 20000 characters"],
  ])("%s", async (text, message) => {
    const error = await parseExpression(text, vocabulary, "model").catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: "GAUSSFLOW_ARGUMENT" });
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).toMatch(/^model /);
  });

  it("constants that are not finite, once a tape is made", async () => {
    const expression = await parseExpression("x + log(-1)", { names: NAMES }, "model");
    expect(() => compile([expression], NAMES, "model")).toThrow("model has log(-1), which is not a finite number");
  });

  it("names that the parser reads as something else, and those of functions", async () => {
    await expect(checkNames(["x", "u_xx", "λ"], "inputs")).resolves.toBeUndefined();
    for (const name of ["a b", "1x", "x-1", "mod", "true", "", "x'"])
      await expect(checkNames(["x", name], "inputs")).rejects.toThrow("must have names of letters, digits and _");
    await expect(checkNames(["exp"], "inputs")).rejects.toThrow("must not have the name of a function");
  });
});

it("a formula that is written as text and read again has the same values to the bit", async () => {
  await fc.assert(
    fc.asyncProperty(formulas, async (e) => {
      const read = await parseExpression(render(e), { names: VARIABLES }, "formula");
      const value = (one: Expression) => {
        const out = new Float64Array(1);
        new TapeEvaluator(compile([one], VARIABLES)).values(scalarsOf(Float64Array.of(0.7, -1.3, 0.2)), 1, out);
        return out[0];
      };
      expect(value(read)).toBe(value(e));
    }),
    { numRuns: 300 },
  );
});
