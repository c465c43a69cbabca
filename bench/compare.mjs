// Runs the cases of `npm run bench` in this checkout and in another built one, in turn, and prints for each case whether this checkout is
// slower. A developer runs it by hand; cases that only one of the two checkouts has are skipped. The baselines of the cases do not run: a
// pair is one run of each checkout, in two processes that wait for each other. Each round has new processes, because the layout of a
// process's memory shifts its times by more than its runs differ. A case's figure is seconds, or the ratio to a baseline where the case
// does its own runs. Verdict: "as before" where the medians of all pairs differ by less than 3% or than half the distance of the quartiles,
// whichever is larger; else "faster" or "SLOWER". The exit code is 1 where a case is slower or fails.
//   node bench/compare.mjs --old FOLDER [--only NAME --runs N --rounds N --threads N --json]
import { execFileSync, fork } from "node:child_process";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultThreads, parseOptions, positive } from "./lib/options.mjs";
import { median, scatter } from "./lib/statistics.mjs";

const usage = `usage: node bench/compare.mjs --old FOLDER [options]
  --old FOLDER    a built checkout to compare with
  --only NAME     one case, or all whose name begins with NAME
  --runs N        pairs of runs in a round (default 5)
  --rounds N      rounds, each with new processes (default 3)
  --threads N     default GAUSSFLOW_THREADS, else 2
  --json          one JSON object a line`;

const here = fileURLToPath(new URL("..", import.meta.url));
const child = fileURLToPath(new URL("lib/alone/case.mjs", import.meta.url));
const LEAST_DIFFERENCE = 0.03;

/** A process with a case of a checkout; `run` answers with the figure of one run. */
class CaseProcess {
  #process;

  constructor(folder, name, threads) {
    this.#process = fork(child, [folder, name, `${threads}`], {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
  }

  #answer() {
    return new Promise((done, fail) => {
      const ended = (code, signal) => fail(new Error(`the case's process ended (${signal ?? code})`));
      this.#process.once("exit", ended);
      this.#process.once("message", (message) => {
        this.#process.off("exit", ended);
        done(message);
      });
    });
  }

  ready() {
    return this.#answer();
  }

  async run() {
    const answer = this.#answer();
    this.#process.send("run");
    return (await answer).figure;
  }

  end() {
    if (this.#process.connected) this.#process.send("end");
    this.#process.kill();
  }
}

/** Figures of one round, pair by pair; the order alternates. */
async function round(name, folders, { runs, threads }, first) {
  const processes = {};
  const figures = { old: [], new: [] };
  try {
    for (const side of ["old", "new"]) {
      processes[side] = new CaseProcess(folders[side], name, threads);
      await processes[side].ready();
    }
    for (let run = 0; run < runs; run++) {
      for (const side of (first + run) % 2 === 0 ? ["old", "new"] : ["new", "old"])
        figures[side].push(await processes[side].run());
    }
    return figures;
  } finally {
    for (const each of Object.values(processes)) each.end();
  }
}

async function compare(name, folders, settings) {
  const figures = { old: [], new: [] };
  for (let k = 0; k < settings.rounds; k++) {
    const { old, new: now } = await round(name, folders, settings, k);
    figures.old.push(...old);
    figures.new.push(...now);
  }
  const [before, now] = [median(figures.old), median(figures.new)];
  const allowed = Math.max(LEAST_DIFFERENCE, scatter(figures.old), scatter(figures.new));
  const change = now / before;
  const verdict = change > 1 + allowed ? "SLOWER" : change < 1 - allowed ? "faster" : "as before";
  return { name, old: before, new: now, change, allowed, verdict, pairs: figures.old.length };
}

/** Names of the cases of a checkout. */
function casesOf(folder) {
  const names = execFileSync(process.execPath, [join(folder, "bench", "run.mjs"), "--list"], { encoding: "utf8" });
  return names.trim().split("\n");
}

const options = parseOptions(usage, {
  old: { type: "string" },
  only: { type: "string" },
  runs: { type: "string" },
  rounds: { type: "string" },
  threads: { type: "string" },
  json: { type: "boolean" },
});
if (options.old === undefined) {
  console.error(usage);
  process.exit(2);
}
const folders = { old: resolve(options.old), new: here };
const settings = {
  runs: positive(options.runs, "runs", 5),
  rounds: positive(options.rounds, "rounds", 3),
  threads: positive(options.threads, "threads", defaultThreads()),
};
// A case that the other checkout does not have yet has nothing to be compared with.
const known = new Set(casesOf(folders.old));
const only = options.only ?? "";
const names = casesOf(here).filter((name) => name.startsWith(only) && known.has(name));
if (names.length === 0) {
  console.error(`no case of both checkouts begins with ${only}`);
  process.exit(2);
}
const show = (cells) => console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(30) : cell.padStart(11))).join(" "));
if (!options.json) show(["case", "old", "new", "new / old", "allowed", "pairs", "verdict"]);
for (const name of names) {
  try {
    const result = await compare(name, folders, settings);
    if (result.verdict === "SLOWER") process.exitCode = 1;
    if (options.json) console.log(JSON.stringify(result));
    else
      show([
        name,
        ...[result.old, result.new].map((value) => value.toPrecision(3)),
        result.change.toFixed(3),
        `${(100 * result.allowed).toFixed(1)}%`,
        `${result.pairs}`,
        result.verdict,
      ]);
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    process.exitCode = 1;
  }
}
