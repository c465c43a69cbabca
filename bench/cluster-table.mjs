// Writes a table of 21 columns as CSV, converts it to a data file, and trains 20-16-1 on it with two ranks. Prints the seconds of each and the
// peak memory (VmHWM) of every process against a limit, which none of them may pass however many rows there are: exits with 1 then. A
// developer runs it by hand after `npm run build` and `npx gaussflow build --mpi`; 20,000,000 rows take 7 GB of disk and some minutes.
//   node bench/cluster-table.mjs [--rows 20000000] [--ranks 2] [--iterations 3] [--folder DIR]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ranksCommand } from "../scripts/mpirun.mjs";
import { machineLine } from "./lib/machine.mjs";
import { parseOptions, positive } from "./lib/options.mjs";
import { uniform } from "./lib/problem.mjs";

const LIMIT = 350; // MB a process
const COLUMNS = 20;

const options = parseOptions(
  "usage: node bench/cluster-table.mjs [--rows N] [--ranks N] [--iterations N] [--folder DIR]",
  {
    rows: { type: "string" },
    ranks: { type: "string" },
    iterations: { type: "string" },
    folder: { type: "string" },
  },
);
const rows = positive(options.rows, "rows", 20_000_000);
const ranks = positive(options.ranks, "ranks", 2);
const iterations = positive(options.iterations, "iterations", 3);
const folder = mkdtempSync(join(options.folder ?? tmpdir(), "gaussflow-table-"));
const paths = Object.fromEntries(
  ["table.csv", "table.gfd", "model.json", "peaks"].map((name) => [name, join(folder, name)]),
);

/** Rows of uniform numbers with four decimals, of which no two are alike for a long time; the target is a smooth function of four of them. */
async function writeTable(path) {
  const noise = uniform(65_536).map((value) => Math.round(value * 1e4) / 1e4);
  const out = createWriteStream(path, { highWaterMark: 1 << 20 });
  out.write(`${Array.from({ length: COLUMNS }, (_, k) => `x${k}`).join(",")},y\n`);
  let text = "";
  for (let i = 0; i < rows; i++) {
    const row = Array.from({ length: COLUMNS }, (_, k) => noise[(i * 7 + k * 4099 + (i >> 12)) & 65_535]);
    const y = Math.sin(row[0] + row[1]) + row[2] * row[3];
    text += `${row.join(",")},${y.toFixed(4)}\n`;
    if (text.length < 1 << 20) continue;
    if (!out.write(text)) await once(out, "drain");
    text = "";
  }
  out.end(text);
  await once(out, "finish");
}

/** Runs a command of gaussflow, on ranks or alone (null): its seconds, and the peaks of its processes in MB. */
async function measured(ranks, command) {
  const cli = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
  const preload = new URL("./lib/peak-at-exit.mjs", import.meta.url).href;
  rmSync(paths.peaks, { force: true });
  const start = performance.now();
  const { program, args, env } = ranksCommand(ranks, ["--import", preload, cli, ...command]);
  const child = spawn(program, args, {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...env, GAUSSFLOW_PEAKS: paths.peaks },
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${command[0]} ended with ${code}`);
  const seconds = (performance.now() - start) / 1000;
  const peaks = readFileSync(paths.peaks, "utf8")
    .trim()
    .split("\n")
    .map((line) => Number(line.split(" ")[1]));
  return { seconds, peaks };
}

let above = false;
function report(what, { seconds, peaks }) {
  if (Math.max(...peaks) > LIMIT) above = true;
  const each = peaks.map((peak) => peak.toFixed(0)).join(" and ");
  console.log(`${what}: ${seconds.toFixed(1)} s, peak ${each} MB (limit ${LIMIT})`);
}

try {
  console.log(machineLine(1, null));
  await writeTable(paths["table.csv"]);
  const giga = (path) => `${(statSync(path).size / 1e9).toFixed(2)} GB`;
  console.log(`${rows} rows of ${COLUMNS + 1} numbers, ${giga(paths["table.csv"])} of text`);
  report("convert", await measured(null, ["convert", paths["table.csv"], paths["table.gfd"], "--target", "y"]));
  rmSync(paths["table.csv"]);
  console.log(`data file of ${giga(paths["table.gfd"])}`);
  const train = ["train", paths["table.gfd"], "--hidden", "16", "--iterations", String(iterations), "--threads", "1"];
  report(`train on ${ranks} ranks`, await measured(ranks, [...train, "--out", paths["model.json"]]));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (above) process.exitCode = 1;
