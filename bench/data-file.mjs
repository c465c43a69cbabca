// Writes a data file of 21 columns, trains on it by the primal route, and prints the file's size, the peak memory of the process (VmHWM)
// and the planned one. A developer runs it by hand after `npm run build`: node bench/data-file.mjs [rows].
import { rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { network, openDataFile, train, writeDataFile } from "../dist/index.js";
import { peakMegabytes } from "./lib/memory.mjs";
import { uniform } from "./lib/problem.mjs";

const rows = Number(process.argv[2] ?? 2_000_000);
const path = join(tmpdir(), `gaussflow-${process.pid}.gfd`);
const names = Array.from({ length: 20 }, (_, k) => `x${k}`);
const noise = uniform(65_536);
const row = new Float64Array(21);
function* samples() {
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < 20; k++) row[k] = noise[(i * 7 + k * 4099 + (i >> 12)) & 65_535];
    row[20] = Math.sin(row[0] + row[1]) + row[2] * row[3];
    yield row;
  }
}
try {
  await writeDataFile(path, { featureNames: names, targetNames: ["y"] }, samples());
  const limit = statSync(path).size / 2;
  const { plan, seconds, loss } = await train(network({ layers: [20, 6, 1], seed: 1 }), openDataFile(path), {
    route: "primal",
    memoryLimit: limit,
    stop: { iterations: 2 },
  });
  const mega = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
  console.log(
    `${rows} rows, file ${mega(2 * limit)}, memory limit ${mega(limit)}, planned ${mega(plan.bytes)}, peak ${peakMegabytes().toFixed(0)} MB, 2 iterations in ${seconds.toFixed(1)} s, loss ${loss.toFixed(4)}`,
  );
} finally {
  rmSync(path, { force: true });
}
