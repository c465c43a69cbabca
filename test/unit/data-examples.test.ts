// The bundled tables are what the script makes of the npm package, byte for byte.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { readCsv } from "../../src/index.js";

it("the tables of examples/data are reproduced by their script", async () => {
  const script = "../../scripts/make-example-data.mjs";
  const { EXAMPLES, exampleCsv } = (await import(script)) as { EXAMPLES: string[]; exampleCsv(name: string): string };
  expect(EXAMPLES).toEqual(["auto-mpg", "penguins"]);
  for (const name of EXAMPLES) expect(readFileSync(`examples/data/${name}.csv`, "utf8"), name).toBe(exampleCsv(name));
});

it("auto-mpg has 406 cars, 8 without mpg and 6 without horsepower", async () => {
  const data = await readCsv("examples/data/auto-mpg.csv", { target: "mpg", ignore: "name", missing: "mean" });
  expect([data.sampleCount, data.missingCount, data.inputSize]).toEqual([398, 6, 9]);
});
