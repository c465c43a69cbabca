// Makes examples/data/auto-mpg.csv from the cars.json of npm's vega-datasets (a devDependency): 406 cars of the UCI Auto MPG set. A
// developer runs it by hand when the source changes; test/unit/data-auto-mpg.test.ts imports autoMpgCsv and compares its text with the
// file.
//   node scripts/make-auto-mpg.mjs
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

const COLUMNS = [
  ["name", "Name"],
  ["mpg", "Miles_per_Gallon"],
  ["cylinders", "Cylinders"],
  ["displacement", "Displacement"],
  ["horsepower", "Horsepower"],
  ["weight", "Weight_in_lbs"],
  ["acceleration", "Acceleration"],
  ["year", "Year"],
  ["origin", "Origin"],
];

function cell(column, value) {
  if (value === null || value === undefined) return "";
  if (column === "year") return String(value).slice(0, 4);
  const text = String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The whole CSV text. */
export function autoMpgCsv() {
  const cars = JSON.parse(readFileSync(join(root, "node_modules", "vega-datasets", "data", "cars.json"), "utf8"));
  const lines = cars.map((car) => COLUMNS.map(([column, key]) => cell(column, car[key])).join(","));
  return `${[COLUMNS.map(([column]) => column).join(","), ...lines].join("\n")}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = join(root, "examples", "data", "auto-mpg.csv");
  writeFileSync(path, autoMpgCsv());
}
