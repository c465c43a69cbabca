// The bundled data set is what the script makes of the npm package, byte for byte.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { readCsv } from "../../src/index.js";

it("examples/data/auto-mpg.csv is reproduced by its script", async () => {
  const script = "../../scripts/make-auto-mpg.mjs";
  const { autoMpgCsv } = (await import(script)) as { autoMpgCsv(): string };
  expect(readFileSync("examples/data/auto-mpg.csv", "utf8")).toBe(autoMpgCsv());
});

it("has 406 cars, 8 without mpg and 6 without horsepower", async () => {
  const data = await readCsv("examples/data/auto-mpg.csv", { target: "mpg", ignore: "name", missing: "mean" });
  expect([data.sampleCount, data.missingCount, data.inputSize]).toEqual([398, 6, 9]);
});
