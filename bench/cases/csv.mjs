// Two cases on CSV files of 200,000 rows. csv-200k reads one, trains 8-48-48-1 for ten Levenberg-Marquardt iterations, and reports the
// seconds and the peak memory of the process against a limit; csv-read times readCsv against numpy.loadtxt on the same file. bench/run.mjs
// (`npm run bench`) and bench/compare.mjs run them by name.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { network, readCsv, train } from "../../dist/index.js";
import { peakMegabytes } from "../lib/memory.mjs";
import { uniform } from "../lib/problem.mjs";

const inputs = 8;

/** Seconds of numpy.loadtxt alone, or null without a Python that has numpy. GAUSSFLOW_PYTHON names one. */
function loadtxtSeconds(path) {
  const program =
    "import sys, time, numpy; t = time.perf_counter(); numpy.loadtxt(sys.argv[1], delimiter=',', skiprows=1); print(time.perf_counter() - t)";
  const python = process.env.GAUSSFLOW_PYTHON ?? "/usr/bin/python3";
  const { status, stdout } = spawnSync(python, ["-c", program, path], { encoding: "utf8" });
  return status === 0 ? Number(stdout) : null;
}

/** The median of some numbers. */
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const readCase = {
  name: "csv-read",
  needsBaseline: false,
  async run({ runsAtLeast: runs, quick }) {
    const [rows, columns] = [quick ? 20_000 : 200_000, 20];
    const folder = mkdtempSync(join(tmpdir(), "gaussflow-bench-"));
    try {
      const path = join(folder, "table.csv");
      const stream = createWriteStream(path);
      stream.write(`${Array.from({ length: columns }, (_, k) => `x${k}`).join(",")}\n`);
      for (let i = 0; i < rows; i++) {
        const line = `${Array.from(uniform(columns, i + 1), (value) => value.toFixed(6)).join(",")}\n`;
        if (!stream.write(line)) await once(stream, "drain");
      }
      stream.end();
      await once(stream, "close");
      const [ours, theirs] = [[], []];
      for (let run = 0; run < runs; run++) {
        const start = performance.now();
        await readCsv(path, { target: "x0" });
        ours.push((performance.now() - start) / 1000);
        const seconds = loadtxtSeconds(path);
        if (seconds !== null) theirs.push(seconds);
      }
      const baseline = theirs.length === runs ? median(theirs) : null;
      const ratio = baseline === null ? "no Python with numpy found" : `${(median(ours) / baseline).toFixed(2)} times`;
      return {
        ours: median(ours),
        baseline,
        baselineName: baseline === null ? null : "numpy.loadtxt",
        runs,
        peakMegabytes: peakMegabytes(),
        limitMegabytes: 400,
        notes: [
          `${rows} rows of ${columns} numbers, ${(statSync(path).size / 1e6).toFixed(1)} MB; numpy.loadtxt: ${ratio}`,
        ],
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Writes the table row by row: generating it must not use the memory that is measured. */
async function writeTable(path, rows) {
  const stream = createWriteStream(path);
  const names = Array.from({ length: inputs }, (_, k) => `x${k + 1}`);
  stream.write(`${[...names, "y"].join(",")}\n`);
  for (let i = 0; i < rows; i++) {
    const x = uniform(inputs + 1, i + 1);
    const y = Math.sin(Math.PI * x[0] * x[1]) + 2 * (x[2] - 0.5) ** 2 + x[3] + 0.5 * x[4] + 0.1 * x[8];
    const line = `${Array.from(x.subarray(0, inputs), (value) => value.toFixed(6)).join(",")},${y.toFixed(6)}\n`;
    if (!stream.write(line)) await once(stream, "drain");
  }
  stream.end();
  await once(stream, "close");
}

const csvCase = {
  name: "csv-200k",
  needsBaseline: false,
  async run({ threads, quick }) {
    const [rows, iterations] = quick ? [20_000, 2] : [200_000, 10];
    const folder = mkdtempSync(join(tmpdir(), "gaussflow-bench-"));
    try {
      const path = join(folder, "table.csv");
      await writeTable(path, rows);
      const peakBefore = peakMegabytes();
      const start = performance.now();
      const table = await readCsv(path, { target: "y" });
      const readSeconds = (performance.now() - start) / 1000;
      const net = network({ layers: [inputs, 48, 48, 1], activation: "tanh", seed: 1 });
      const result = await train(net, table, { threads, seed: 1, stop: { iterations } });
      const seconds = (performance.now() - start) / 1000;
      return {
        ours: seconds,
        baseline: null,
        baselineName: null,
        runs: 1,
        peakMegabytes: peakMegabytes(),
        limitMegabytes: 400,
        notes: [
          `${rows} rows, ${(statSync(path).size / 1e6).toFixed(1)} MB of CSV read in ${readSeconds.toFixed(2)} s; ` +
            `${result.iterations} iterations, route ${result.plan.route}, reason ${result.reason.code}`,
          `MSE in trained units ${result.records.at(-1).loss.toExponential(3)}; ` +
            `peak after writing the table, before reading: ${peakBefore?.toFixed(0)} MB`,
        ],
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

export const csvCases = [csvCase, readCase];
