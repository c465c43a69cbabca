// Tapes: what compile.ts shares, and what check-tape.ts refuses.
import { expect, it } from "vitest";
import { checkTape } from "../../src/expression/check-tape.js";
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

it("a tape from a file is tested register by register", async () => {
  const tape = compile([await parse("exp(x*y) - 2")], ["x", "y"]);
  expect(checkTape(JSON.parse(JSON.stringify(tape)), 2, "net.json")).toEqual(tape);
  const damaged = (change: object) => () => checkTape({ ...tape, ...change }, 2, "net.json");
  expect(() => checkTape(null, 2, "net.json")).toThrow("net.json: its tape is no object");
  expect(damaged({ inputs: 3 })).toThrow("must have 2 inputs, not 3");
  expect(damaged({ constants: [null] })).toThrow("must have finite constants");
  expect(damaged({ code: [1, 2] })).toThrow("three integers an instruction");
  expect(damaged({ code: [28, 0, 1] })).toThrow("has no operation 28 (instruction 0)");
  expect(damaged({ code: [2, 0, 3] })).toThrow("reads a register that is not written (instruction 0)");
  expect(damaged({ code: [2, 0, -1] })).toThrow("reads a register that is not written");
  expect(damaged({ outputs: [6] })).toThrow("has an output that is no register");
  expect(damaged({ outputs: [0.5] })).toThrow("has an output that is no register");
});
