// Reads the sets with classes that bench/converge.mjs trains on: iris, wine, breast cancer and digits from the files of Debian's
// python3-sklearn, and the penguins of npm's vega-datasets (a devDependency). It also cuts them into training and test rows.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { Random } from "../../dist/index.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The file of each set in scikit-learn's data folder; a header line names the classes where `header` is true. */
const FILES = {
  iris: { file: "iris.csv", header: true },
  wine: { file: "wine_data.csv", header: true },
  "breast cancer": { file: "breast_cancer.csv", header: true },
  digits: { file: "digits.csv.gz", header: false },
};

/** The data folder of the scikit-learn that `python` finds. Throws where it has none. */
export function scikitFolder(python) {
  const find = "import importlib.util as u; s = u.find_spec('sklearn'); print(s.origin if s else '')";
  const { stdout, status } = spawnSync(python, ["-c", find], { encoding: "utf8" });
  const origin = status === 0 ? stdout.trim() : "";
  if (origin === "") throw new Error(`${python} finds no scikit-learn (Debian: python3-sklearn)`);
  return join(dirname(origin), "datasets", "data");
}

/** Rows of numbers, the label last. */
export function readScikit(folder, name) {
  const { file, header } = FILES[name];
  const path = join(folder, file);
  if (!existsSync(path)) throw new Error(`scikit-learn's data folder has no ${file}`);
  const bytes = readFileSync(path);
  const lines = (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString().trim().split("\n");
  const rows = (header ? lines.slice(1) : lines).map((line) => line.split(",").map(Number));
  return classSet(
    name,
    rows.map((row) => row.slice(0, -1)),
    rows.map((row) => row.at(-1)),
  );
}

/** Species by the measurements, island and sex. A missing number is the column's mean, a missing category no category. */
export function readPenguins() {
  const path = join(root, "node_modules", "vega-datasets", "data", "penguins.json");
  if (!existsSync(path)) throw new Error("vega-datasets is not installed: npm ci");
  const penguins = JSON.parse(readFileSync(path, "utf8"));
  const numbers = ["Beak Length (mm)", "Beak Depth (mm)", "Flipper Length (mm)", "Body Mass (g)"];
  const present = (key) => penguins.map((one) => one[key]).filter((value) => value !== null);
  const means = numbers.map((key) => present(key).reduce((sum, value) => sum + value, 0) / present(key).length);
  const categories = ["Island", "Sex"].flatMap((key) => [...new Set(present(key))].sort().map((value) => [key, value]));
  const species = [...new Set(present("Species"))].sort();
  return classSet(
    "penguins",
    penguins.map((one) => [
      ...numbers.map((key, k) => one[key] ?? means[k]),
      ...categories.map(([key, value]) => (one[key] === value ? 1 : 0)),
    ]),
    penguins.map((one) => species.indexOf(one.Species)),
  );
}

function classSet(name, inputs, labels) {
  const classes = Math.max(...labels) + 1;
  if (inputs.some((row) => row.length !== inputs[0].length || !row.every(Number.isFinite)))
    throw new Error(`${name}: rows of different length, or a value that is no number`);
  return { name, inputs, labels, classes };
}

/** Training and test rows of a set, of each class the same share, inputs standardized by the training rows. */
export function splitClasses({ inputs, labels, classes }, share, seed) {
  const random = new Random(seed, 7);
  const parts = { fit: [], test: [] };
  for (let one = 0; one < classes; one++) {
    const rows = labels.flatMap((label, row) => (label === one ? [row] : []));
    for (let i = rows.length - 1; i > 0; i--) {
      const other = Math.floor(random.uniform() * (i + 1));
      [rows[i], rows[other]] = [rows[other], rows[i]];
    }
    const held = Math.round(share * rows.length);
    parts.test.push(...rows.slice(0, held));
    parts.fit.push(...rows.slice(held));
  }
  const d = inputs[0].length;
  const scale = Array.from({ length: d }, (_, k) => momentsOf(parts.fit.map((row) => inputs[row][k])));
  const part = (rows) => ({
    inputs: rows.map((row) => inputs[row].map((value, k) => (value - scale[k].mean) / scale[k].deviation)),
    labels: rows.map((row) => labels[row]),
  });
  return { fit: part(parts.fit), test: part(parts.test) };
}

/** Mean and standard deviation; the deviation of a constant column is 1. */
function momentsOf(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: square > 1e-20 * mean * mean && square > 0 ? Math.sqrt(square) : 1 };
}

/** One column a class: 1 at the label. */
export function oneHot(labels, classes) {
  return labels.map((label) => Array.from({ length: classes }, (_, k) => (k === label ? 1 : 0)));
}
