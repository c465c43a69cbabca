// Measures what ranks gain for many jobs: 64 restarts of 6-16-1 by trainMany on two ranks of one thread against one rank of one thread, in turns.
// The processes start and warm up before the clock does, because ranks do not change what V8 takes to compile. The ranking and the bits must be the same.
// A developer runs it by hand after `npm run build` and `npx gaussflow build --mpi`:
//   node bench/cluster-jobs.mjs [--ranks N --starts N --rounds N]
import { createHash } from "node:crypto";
import { dataset, mpi, network, restarts, trainMany } from "../dist/index.js";

import { parseOptions, positive } from "./lib/options.mjs";
import { uniform } from "./lib/problem.mjs";
import { answerOfRanks } from "./lib/ranks.mjs";
import { median } from "./lib/statistics.mjs";

const usage = `usage: node bench/cluster-jobs.mjs [options]
  --ranks N     ranks that are compared with one (default 2)
  --starts N    restarts (default 64)
  --rounds N    rounds; medians are printed (default 5)`;
const string = { type: "string" };
const given = parseOptions(usage, { ranks: string, starts: string, rounds: string, process: { type: "boolean" } });
const [ranks, starts, rounds] = [
  positive(given.ranks, "ranks", 2),
  positive(given.starts, "starts", 64),
  positive(given.rounds, "rounds", 5),
];

const ROWS = 1000;

/** 1,000 rows of six inputs, of which five matter (Friedman #1), with noise. */
function friedman() {
  const draw = uniform(ROWS * 7);
  const rows = Array.from({ length: ROWS }, (_, i) => Array.from(draw.subarray(7 * i, 7 * i + 7)));
  const value = ([a, b, c, d, e]) => 10 * Math.sin(Math.PI * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e;
  return dataset({ inputs: rows.map((row) => row.slice(0, 6)), targets: rows.map((row) => value(row) + row[6]) });
}

/** What each rank runs. */
async function measured() {
  const cluster = await mpi();
  const job = { network: network({ layers: [6, 16, 1], seed: 1 }), data: friedman() };
  const options = { cluster, threads: 1 };
  await trainMany(restarts(job, 32 * cluster.size), options);
  await cluster.barrier();
  const start = performance.now();
  const { results, ranked } = await trainMany(restarts(job, starts), options);
  await cluster.barrier();
  const seconds = (performance.now() - start) / 1000;
  const hash = createHash("sha256").update(JSON.stringify(ranked.map(({ index }) => index)));
  for (const { result } of results) hash.update(result.network.parameters);
  if (cluster.rank === 0) console.log(JSON.stringify({ seconds, digest: hash.digest("hex") }));
}

const round = (count) => answerOfRanks(count, import.meta.url, ["--process", "--starts", String(starts)]);

if (given.process) await measured();
else {
  const one = [];
  const several = [];
  for (let k = 0; k < rounds; k++) {
    one.push(round(1));
    several.push(round(ranks));
  }
  const [alone, shared] = [one, several].map((list) => median(list.map(({ seconds }) => seconds)));
  const same = new Set([...one, ...several].map(({ digest }) => digest)).size === 1;
  const figures = `${alone.toFixed(2)} s on one rank, ${shared.toFixed(2)} s on ${ranks}`;
  console.log(
    `${starts} restarts of 6-16-1, one thread a rank: ${figures}: ${(alone / shared).toFixed(2)} times as fast`,
  );
  console.log(`ranking and bits: ${same ? "the same" : "DIFFERENT"}`);
  if (!same) process.exitCode = 1;
}
