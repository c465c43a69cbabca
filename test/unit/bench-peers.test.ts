// The bench of the peers turns printed lines into the figures we publish: what it reads, and how it counts, must be right.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { network } from "../../src/index.js";

// Plain JavaScript without declarations: imported by a computed name, as `any`.
const load = (name: string) => import(new URL(`../../bench/peers/lib/${name}.mjs`, import.meta.url).href);
const { latestSeconds, parsePeerOutput, reach, lowest } = await load("protocol");
const { secondsToLevels, summarize, fastest } = await load("compare");
const { runPeer } = await load("run-peer");
const { levelFrom, shares } = await load("shares");
const { readProblem, reorderWeights, writeProblem } = await load("problem-folder");

test("reads the protocol and skips the libraries' own talk", () => {
  const text =
    "Hi there\nversion numpy 1.24.2\nloss 0.5 0 1.419e+00\nwarning: loss of something\nloss 1.25 7 3e-4\nend target\n";
  expect(parsePeerOutput(text)).toEqual({
    version: "numpy 1.24.2",
    losses: [
      { seconds: 0.5, count: 0, loss: 1.419 },
      { seconds: 1.25, count: 7, loss: 3e-4 },
    ],
    end: "target",
  });
});

test("drops the last line of a killed peer, which may be cut anywhere", () => {
  // Cut to "loss 2 3 1", the whole number 1.5e-3 would have been read as 1.
  const { losses, end } = parsePeerOutput("version x 1\nloss 1 2 2e-3\nloss 2 3 1");
  expect(losses).toEqual([{ seconds: 1, count: 2, loss: 2e-3 }]);
  expect(end).toBeNull();
});

test("how far a running peer is, is told by its last whole line", () => {
  expect(latestSeconds("version x 1\nloss 1.5 2 2e-3\n")).toBe(1.5);
  expect(latestSeconds("loss 1.5 2 2e-3\nloss 27")).toBe(1.5);
  for (const text of ["", "\n", "loss 1.5 2", "loss 1.5 2 2e-3\nhi there\n"]) expect(latestSeconds(text)).toBeNaN();
});

test("a run that is far behind is ended, keeps what it showed in time, and is no failure", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gaussflow-peers-test-"));
  const script = join(folder, "peer.mjs");
  // Sleeps for a minute after its late loss: a run that is not ended outlives the test's time.
  const print = '"version slow 1\\nloss 0.1 1 0.5\\nloss 9 2 0.25\\n"';
  writeFileSync(script, `process.stdout.write(${print}); setTimeout(() => {}, 60_000);`);
  const programs = fileURLToPath(new URL("../../bench/peers/programs", import.meta.url));
  const peer = { node: relative(programs, script), variant: [] };
  try {
    const run = await runPeer(peer, folder, { cap: 30, target: 0, threads: 1, stop: 1 });
    expect(run).toMatchObject({ losses: [{ seconds: 0.1, count: 1, loss: 0.5 }], end: "behind", failure: null });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a loss that is no number is kept as what it is, and never counts as reached", () => {
  const { losses } = parsePeerOutput("loss 1 1 nan\nloss 2 2 -nan\nloss 3 3 inf\nloss 4 4 NaN\nloss 5 5 Infinity\n");
  expect(losses.map(({ loss }: { loss: number }) => loss)).toEqual([NaN, NaN, Infinity, NaN, Infinity]);
  expect(reach(losses, 1e300)).toBeNull();
  expect(lowest(losses)).toBeNull();
});

test.each(["loss 1 2", "loss x 1 2", "loss -1 1 2", "loss 1 1.5 2", "loss 1 1 two", "loss 1 1 2 3", "loss 1 1 "])(
  "refuses the ill-formed line %j and shows it",
  (line) => {
    expect(() => parsePeerOutput(`${line}\n`)).toThrow(JSON.stringify(line));
  },
);

const path = (...points: [number, number][]) => ({
  losses: points.map(([seconds, loss], count) => ({ seconds, count, loss })),
});

test("the time to a level is that of the first point at or below it, also where the loss rises again", () => {
  const { losses } = path([0, 1], [1, 0.1], [2, 0.5], [3, 0.01], [4, 0.01]);
  expect(reach(losses, 1)).toEqual({ seconds: 0, count: 0 });
  expect(reach(losses, 0.1)).toEqual({ seconds: 1, count: 1 });
  expect(reach(losses, 0.05)).toEqual({ seconds: 3, count: 3 });
  expect(reach(losses, 0.001)).toBeNull();
  expect(lowest(losses)).toEqual({ seconds: 3, count: 3, loss: 0.01 });
});

test("medians over runs; a run that does not reach a level takes infinitely long", () => {
  const runs = [path([1, 0.1], [5, 0.01]), path([3, 0.1]), path([2, 0.1], [4, 0.01])];
  expect(secondsToLevels(runs, [0.1, 0.01, 0.001])).toEqual([
    { level: 0.1, seconds: 2, count: 0, runs: 3 },
    { level: 0.01, seconds: 5, count: 1, runs: 3 }, // of 5, Infinity, 4
    { level: 0.001, seconds: null, count: null, runs: 0 },
  ]);
  // Two of three do not reach it: no time, though the first did.
  const rarely = [path([1, 0.01]), path([1, 0.1]), path([1, 0.1])];
  expect(secondsToLevels(rarely, [0.01])[0].seconds).toBeNull();
});

test("ratios are to our medians, and none where either is missing", () => {
  const run = (seconds: number, loss: number) => ({
    ...path([seconds, loss]),
    version: "v 1",
    end: "cap",
    peakMegabytes: 10,
    failure: null,
  });
  const ours = summarize({ id: "ours", title: "" }, [run(2, 0.1)], [0.1, 0.01], null);
  const fast = summarize({ id: "fast", title: "" }, [run(1, 0.01)], [0.1, 0.01], ours);
  const slow = summarize({ id: "slow", title: "" }, [run(6, 0.1)], [0.1, 0.01], ours);
  expect(fast.levels.map(({ ratio }: { ratio: number }) => ratio)).toEqual([0.5, null]);
  expect(slow.levels.map(({ ratio }: { ratio: number }) => ratio)).toEqual([3, null]);
  expect(fastest([slow, fast], 0).id).toBe("fast");
  expect(fastest([slow], 1)).toBeNull();
});

test("the level of the UCI part is 1.05 times the median of the peers' lowest losses, ours left out", () => {
  expect(levelFrom([4, 1, 2])).toBeCloseTo(2.1, 14);
  expect(levelFrom([3, null, 1])).toBeCloseTo(2.1, 14);
  expect(levelFrom([1e-30, 1e-28, 1e-29])).toBe(1e-12);
  expect(levelFrom([null])).toBeNull();
  const losses = new Map([
    ["ours", path([1, 0.5], [2, 0.2]).losses],
    ["a", path([4, 0.2]).losses],
    ["b", path([4, 0.3]).losses],
    ["c", path([8, 0.19]).losses],
  ]);
  // The median of 0.2, 0.3 and 0.19 is 0.2, so the level 0.21 is reached by all but b; with ours it would be no other.
  const rows = shares([{ set: "s", losses }], [...losses.keys()], "ours");
  expect(rows.map(({ reached }: { reached: number }) => reached)).toEqual([1, 1, 0, 1]);
  expect(rows.map(({ ratio }: { ratio: number | null }) => ratio)).toEqual([1, 2, null, 4]);
});

test("a problem folder gives back what was written, weights as inputs x outputs", () => {
  const folder = mkdtempSync(join(tmpdir(), "gaussflow-test-"));
  try {
    const layers = [2, 3, 1];
    const net = network({ layers, seed: 5 });
    const inputs = Float64Array.of(0.1, -0.2, 0.3, 0.4);
    const targets = Float64Array.of(1, -1);
    writeProblem(folder, { layers, inputs, targets, parameters: net.parameters });
    const problem = readProblem(folder);
    expect(problem).toMatchObject({ sampleCount: 2, layers, inputs, targets });
    expect(reorderWeights(problem.weights, layers, false)).toEqual(Float64Array.from(net.parameters));
    // The peers' own reading of the file, written out for the first sample.
    const w = problem.weights;
    const hidden = [0, 1, 2].map((j) => Math.tanh(0.1 * w[j] - 0.2 * w[3 + j] + w[6 + j]));
    const output = hidden.reduce((sum, h, j) => sum + h * w[9 + j], w[12]);
    expect(output).toBeCloseTo(net.predict(inputs)[0] as number, 14);
    expect(() => reorderWeights(new Float64Array(12), layers)).toThrow("13 parameters; received 12");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
