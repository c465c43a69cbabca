// Runs the kernel benchmarks of docs/benchmarks.md: each case of bench/cases in a process of its own, so that its peak memory is its own
// and a crash costs one row. A developer runs it by hand as `npm run bench [-- --only NAME --json --quick --runs N --threads N --list]`,
// and bench/compare.mjs with --list. gaussflow and the baseline alternate inside a case (lib/interleave.mjs). Prints figures, asserts none.
// The two lists below, of case files and of case names, must match what the files export.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { startBaseline } from "./lib/baseline.mjs";
import { machineLine } from "./lib/machine.mjs";
import { defaultThreads, parseOptions, positive } from "./lib/options.mjs";
import { describeResult, header, jsonResult } from "./lib/table.mjs";

const usage = `usage: npm run bench -- [options]
  --only NAME   run one case (or all whose name begins with NAME)
  --json        one JSON object a line: name, ours, baseline, baselineName, ratio = ours / baseline, threads, runs
  --runs N      counted runs of a case, at least (default 7)
  --threads N   threads of ours and of the baseline (default GAUSSFLOW_THREADS, else 2)
  --quick       3 runs and a small CSV: to see that the benches work, not to quote
  --list        names only`;

const files = ["gram", "cholesky", "products", "reference", "sweep", "flow", "many", "csv"];
const names = [
  "primal-gram-8-32-32-1",
  "primal-gram-f32-8-32-32-1",
  "primal-gram-12-64-64-2",
  "kernel-8-256-256-1",
  "kernel-8-1024-1024-1",
  "cholesky-1377",
  "cholesky-3000",
  "products-64-512-512-8",
  "hessian-64-16-10-softmax",
  "hessian-64-512-512-8",
  "native-vs-reference-8-32-32-1",
  "native-vs-reference-training",
  "native-vs-reference-sweep",
  "orthogonal-8-32-32-1",
  "flow-8-32-32-1",
  "train-many",
  "csv-200k",
  "csv-read",
];

/** In the child: find the case, run it, send the result to the parent. */
async function runCase(name, settings) {
  let baseline = null;
  for (const file of files) {
    const cases = Object.values(await import(`./cases/${file}.mjs`)).flat();
    const found = cases.find((entry) => entry.name === name);
    if (!found) continue;
    if (found.needsBaseline !== false && file !== "reference") baseline = startBaseline();
    try {
      return await found.run({ ...settings, baseline });
    } finally {
      baseline?.close();
    }
  }
  throw new Error(`no case is named ${name}`);
}

/** In the parent: one case in a process of its own. */
function runApart(name, settings) {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [], {
      env: { ...process.env, GAUSSFLOW_BENCH_CASE: JSON.stringify({ name, settings }) },
    });
    let answer = null;
    child.on("message", (message) => {
      answer = message;
    });
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      if (answer?.result) resolve(answer.result);
      else reject(new Error(answer?.error ?? `the case's process ended (${signal ?? code})`));
    });
  });
}

async function main() {
  const options = parseOptions(usage, {
    only: { type: "string" },
    json: { type: "boolean" },
    quick: { type: "boolean" },
    list: { type: "boolean" },
    runs: { type: "string" },
    threads: { type: "string" },
  });
  if (options.list) return console.log(names.join("\n"));
  const only = options.only;
  const exact = names.filter((name) => name === only);
  const chosen = only === undefined ? names : exact.length > 0 ? exact : names.filter((name) => name.startsWith(only));
  if (chosen.length === 0) {
    console.error(`no case is named ${only}; there are:\n  ${names.join("\n  ")}`);
    process.exit(2);
  }
  const quick = options.quick ?? false;
  const threads = positive(options.threads, "threads", defaultThreads());
  const settings = { threads, quick, runsAtLeast: positive(options.runs, "runs", quick ? 3 : 7) };

  const baseline = startBaseline();
  const blas = await baseline.ask("config").catch((error) => {
    console.error(String(error.message));
    return null;
  });
  baseline.close();
  (options.json ? console.error : console.log)(machineLine(threads, blas));
  if (!options.json) console.log(`\n${header()}`);
  for (const name of chosen) {
    try {
      const result = await runApart(name, settings);
      if (options.json) console.log(JSON.stringify(jsonResult(name, result, threads, quick)));
      else console.log(describeResult(name, result));
    } catch (error) {
      console.error(`${name}: ${error.message}`);
      process.exitCode = 1;
    }
  }
}

if (process.env.GAUSSFLOW_BENCH_CASE && process.send) {
  const { name, settings } = JSON.parse(process.env.GAUSSFLOW_BENCH_CASE);
  process.env.GAUSSFLOW_BENCH_CASE = "";
  const message = await runCase(name, settings).then(
    (result) => ({ result }),
    (error) => ({ error: error.stack ?? String(error) }),
  );
  process.send(message, () => process.exit(message.error ? 1 : 0));
} else {
  await main();
}
