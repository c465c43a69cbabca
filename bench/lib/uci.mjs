// Reads a gzipped CSV of numbers from GAUSSFLOW_DATA/uci: the rows of a UCI set, whose last column is the target, or its test mask. Imported
// by the programs that train on these sets: uci, advice, corrections, defaults, precision, preconditioners and the comparison in bench/peers.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { dataset, standardize } from "../../dist/index.js";

export const UCI_SETS = ["energy", "concrete", "yacht", "wine", "airfoil"];

/** Rows of numbers of uci/NAME.csv.gz. */
export function readUci(name) {
  const folder = process.env.GAUSSFLOW_DATA;
  if (!folder) {
    console.error("set GAUSSFLOW_DATA to the folder of the data sets");
    process.exit(2);
  }
  return gunzipSync(readFileSync(join(folder, "uci", `${name}.csv.gz`)))
    .toString()
    .trim()
    .split("\n")
    .map((line) => line.split(",").map(Number));
}

/** A set as flat inputs and targets, standardized on all rows as train() does. */
export function standardizedUci(name) {
  const rows = readUci(name);
  const data = dataset({ inputs: rows.map((row) => row.slice(0, -1)), targets: rows.map((row) => row.at(-1)) });
  const scaling = standardize(data);
  const apply = (matrix, { offset, scale }) =>
    matrix.map((value, k) => (value - offset[k % offset.length]) / scale[k % scale.length]);
  return {
    inputSize: data.inputSize,
    inputs: apply(data.inputs, scaling.inputs),
    targets: apply(data.targets, scaling.targets),
  };
}
