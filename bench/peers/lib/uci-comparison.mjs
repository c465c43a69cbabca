// The comparison on the UCI sets, which bench/peers/run.mjs calls with --uci: runs every program once from several starts of each set,
// until the cap or the program's own stop, and prints the figures of shares.mjs.
import { positive } from "../../lib/options.mjs";
import { gaussflow } from "./catalog.mjs";
import { UCI_SETS, uciProblems } from "./problems.mjs";
import { lowest } from "./protocol.mjs";
import { runPeer } from "./run-peer.mjs";
import { shares } from "./shares.mjs";
import { layOut } from "./show.mjs";

function table(rows, markdown) {
  const cells = rows.map(({ set, id, starts, reached, seconds, ratio, medianLowest }) => [
    set,
    id,
    `${reached} of ${starts}`,
    seconds === null ? "-" : seconds.toFixed(3),
    ratio === null ? "-" : ratio.toFixed(2),
    Number.isFinite(medianLowest) ? medianLowest.toExponential(2) : "-",
  ]);
  const titles = ["set", "program", "reach the level", "seconds to it", "ratio to ours", "lowest loss (median)"];
  return layOut([titles, ...cells], markdown);
}

export async function compareOnUci(root, ready, options, settings) {
  const sets = options.sets?.split(",") ?? UCI_SETS;
  for (const set of sets) {
    if (UCI_SETS.includes(set)) continue;
    console.error(`--sets must name some of ${UCI_SETS.join(", ")}; received ${set}`);
    process.exit(2);
  }
  const seeds = positive(options.seeds, "seeds", 2);
  const field = [gaussflow, ...ready];
  const minutes = Math.ceil((sets.length * seeds * field.length * (settings.cap + 5)) / 60);
  settings.progress(
    `${field.length} programs on ${sets.length} sets from ${seeds} starts, ${settings.cap} s each: at most ${minutes} minutes`,
  );
  const runs = [];
  for (const problem of uciProblems(root, sets, seeds)) {
    const losses = new Map();
    for (const peer of field) {
      const run = await runPeer(peer, problem.folder, { ...settings, target: 0 });
      losses.set(peer.id, run.losses);
      const best = lowest(run.losses);
      const state = run.failure ?? `${best?.loss.toExponential(3)} at ${best?.seconds.toFixed(2)} s; ${run.end}`;
      settings.progress(`${problem.name}: ${peer.id}: ${state}`);
    }
    runs.push({ set: problem.set, losses });
  }
  const ids = field.map(({ id }) => id);
  const rows = shares(runs, ids, gaussflow.id);
  const total = ids.map((id) => {
    const own = rows.filter((row) => row.id === id);
    return { id, reached: own.reduce((sum, row) => sum + row.reached, 0), starts: runs.length };
  });
  if (options.json) {
    for (const row of [...rows, ...total.map((row) => ({ set: "all", ...row }))]) console.log(JSON.stringify(row));
    return;
  }
  console.log(`\n${table(rows, options.markdown)}\n`);
  const bullet = options.markdown ? "- " : "  ";
  for (const { id, reached, starts } of total)
    console.log(`${bullet}${id} reaches the level from ${reached} of ${starts} starts`);
}
