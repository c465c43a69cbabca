// node bench/compare.mjs --old FOLDER [--only NAME --runs N --case-runs N --threads N --json]
//
// Runs the cases of `npm run bench` in this checkout and in another built one, in turn, and says by case whether this one is slower. A
// case's figure is its ratio to the baseline of its own run where it has a baseline, else its seconds. Verdict: "as before" where the
// medians differ by less than 3% or than half the distance of the quartiles, whichever is larger; else "faster" or "SLOWER". The exit
// code is 1 where a case is slower or fails.
import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultThreads, parseOptions, positive } from "./lib/options.mjs";
import { median, scatter } from "./lib/statistics.mjs";

const usage = `usage: node bench/compare.mjs --old FOLDER [options]
  --old FOLDER    a built checkout to compare with
  --only NAME     one case, or all whose name begins with NAME
  --runs N        runs of each checkout (default 10)
  --case-runs N   counted repetitions within a run (default 7)
  --threads N     default GAUSSFLOW_THREADS, else 2
  --json          one JSON object a line`;

const here = fileURLToPath(new URL("..", import.meta.url));
const LEAST_DIFFERENCE = 0.03;

/** Lines that `bench/run.mjs` of a checkout prints; rejects where it fails. */
function bench(folder, args) {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [join(folder, "bench", "run.mjs"), ...args], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [out, errors] = [[], []];
    child.stdout.on("data", (chunk) => out.push(chunk));
    child.stderr.on("data", (chunk) => errors.push(chunk));
    child.on("error", fail);
    child.on("close", (code) => {
      if (code !== 0) return fail(new Error(`${folder}: bench/run.mjs ended with ${code}: ${Buffer.concat(errors)}`));
      done(Buffer.concat(out).toString().trim().split("\n"));
    });
  });
}

/** The figure of a case, lower is better. */
async function measure(folder, name, { caseRuns, threads }) {
  const [line] = await bench(folder, ["--only", name, "--json", "--runs", `${caseRuns}`, "--threads", `${threads}`]);
  const { ratio, ours } = JSON.parse(line);
  return { figure: ratio ?? ours, ours };
}

/** Runs of both checkouts in turn; the order turns round every time. */
async function compare(name, old, settings) {
  const runs = { old: [], new: [] };
  for (let run = 0; run < settings.runs; run++) {
    for (const side of run % 2 === 0 ? ["old", "new"] : ["new", "old"])
      runs[side].push(await measure(side === "old" ? old : here, name, settings));
  }
  const of = (side, key) => runs[side].map((entry) => entry[key]);
  const [before, now] = [median(of("old", "figure")), median(of("new", "figure"))];
  const allowed = Math.max(LEAST_DIFFERENCE, scatter(of("old", "figure")), scatter(of("new", "figure")));
  const change = now / before;
  const verdict = change > 1 + allowed ? "SLOWER" : change < 1 - allowed ? "faster" : "as before";
  const seconds = { old: median(of("old", "ours")), new: median(of("new", "ours")) };
  return { name, old: before, new: now, change, allowed, seconds, verdict, runs: settings.runs };
}

const options = parseOptions(usage, {
  old: { type: "string" },
  only: { type: "string" },
  runs: { type: "string" },
  "case-runs": { type: "string" },
  threads: { type: "string" },
  json: { type: "boolean" },
});
if (options.old === undefined) {
  console.error(usage);
  process.exit(2);
}
const old = resolve(options.old);
const settings = {
  runs: positive(options.runs, "runs", 10),
  caseRuns: positive(options["case-runs"], "case-runs", 7),
  threads: positive(options.threads, "threads", defaultThreads()),
};
// A case that the other checkout does not have yet has nothing to be compared with.
const known = new Set(await bench(old, ["--list"]));
const only = options.only ?? "";
const names = (await bench(here, ["--list"])).filter((name) => name.startsWith(only) && known.has(name));
if (names.length === 0) {
  console.error(`no case of both checkouts begins with ${only}`);
  process.exit(2);
}
const show = (cells) => console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(30) : cell.padStart(11))).join(" "));
if (!options.json) show(["case", "old", "new", "new / old", "allowed", "old s", "new s", "verdict"]);
for (const name of names) {
  try {
    const result = await compare(name, old, settings);
    if (result.verdict === "SLOWER") process.exitCode = 1;
    if (options.json) console.log(JSON.stringify(result));
    else
      show([
        name,
        ...[result.old, result.new].map((value) => value.toPrecision(3)),
        result.change.toFixed(3),
        `${(100 * result.allowed).toFixed(1)}%`,
        ...[result.seconds.old, result.seconds.new].map((value) => value.toPrecision(3)),
        result.verdict,
      ]);
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    process.exitCode = 1;
  }
}
