// The common case of the peers: Friedman #1 on 8 inputs, with the common initial weights, from GAUSSFLOW_DATA.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { network } from "../../dist/index.js";

export const LEVELS = [1e-2, 1e-3, 5e-4, 4.1e-4, 3.3e-4];
const SIZES = [8, 32, 32, 1];

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
