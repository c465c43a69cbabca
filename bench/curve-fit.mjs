// Compares `curveFit` with ml-levenberg-marquardt and SciPy's curve_fit on ten common models (lib/curve-models.mjs), each warm, in the same run: median
// seconds of one fit, and ratios. A developer runs it by hand after `npm run build`; peers that are missing are installed as bench/peers/run.mjs does.
//   node bench/curve-fit.mjs [--points 50,500,10000] [--seconds 0.2] [--no-install] [--markdown]
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { curveFit } from "../dist/index.js";
import { curve, models } from "./lib/curve-models.mjs";
import { machineLine } from "./lib/machine.mjs";
import { parseOptions } from "./lib/options.mjs";
import { PYTHON, prepare } from "./peers/lib/install.mjs";
import { importPeer, peerVersion } from "./peers/programs/peer.mjs";

const usage = `usage: node bench/curve-fit.mjs [options]
  --points LIST    numbers of points, separated by commas (default 50,500,10000)
  --seconds S      time for the fits of each program on each curve (default 0.2)
  --no-install     use the peers that are there
  --markdown       the table as docs/benchmarks.md has it`;
const options = parseOptions(usage, {
  points: { type: "string" },
  seconds: { type: "string" },
  "no-install": { type: "boolean" },
  markdown: { type: "boolean" },
});
const sizes = (options.points ?? "50,500,10000").split(",").map(Number);
const seconds = Number(options.seconds ?? 0.2);

const wanted = [
  { id: "ml", title: "ml-levenberg-marquardt", node: "", npm: ["ml-levenberg-marquardt@5.1.0"] },
  { id: "scipy", title: "SciPy", python: "curve_fit_scipy.py", modules: ["scipy.optimize"], apt: ["python3-scipy"] },
];
const { missing } = prepare(wanted, !options["no-install"]);
for (const { title, why } of missing) console.error(`${title} is missing: ${why}`);
const has = (id) => !missing.some((one) => one.id === id);

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const squares = ({ f }, { x, y }, b) => x.reduce((sum, t, i) => sum + (f(t, b) - y[i]) ** 2, 0);

/** Median seconds of a warm fit, and the estimates of the last. */
async function timed(once) {
  let estimates;
  for (let k = 0; k < 20; k++) estimates = await once();
  const times = [];
  const end = performance.now() + 1000 * seconds;
  while (performance.now() < end || times.length < 3) {
    const began = performance.now();
    estimates = await once();
    times.push((performance.now() - began) / 1000);
  }
  return { seconds: median(times), estimates };
}

const cases = sizes.flatMap((n) => models.map((model, k) => ({ model, n, data: curve(model, n, k + 1) })));

function scipy() {
  const script = fileURLToPath(new URL("./peers/curve_fit_scipy.py", import.meta.url));
  const input = cases.map(({ model, data }) => ({ ...data, model: model.numpy, start: model.start, seconds }));
  const child = spawnSync(PYTHON, [script], { input: JSON.stringify(input), encoding: "utf8", maxBuffer: 1 << 28 });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout);
}

const peer = has("ml") ? await importPeer("ml-levenberg-marquardt") : null;
const others = has("scipy") ? scipy() : null;
const rows = [];
for (const [k, { model, n, data }] of cases.entries()) {
  const { x, y } = { x: Float64Array.from(data.x), y: Float64Array.from(data.y) };
  const ours = (form) => timed(async () => (await curveFit(form, x, y, { start: model.start })).estimates);
  const [asFunction, asText] = [await ours(model.f), await ours(model.text)];
  const ml =
    peer === null
      ? null
      : await timed(() => {
          const f = (b) => (t) => model.f(t, b);
          return peer.levenbergMarquardt(data, f, { initialValues: model.start }).parameterValues;
        });
  const least = squares(model, data, asFunction.estimates);
  const excess = (b) => squares(model, data, b) / least - 1;
  rows.push({ model: model.name, n, asFunction, asText, ml, scipy: others?.answers[k] ?? null, excess });
}

const micro = (one) => (one === null ? "-" : `${(1e6 * one.seconds).toFixed(0)}`);
const ratio = (a, b) => (a === null ? "-" : (a.seconds / b.seconds).toFixed(1));
const header = [
  "model",
  "points",
  "function us",
  "text us",
  "ml-lm us",
  "SciPy us",
  "ml-lm / function",
  "ml-lm / text",
  "function / SciPy",
  "text / SciPy",
  "excess of ml-lm's sum",
];
const cells = rows.map((row) => [
  row.model,
  String(row.n),
  micro(row.asFunction),
  micro(row.asText),
  micro(row.ml),
  micro(row.scipy),
  ratio(row.ml, row.asFunction),
  ratio(row.ml, row.asText),
  row.scipy === null ? "-" : ratio(row.asFunction, row.scipy),
  row.scipy === null ? "-" : ratio(row.asText, row.scipy),
  row.ml === null ? "-" : row.excess(row.ml.estimates).toExponential(1),
]);
console.log(machineLine());
console.log(
  [peer && peerVersion("ml-levenberg-marquardt"), others?.version, `Node ${process.version}`]
    .filter(Boolean)
    .join(", "),
);
if (options.markdown) {
  console.log(`| ${header.join(" | ")} |\n|${header.map(() => "---").join("|")}|`);
  for (const line of cells) console.log(`| ${line.join(" | ")} |`);
} else {
  const widths = header.map((text, j) => Math.max(text.length, ...cells.map((line) => line[j].length)));
  for (const line of [header, ...cells]) console.log(line.map((text, j) => text.padStart(widths[j])).join("  "));
}
const column = (of) => rows.map(of).filter((value) => value !== null);
const summary = (name, values) =>
  values.length > 0 &&
  console.log(
    `${name}: median ${median(values).toFixed(2)}, least ${Math.min(...values).toFixed(2)}, most ${Math.max(...values).toFixed(2)}`,
  );
summary(
  "ml-lm / function",
  column(({ ml, asFunction }) => ml && ml.seconds / asFunction.seconds),
);
summary(
  "ml-lm / text",
  column(({ ml, asText }) => ml && ml.seconds / asText.seconds),
);
summary(
  "function / SciPy",
  column(({ scipy: one, asFunction }) => one && asFunction.seconds / one.seconds),
);
summary(
  "text / SciPy",
  column(({ scipy: one, asText }) => one && asText.seconds / one.seconds),
);
for (const { model, n, scipy: one, excess } of rows)
  if (one !== null && Math.abs(excess(one.estimates)) > 1e-6)
    console.log(`${model}, ${n}: the sums of curveFit and SciPy differ by ${excess(one.estimates).toExponential(1)}`);
