// Makes the tables of examples/data from npm's vega-datasets (a devDependency): auto-mpg.csv, 406 cars of the UCI Auto MPG set, and
// penguins.csv, 344 penguins of Palmer Station. A developer runs it by hand when a source changes; test/unit/data-examples.test.ts imports
// exampleCsv and compares its texts with the files.
//   node scripts/make-example-data.mjs
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Of each table: the file in vega-datasets, the columns with their names there, and what is done with a value before it is written. */
const TABLES = {
  "auto-mpg": {
    source: "cars.json",
    columns: [
      ["name", "Name"],
      ["mpg", "Miles_per_Gallon"],
      ["cylinders", "Cylinders"],
      ["displacement", "Displacement"],
      ["horsepower", "Horsepower"],
      ["weight", "Weight_in_lbs"],
      ["acceleration", "Acceleration"],
      ["year", "Year"],
      ["origin", "Origin"],
    ],
    text: (column, value) => (column === "year" ? String(value).slice(0, 4) : String(value)),
  },
  penguins: {
    source: "penguins.json",
    columns: [
      ["species", "Species"],
      ["island", "Island"],
      ["beak_length", "Beak Length (mm)"],
      ["beak_depth", "Beak Depth (mm)"],
      ["flipper_length", "Flipper Length (mm)"],
      ["body_mass", "Body Mass (g)"],
      ["sex", "Sex"],
    ],
    text: (column, value) => (column === "sex" ? String(value).toLowerCase() : String(value)),
  },
};

/** Names of the tables. */
export const EXAMPLES = Object.keys(TABLES);

function cell(value, text) {
  if (value === null || value === undefined) return "";
  const written = text(value);
  return /[",\n]/.test(written) ? `"${written.replaceAll('"', '""')}"` : written;
}

/** The whole CSV text of a table. */
export function exampleCsv(name) {
  const { source, columns, text } = TABLES[name];
  const rows = JSON.parse(readFileSync(join(root, "node_modules", "vega-datasets", "data", source), "utf8"));
  const lines = rows.map((row) =>
    columns.map(([column, key]) => cell(row[key], (value) => text(column, value))).join(","),
  );
  return `${[columns.map(([column]) => column).join(","), ...lines].join("\n")}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const name of EXAMPLES) writeFileSync(join(root, "examples", "data", `${name}.csv`), exampleCsv(name));
