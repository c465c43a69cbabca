// Trainings and flows with the rows over real ranks of mpirun: bits do not depend on the number of ranks, and a run that ends goes on with another.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { dataset, loadModel, network, train, writeDataFile } from "../../src/index.js";
import { buildLibrary } from "../helpers/build.js";
import { jsonLines } from "../helpers/command-line.js";
import { waves } from "../helpers/problems.js";
import { hasRanks, mpirun, program, startRanks } from "../helpers/ranks.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-rows-"));
const at = (name: string) => join(folder, name);
const scene = fileURLToPath(new URL("scenes/runs.mjs", import.meta.url));
let library = "";
let main = "";
beforeAll(async () => {
  library = buildLibrary();
  main = join(dirname(library), "cli", "main.js");
  const { inputs, targets } = waves(600, 3, 1, 5);
  const rows = Array.from({ length: 600 }, (_, i) => [...inputs.subarray(3 * i, 3 * i + 3), targets[i]!]);
  await writeDataFile(at("table.gfd"), { featureNames: ["a", "b", "c"], targetNames: ["y"] }, rows);
});

/** What a run says of itself but for its ranks. */
interface Line {
  readonly name: string;
  readonly alike: boolean;
  readonly ranks: number;
}

const linesOf = (out: string): Line[] => jsonLines(out);

describe.skipIf(!hasRanks)("rows over ranks", () => {
  it("give the parameters, records and checkpoints of one process with as many slots, whatever is trained", () => {
    const alone = spawnSync(process.execPath, [scene, library, folder], { encoding: "utf8" });
    const expected = linesOf(alone.stdout);
    expect(expected.length, alone.stderr).toBeGreaterThan(8);
    for (const ranks of [2, 3]) {
      const { code, out, err } = mpirun(ranks, [scene, library, folder]);
      expect(code, err).toBe(0);
      expect(linesOf(out)).toEqual(expected.map((line) => ({ ...line, ranks })));
    }
    expect(expected.every(({ alike }) => alike)).toBe(true);
  }, 120_000);
});

describe.skipIf(!hasRanks)("gaussflow train under mpirun", () => {
  const flags = ["--hidden", "12", "--decay", "0", "--threads", "1", "--patience", "1000000"];
  const command = (...more: string[]) => [main, "train", at("table.gfd"), ...flags, ...more];

  it("prints once, and another number of ranks goes on from the checkpoint to the model of one process", async () => {
    const first = mpirun(2, command("--iterations", "5", "--checkpoint", at("run.json"), "--out", at("first.json")));
    expect(first.code, first.err).toBe(0);
    expect(first.out.match(/ranks: /g)).toHaveLength(1);
    expect(first.out).toContain("ranks: 2; rank 0 summed 300 of the 600 rows, and waited");
    const second = mpirun(
      3,
      command("--iterations", "9", "--resume", at("run.json"), "--out", at("second.json"), "--json"),
    );
    expect(second.code, second.err).toBe(0);
    const result = linesOf(second.out).find((line) => "reason" in line);
    expect(result).toMatchObject({ ranks: 3, slots: 2, rankRows: 300, iterations: 9 });
    const { rankWaits } = result as unknown as { rankWaits: { count: number; seconds: number } };
    // Four more iterations, each with a linearization, a solve and a trial at least.
    expect(rankWaits.count).toBeGreaterThan(12);
    expect(rankWaits.seconds).toBeGreaterThan(0);
    const alone = spawnSync(process.execPath, command("--iterations", "9", "--slots", "2", "--out", at("alone.json")));
    expect(alone.status).toBe(0);
    const [model, other] = await Promise.all([loadModel(at("second.json")), loadModel(at("alone.json"))]);
    expect(model.parameters).toEqual(other.parameters);
    expect({ ...model.summary, seconds: 0 }).toEqual({ ...other.summary, seconds: 0 });
  }, 60_000);

  it("SIGTERM to mpirun leaves the checkpoint of the last iteration, from which one process goes on", async () => {
    const child = startRanks(
      2,
      command("--iterations", "1000000", "--checkpoint", at("killed.json"), "--out", at("k.json")),
    );
    const ended = new Promise((resolve) => child.once("exit", resolve));
    while (!existsSync(at("killed.json"))) await pause(20);
    await pause(100);
    const since = performance.now();
    child.kill("SIGTERM");
    await ended;
    expect(performance.now() - since).toBeLessThan(10_000);
    const { iteration } = JSON.parse(readFileSync(at("killed.json"), "utf8")).body;
    const { inputs, targets } = waves(600, 3, 1, 5);
    const more = { stop: { iterations: iteration + 2, patience: 1e6 }, threads: 1 };
    expect(iteration).toBeGreaterThan(0);
    const resumed = spawnSync(
      process.execPath,
      command("--iterations", `${iteration + 2}`, "--resume", at("killed.json"), "--out", at("r.json")),
    );
    expect(resumed.status, String(resumed.stderr)).toBe(0);
    const net = network({ layers: [3, 12, 1], seed: 0 });
    const whole = await train(net, dataset({ inputs, targets, inputSize: 3 }), {
      ...more,
      slots: 2,
      validation: false,
    });
    expect((await loadModel(at("r.json"))).parameters).toEqual(whole.network.parameters);
  }, 60_000);

  it("an error of one rank is printed once, with the rank, and ends all", () => {
    const file = program(`
if (process.env.OMPI_COMM_WORLD_RANK === "1") process.argv[3] = ${JSON.stringify(at("none.gfd"))};
await import(${JSON.stringify(main)});`);
    const { code, err } = mpirun(2, [file, ...command("--out", at("e.json")).slice(1)]);
    expect(code).not.toBe(0);
    expect(err.match(/gaussflow: rank 1: .*none\.gfd/g), err).toHaveLength(1);
    expect(existsSync(at("e.json"))).toBe(false);
  }, 60_000);
});
