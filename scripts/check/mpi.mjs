// npm run check:mpi [-- --kills N --seed N --rows N]: what is too long for CI.
//   - Trainings and flows have the same bits on 1, 2, 3 and 4 ranks.
//   - A training that is killed again and again, a rank by SIGKILL or mpirun by SIGTERM, ends within 10 s each time, loses no checkpoint, and goes on
//     with other numbers of ranks to the bits of a run that nobody killed.
//   - Two ranks train on a data file of 20,000,000 rows of 21 numbers (3.4 GB in the folder of temporary files) within 350 MB each.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { root } from "../native/paths.mjs";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "20" },
    seed: { type: "string" },
    rows: { type: "string", default: "20000000" },
  },
});
const seed = Number(values.seed ?? Date.now() % 1e9);
const library = join(root, "dist", "index.js");
const main = join(root, "dist", "cli", "main.js");
const folder = mkdtempSync(join(tmpdir(), "gaussflow-check-mpi-"));
const env = {
  ...process.env,
  OMPI_ALLOW_RUN_AS_ROOT: "1",
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1",
  OMPI_MCA_rmaps_base_oversubscribe: "1",
  PRTE_MCA_rmaps_base_oversubscribe: "1",
  OMPI_MCA_mpi_yield_when_idle: "1",
  OMPI_MCA_btl_vader_single_copy_mechanism: "none",
};
/** Seconds within which a job must have ended. */
const LONGEST_END = 10;
/** Bytes that a rank may take at its peak with a data file. */
const MOST_BYTES = 350e6;

const problems = [];
function check(holds, what) {
  console.log(`${holds ? "ok  " : "FAIL"} ${what}`);
  if (!holds) problems.push(what);
}

/** The command and its words on so many ranks; 1 is a process without mpirun. */
function onRanks(ranks, args) {
  return ranks === 1
    ? [process.execPath, args]
    : ["mpirun", ["--bind-to", "none", "-np", String(ranks), process.execPath, ...args]];
}

function run(ranks, args) {
  const [command, words] = onRanks(ranks, args);
  const child = spawnSync(command, words, { encoding: "utf8", env });
  if (child.status !== 0) throw new Error(`${command} ${words.join(" ")}: ${child.stderr}`);
  return child.stdout;
}

function sameBits() {
  const scene = join(root, "test", "cluster", "scenes", "runs.mjs");
  const lines = (ranks) =>
    run(ranks, [scene, library, folder])
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  const alone = lines(1);
  for (const ranks of [2, 3, 4])
    for (const [k, line] of lines(ranks).entries()) {
      const { parts, written } = alone[k];
      const same = line.parts === parts && line.written === written && line.alike && line.ranks === ranks;
      check(same, `${line.name}: ${ranks} ranks have the bits of one process`);
    }
}

/** Numbers from 0 to 1 of a seed (mulberry32). */
function randomOf(start) {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Processes that a process has started. */
function childrenOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function lives(pid) {
  try {
    // A process that waits to be collected has ended.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

const table = join(folder, "rows.gfd");
const checkpoint = join(folder, "run.json");
const training = (out, ...more) => [
  ...[main, "train", table, "--hidden", "16,16", "--decay", "0", "--route", "primal", "--threads", "1", "--quiet"],
  ...["--patience", "1000000", "--out", join(folder, out), ...more],
];
const iterationOf = (path) => JSON.parse(readFileSync(path, "utf8")).body.iteration;
const parametersOf = (name) => JSON.parse(readFileSync(join(folder, name), "utf8")).body.parameters;

/** Starts the training where its checkpoint is, and kills it at a random moment. */
async function killOnce(number, random) {
  const ranks = [2, 3, 4][Math.floor(3 * random())];
  const resumed = existsSync(checkpoint) ? ["--resume", checkpoint] : ["--slots", "4"];
  const args = training("killed.json", "--iterations", "10000000", "--checkpoint", checkpoint, ...resumed);
  const child = spawn(...onRanks(ranks, args), { env, stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await pause(200 + 2500 * random());
  const processes = childrenOf(child.pid);
  const victim = random() < 0.5 ? Math.floor(ranks * random()) : null;
  const since = performance.now();
  if (victim === null) child.kill("SIGTERM");
  else if (processes[victim] !== undefined) process.kill(processes[victim], "SIGKILL");
  else child.kill("SIGTERM");
  const late = await Promise.race([ended.then(() => false), pause(1000 * LONGEST_END, true, { ref: false })]);
  while (!late && processes.some(lives) && performance.now() - since < 1000 * LONGEST_END) await pause(20);
  const left = processes.filter(lives);
  const seconds = (performance.now() - since) / 1000;
  const what = victim === null ? "SIGTERM to mpirun" : `SIGKILL to rank ${victim}`;
  const at = existsSync(checkpoint) ? `iteration ${iterationOf(checkpoint)} is kept` : "before the first checkpoint";
  check(!late && left.length === 0, `kill ${number}: ${what} of ${ranks}: ended after ${seconds.toFixed(1)} s, ${at}`);
  if (late) child.kill("SIGKILL");
  for (const pid of left) process.kill(pid, "SIGKILL");
}

async function kills(count) {
  console.log(`seed ${seed}`);
  const random = randomOf(seed);
  let before = 0;
  for (let number = 1; number <= count; number++) {
    await killOnce(number, random);
    const now = existsSync(checkpoint) ? iterationOf(checkpoint) : 0;
    if (now < before) check(false, `the checkpoint went back from iteration ${before} to ${now}`);
    before = now;
  }
  const last = String(before + 5);
  for (const ranks of [1, 3])
    run(ranks, training(`resumed-${ranks}.json`, "--iterations", last, "--resume", checkpoint));
  run(1, training("whole.json", "--iterations", last, "--slots", "4"));
  for (const ranks of [1, 3])
    check(
      parametersOf(`resumed-${ranks}.json`) === parametersOf("whole.json"),
      `after ${count} kills ${ranks === 1 ? "one process ends" : `${ranks} ranks end`} iteration ${last} with the bits of a run that nobody killed`,
    );
}

/** Writes a data file of 20 inputs and one target, row by row. */
async function writeRows(path, count) {
  const { Random, writeDataFile } = await import(library);
  const random = new Random(1, 7);
  function* rows() {
    for (let i = 0; i < count; i++) {
      const row = Array.from({ length: 20 }, () => 2 * random.uniform() - 1);
      const sum = row.reduce((total, x, k) => total + x * Math.sin(k), 0);
      yield [...row, Math.sin(sum) + 0.1 * random.uniform()];
    }
  }
  const featureNames = Array.from({ length: 20 }, (_, k) => `x${k + 1}`);
  await writeDataFile(path, { featureNames, targetNames: ["y"] }, rows());
}

/** Prints the peak of a process at its end. */
const PEAK = `data:text/javascript,${encodeURIComponent(`
import { readFileSync } from "node:fs";
process.on("exit", () => {
  const [, kilobytes] = /VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"));
  process.stdout.write("peak " + 1024 * kilobytes + "\\n");
});`)}`;

async function manyRows(count) {
  const path = join(folder, "many.gfd");
  await writeRows(path, count);
  const words = ["train", path, "--hidden", "16", "--decay", "0", "--iterations", "2", "--threads", "1"];
  const out = run(2, ["--import", PEAK, main, ...words, "--out", join(folder, "many.json")]);
  const peaks = [...out.matchAll(/peak (\d+)/g)].map(([, bytes]) => Number(bytes));
  const shown = peaks.map((bytes) => `${(bytes / 1e6).toFixed(0)} MB`).join(" and ");
  const within = peaks.length === 2 && peaks.every((bytes) => bytes < MOST_BYTES);
  check(within, `${count} rows of 21 numbers: two ranks train 20-16-1 with a peak of ${shown} (at most 350 MB)`);
  rmSync(path);
}

run(1, [join(root, "scripts", "build.mjs"), "--if-stale"]);
sameBits();
if (Number(values.kills) > 0) await kills(Number(values.kills));
if (Number(values.rows) > 0) await manyRows(Number(values.rows));
rmSync(folder, { recursive: true });
console.log(problems.length === 0 ? "all of it holds" : `${problems.length} of it do not hold`);
process.exitCode = problems.length === 0 ? 0 : 1;
