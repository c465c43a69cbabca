// npm run bench:peers, by hand: compares gaussflow with other programs that a user could choose, on the same data and weights. Installs
// what is missing, runs every program (lib/catalog.mjs) in turn, and prints seconds to loss levels and their ratios; no figure fails the
// program.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBaseline } from "../lib/baseline.mjs";
import { LEVELS } from "../lib/friedman.mjs";
import { machineLine } from "../lib/machine.mjs";
import { defaultThreads, parseOptions, positive } from "../lib/options.mjs";
import { gaussflow, peers } from "./lib/catalog.mjs";
import { summarize } from "./lib/compare.mjs";
import { prepare } from "./lib/install.mjs";
import { commonCase } from "./lib/problems.mjs";
import { reach } from "./lib/protocol.mjs";
import { runPeer } from "./lib/run-peer.mjs";
import { peersTable, summaryLines } from "./lib/show.mjs";
import { compareOnUci } from "./lib/uci-comparison.mjs";

const usage = `usage: GAUSSFLOW_DATA=DIR npm run bench:peers -- [options]
  --only LIST      these peers, by names or their beginnings, separated by commas (gaussflow always runs, for the ratio)
  --runs N         runs of each peer on each problem (default 5); slow peers run once
  --cap SECONDS    training seconds of one run (default 30; 10 with --uci)
  --down-to LOSS   the common case's levels down to this one alone; every run ends there (default ${LEVELS.at(-1)})
  --within N       a peer's run ends after N times what our first one takes to the last level (slow peers go on to the cap);
                   Adam is not told: its rate still falls over the cap
  --starts         besides the common W0: three other starts and a second draw of the data (not for the slow peers)
  --uci            the UCI sets instead: share of runs that reach the peers' level, and times to it
  --sets LIST      with --uci: some of energy,concrete,yacht,wine,airfoil (default all)
  --seeds N        with --uci: starts of each set (default 2)
  --threads N      of ours and of the peers (default GAUSSFLOW_THREADS, else 2)
  --quick          one run, 10 s, no slow peer: to see that it works, not to quote
  --no-install     use what is there, install nothing
  --json           one JSON object a line; --markdown: the tables as docs/benchmarks.md has them
  --list           names only`;

const options = parseOptions(usage, {
  only: { type: "string" },
  runs: { type: "string" },
  cap: { type: "string" },
  "down-to": { type: "string" },
  within: { type: "string" },
  starts: { type: "boolean" },
  uci: { type: "boolean" },
  sets: { type: "string" },
  seeds: { type: "string" },
  threads: { type: "string" },
  quick: { type: "boolean" },
  "no-install": { type: "boolean" },
  json: { type: "boolean" },
  markdown: { type: "boolean" },
  list: { type: "boolean" },
});

if (options.uci && options.within !== undefined) {
  console.error("--within is of the common case: not with --uci");
  process.exit(2);
}
const levels = LEVELS.filter((level) => level >= Number(options["down-to"] ?? 0));
if (levels.length === 0) {
  console.error(`--down-to must be at most ${LEVELS[0]}; received ${options["down-to"]}`);
  process.exit(2);
}

/** The peers asked for; a name that fits none ends the program. */
function choose(candidates) {
  if (options.only === undefined) return candidates.filter(({ slow }) => !(slow && options.quick));
  const all = [gaussflow, ...candidates];
  const chosen = new Set();
  for (const name of options.only.split(",").map((word) => word.trim())) {
    const exact = all.filter(({ id }) => id === name);
    const found = exact.length > 0 ? exact : all.filter(({ id }) => id.startsWith(name));
    if (found.length === 0) {
      console.error(`no peer is named ${name}; there are:\n  ${all.map(({ id }) => id).join("\n  ")}`);
      process.exit(2);
    }
    for (const peer of found) chosen.add(peer);
  }
  return candidates.filter((peer) => chosen.has(peer));
}

/** All rounds of all peers on one problem: round by round, so that a busy minute of the machine falls on everyone. */
async function compareOn(problem, ready, settings) {
  const field = [gaussflow, ...ready.filter(({ slow }) => problem.main || !slow)];
  const seen = new Map(field.map((peer) => [peer, []]));
  let stop = settings.cap;
  for (let round = 0; round < settings.runs; round++) {
    for (const peer of field) {
      const before = seen.get(peer);
      // What the first run did not reach, no later one is asked for.
      const target =
        round === 0 ? levels.at(-1) : levels.findLast((level) => before[0].losses.some((p) => p.loss <= level));
      if (round > 0 && (peer.slow || target === undefined)) continue;
      const free = peer === gaussflow || peer.slow;
      before.push(await runPeer(peer, problem.folder, { ...settings, target, ...(free ? {} : { stop }) }));
      const { losses, failure } = before.at(-1);
      if (peer === gaussflow && round === 0)
        stop = Math.min(stop, settings.within * (reach(losses, target)?.seconds ?? settings.cap));
      const last = losses.at(-1);
      const state =
        failure ?? (last ? `${last.loss.toExponential(2)} after ${last.seconds.toFixed(1)} s` : "no loss in time");
      settings.progress(`${problem.name}, run ${round + 1}: ${peer.id}: ${state}`);
    }
  }
  const ours = summarize(gaussflow, seen.get(gaussflow), levels, null);
  const rows = [
    summarize(gaussflow, seen.get(gaussflow), levels, ours),
    ...field.slice(1).map((peer) => summarize(peer, seen.get(peer), levels, ours)),
  ];
  return { rows, stop };
}

/** `stop`: seconds at which the runs of peers ended that are not slow. */
function showProblem(problem, rows, stop) {
  if (options.json) {
    for (const row of rows) console.log(JSON.stringify({ problem: problem.name, stop, ...row }));
    return;
  }
  console.log(`\n${options.markdown ? "### " : ""}${problem.name}\n\n${peersTable(rows, levels, options.markdown)}\n`);
  const bullet = options.markdown ? "- " : "  ";
  if (options.within !== undefined)
    console.log(
      `Runs end at ${stop.toFixed(1)} s (slow peers' at the cap): what "-" and "lowest" would be later is not known.\n`,
    );
  console.log(
    summaryLines(rows[0], rows.slice(1), levels)
      .map((line) => bullet + line)
      .join("\n"),
  );
  for (const { id, failure } of rows) if (failure !== null) console.log(`${bullet}${id} failed: ${failure}`);
}

async function main() {
  if (options.list) return console.log([gaussflow, ...peers].map(({ id }) => id).join("\n"));
  const quick = options.quick ?? false;
  const settings = {
    runs: positive(options.runs, "runs", quick ? 1 : 5),
    cap: positive(options.cap, "cap", quick || options.uci ? 10 : 30),
    threads: positive(options.threads, "threads", defaultThreads()),
    within: options.within === undefined ? Number.POSITIVE_INFINITY : positive(options.within, "within"),
    progress: (text) => console.error(`peers: ${text}`),
  };
  const chosen = choose(options.uci ? peers.filter(({ uci }) => uci) : peers);
  const { ready, missing } = prepare(chosen, !options["no-install"]);
  const baseline = startBaseline();
  const blas = await baseline.ask("config").catch(() => null);
  baseline.close();
  (options.json ? console.error : console.log)(machineLine(settings.threads, blas));
  for (const { id, why } of missing) {
    if (options.json) console.log(JSON.stringify({ id, missing: why }));
    else console.log(`${options.markdown ? "- " : ""}missing: ${id}: ${why}`);
  }
  const root = mkdtempSync(join(tmpdir(), "gaussflow-peers-"));
  try {
    if (options.uci) return await compareOnUci(root, ready, options, settings);
    const problems = commonCase(root, options.starts ?? false);
    const [slow, fast] = [ready.filter(({ slow }) => slow).length, ready.filter(({ slow }) => !slow).length + 1];
    const most = (problems.length * settings.runs * fast + slow) * (settings.cap + 5);
    settings.progress(
      `${fast} programs, ${settings.runs} runs on ${problems.length} problem(s), ${slow} slow ones once: at most ${Math.ceil(most / 60)} minutes`,
    );
    const versions = new Set();
    for (const problem of problems) {
      const { rows, stop } = await compareOn(problem, ready, settings);
      for (const { version } of rows) for (const part of version?.split(", ") ?? []) versions.add(part);
      showProblem(problem, rows, stop);
    }
    if (options.json) return;
    console.log(
      `\nCells: seconds (iterations or evaluations), ratio to gaussflow's; medians of ${settings.runs}, slow peers once; cap ${settings.cap} s.`,
    );
    console.log([...versions].filter((part) => / v?\d/.test(part) && !/threads/.test(part)).join(", "));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

await main();
