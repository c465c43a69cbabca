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
import { ranksCommand } from "../mpirun.mjs";
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
/** Seconds within which a job must have ended. */
const LONGEST_END = 10;

const problems = [];
function check(holds, what) {
  console.log(`${holds ? "ok  " : "FAIL"} ${what}`);
  if (!holds) problems.push(what);
}

/** How to run it on so many ranks; 1 is a process without mpirun. */
const onRanks = (ranks, args) => ranksCommand(ranks === 1 ? null : ranks, args);

function run(ranks, args) {
  const { program, args: words, env } = onRanks(ranks, args);
  const child = spawnSync(program, words, { encoding: "utf8", env });
  if (child.status !== 0) throw new Error(`${program} ${words.join(" ")}: ${child.stderr}`);
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
  const { program, args: words, env } = onRanks(ranks, args);
  const child = spawn(program, words, { env, stdio: "ignore" });
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

/** Two ranks on a data file, within the memory that bench/cluster-table.mjs allows a process. */
function manyRows(count) {
  const program = join(root, "bench", "cluster-table.mjs");
  const { status } = spawnSync(process.execPath, [program, "--rows", String(count)], { stdio: "inherit" });
  check(status === 0, `${count} rows of 21 numbers: convert and two ranks keep the bound of their memory`);
}

run(1, [join(root, "scripts", "build.mjs"), "--if-stale"]);
sameBits();
if (Number(values.kills) > 0) await kills(Number(values.kills));
if (Number(values.rows) > 0) manyRows(Number(values.rows));
rmSync(folder, { recursive: true });
console.log(problems.length === 0 ? "all of it holds" : `${problems.length} of it do not hold`);
process.exitCode = problems.length === 0 ? 0 : 1;
