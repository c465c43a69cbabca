// What compile.ts shares between the parts of formulas.
import { expect, it } from "vitest";
import { compile } from "../../src/expression/compile.js";
import { parseExpression } from "../../src/expression/parse.js";

const parse = (text: string) => parseExpression(text, { names: ["x", "y"] }, "formula");

it("computes equal parts once, also in other orders and between outputs", async () => {
  const instructions = async (...texts: string[]) =>
    compile(await Promise.all(texts.map(parse)), ["x", "y"]).code.length / 3;
  expect(await instructions("exp(x*y) + exp(y*x)")).toBe(3);
  expect(await instructions("sin(x)", "2*sin(x)", "sin(x)*sin(x)")).toBe(3);
  expect(await instructions("x^4")).toBe(2);
  expect(await instructions("x - y + (y - x)")).toBe(3);
  expect(await instructions("2*3*pi")).toBe(0);
});
