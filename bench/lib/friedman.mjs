// Reads the common case of the benchmarks from GAUSSFLOW_DATA (Friedman #1 on 8 inputs, with the common initial weights), and draws further
// data of the same kind. Imported by the comparison with other programs (bench/peers) and by the programs that compare settings (defaults,
// precision, preconditioners, held-out).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { network, Random } from "../../dist/index.js";

export const LEVELS = [1e-2, 1e-3, 5e-4, 4.1e-4, 3.3e-4];
export const SIZES = [8, 32, 32, 1];

export function friedman(folder = process.env.GAUSSFLOW_DATA) {
  if (!folder) {
    console.error("set GAUSSFLOW_DATA to the folder of the data sets");
    process.exit(2);
  }
  const read = (name) =>
    gunzipSync(readFileSync(join(folder, "friedman", `${name}.csv.gz`)))
      .toString()
      .trim()
      .split("\n")
      .map((line) => line.split(",").map(Number));
  const column = (name) => read(name).map(([value]) => value);
  // The file holds each W as in x out; ours is out x in.
  const given = column("W0");
  const parameters = Float64Array.from(given);
  let at = 0;
  for (let l = 0; l + 1 < SIZES.length; l++) {
    const [a, b] = [SIZES[l], SIZES[l + 1]];
    for (let i = 0; i < a; i++) for (let j = 0; j < b; j++) parameters[at + j * a + i] = given[at + i * b + j];
    at += a * b + b;
  }
  return {
    inputs: read("X"),
    targets: column("Y"),
    testInputs: read("Xt"),
    testTargets: column("Yt"),
    net: network({ layers: SIZES }).withParameters(parameters),
  };
}

/**
 * Another draw by the same formula, flat: inputs uniform in [-1, 1] (three of the eight do not matter), u = (x + 1) / 2,
 *   y = 10 sin(pi u1 u2) + 20 (u3 - 1/2)^2 + 10 u4 + 5 u5 + noise of deviation 0.1, then standardized.
 */
export function drawFriedman(seed, sampleCount = 5000) {
  const random = new Random(seed);
  const inputs = Float64Array.from({ length: sampleCount * SIZES[0] }, () => 2 * random.uniform() - 1);
  const targets = Float64Array.from({ length: sampleCount }, (_, i) => {
    const [a, b, c, d, e] = inputs.subarray(i * SIZES[0], (i + 1) * SIZES[0]).map((x) => (x + 1) / 2);
    return 10 * Math.sin(Math.PI * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e + 0.1 * random.normal();
  });
  const mean = targets.reduce((sum, y) => sum + y, 0) / sampleCount;
  const deviation = Math.sqrt(targets.reduce((sum, y) => sum + (y - mean) ** 2, 0) / sampleCount);
  return { inputs, targets: targets.map((y) => (y - mean) / deviation) };
}
