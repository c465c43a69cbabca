// The ranks of an MPI run as mpi() gives them, by real runs of mpirun: exchanges, letters, and ways for a run to end.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { mpi } from "../../src/index.js";
import { buildLibrary } from "../helpers/build.js";
import { jsonLines } from "../helpers/command-line.js";
import { hasRanks, mpirun, program } from "../helpers/ranks.js";

let library = "";
beforeAll(() => {
  library = buildLibrary();
});

const addon = fileURLToPath(new URL("../../build/mpi/gaussflow_mpi.node", import.meta.url));

/** A program that imports the library, and has `cluster` and `say`, which prints a line of JSON. */
const ranked = (body: string) =>
  program(`
import { mpi } from ${JSON.stringify(library)};
const cluster = await mpi();
const say = (value) => process.stdout.write(JSON.stringify(value) + "\\n");
${body}`);

describe("a process alone", () => {
  it("is a cluster of one, whose exchanges are with itself", async () => {
    const cluster = await mpi();
    expect(await mpi()).toBe(cluster);
    expect(cluster).toMatchObject({ rank: 0, size: 1, library: null });
    expect(cluster.slots(4)).toBeNull();
    expect(() => cluster.slots(3)).toThrow("slots must be a power of two; received 3");
    expect(await cluster.gather(Float64Array.of(1, 2))).toEqual([Float64Array.of(1, 2)]);
    const letter = cluster.receive();
    await cluster.send(0, Uint8Array.of(5));
    expect(await letter).toEqual({ rank: 0, bytes: Uint8Array.of(5) });
    await expect(cluster.send(1, Uint8Array.of(5))).rejects.toThrow("rank must be an integer from 0 to 0; received 1");
  });

  it("has no cluster in a worker thread", () => {
    const text = `
import { Worker } from "node:worker_threads";
new Worker('import(' + JSON.stringify(${JSON.stringify(library)}) + ').then(({ mpi }) => mpi()).catch(({ code, message }) => console.log(code, message))', { eval: true });`;
    const { stdout } = spawnSync(process.execPath, [program(text)], { encoding: "utf8" });
    expect(stdout).toMatch(/^GAUSSFLOW_STATE mpi\(\) must be called in the main thread of a process/);
  });

  it("loads nothing of MPI, even where the addon is built", () => {
    const text = `
import { readFileSync } from "node:fs";
import { network, train, mpi } from ${JSON.stringify(library)};
const cluster = await mpi();
await train(network({ layers: [1, 2, 1] }), { inputs: [[1], [2], [3], [4]], targets: [1, 2, 3, 4] });
const maps = readFileSync("/proc/self/maps", "utf8");
console.log(cluster.size, /gaussflow\\.node|openblas/.test(maps), /libmpi|gaussflow_mpi|libopen-/.test(maps));`;
    const child = spawnSync(process.execPath, [program(text)], { encoding: "utf8" });
    expect(child.stdout, child.stderr).toMatch(/^1 (true|false) false\n$/);
  });
});

describe.skipIf(!hasRanks)("ranks", () => {
  it("of another MPI than the addon's are refused, because each would be alone", () => {
    // A launcher of MPICH, whose variables Open MPI does not know.
    const { OMPI_COMM_WORLD_SIZE: _, ...rest } = process.env;
    const env = { ...rest, PMI_SIZE: "2", PMI_RANK: "0" };
    const child = spawnSync(process.execPath, [ranked("say(cluster.size)")], { encoding: "utf8", env });
    expect([child.status, child.stdout]).toEqual([1, ""]);
    expect(child.stderr).toMatch(
      /mpirun has started 2 processes, and .+ sees 1: mpirun belongs to another MPI\. Remedy: /,
    );
  });

  it("exchange numbers, bytes and letters of any size", () => {
    const file = ranked(`
import { createRequire } from "node:module";
const { rank, size } = cluster;
const gathered = await cluster.gather(Float64Array.of(rank, 10 * rank));
const large = await cluster.gather(new Float64Array(300_000).fill(rank));
const bytes = await cluster.broadcast(rank === 0 ? Uint8Array.of(1, 2, 3) : new Uint8Array(1));
const letters = [];
if (rank === 0) {
  for (let k = 1; k < size; k++) letters.push(await cluster.receive());
} else await cluster.send(0, new Uint8Array(3_000_000 * rank).fill(rank));
const seconds = await cluster.timeSum(300_000, 2);
const { first, count } = cluster.slots(4);
const slots = await cluster.gather(Float64Array.of(first, count));
await cluster.barrier();
if (rank === 0)
  say({
    size,
    gathered: gathered.map((one) => [...one]),
    large: large.map((one) => [one.length, one.every((value) => value === one[0]), one[0]]),
    bytes: [...bytes],
    letters: letters.map(({ rank, bytes }) => [rank, bytes.length, bytes.every((value) => value === rank)]).sort(),
    positive: seconds > 0,
    slots: slots.map((one) => [...one]),
  });
await cluster.close();`);
    const { code, out, err } = mpirun(3, [file]);
    expect(code, err).toBe(0);
    expect(jsonLines(out)).toEqual([
      {
        size: 3,
        gathered: [
          [0, 0],
          [1, 10],
          [2, 20],
        ],
        large: [
          [300_000, true, 0],
          [300_000, true, 1],
          [300_000, true, 2],
        ],
        bytes: [1, 2, 3],
        letters: [
          [1, 3_000_000, true],
          [2, 6_000_000, true],
        ],
        positive: true,
        slots: [
          [0, 1],
          [1, 1],
          [2, 2],
        ],
      },
    ]);
  });

  it("sum with the bits of the tree, whatever their number", () => {
    // Numbers whose sum depends on the order; more than the pieces that are under way at once.
    const file = program(`
import { constants } from "node:os";
import { rankTree } from ${JSON.stringify(library.replace("index.js", "cluster/rank-tree.js"))};
const module = { exports: {} };
process.dlopen(module, ${JSON.stringify(addon)}, constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL);
const { rank, size } = await module.exports.open();
const COUNT = 700_001;
const part = (of, k) => Math.sin(1 + of + 3 * k) * 10 ** ((of * 5 + k) % 7);
const tree = rankTree(4, size, rank);
const own = Float64Array.from({ length: COUNT }, (_, k) =>
  tree.count === 1 ? part(tree.first, k) : part(tree.first, k) + part(tree.first + 1, k));
const sum = await module.exports.sum(tree, own);
const wrong = sum.findIndex((value, k) => value !== (part(0, k) + part(1, k)) + (part(2, k) + part(3, k)));
process.stdout.write(JSON.stringify([rank, wrong]) + "\\n");
module.exports.end(0);`);
    const { code, out, err } = mpirun(3, [file]);
    expect(code, err).toBe(0);
    expect(jsonLines(out).sort()).toEqual([
      [0, -1],
      [1, -1],
      [2, -1],
    ]);
  });

  it("end together: an exception, an exit in the middle and a rank that leaves too early", () => {
    // One launch each: the launch takes most of the time.
    const waits = "await cluster.barrier(); say(cluster.rank);";
    const thrown = mpirun(2, [ranked(`if (cluster.rank === 1) throw new Error("of one rank"); ${waits}`)]);
    expect([thrown.code, thrown.out]).toEqual([1, ""]);
    expect(thrown.err.match(/rank 1: Error: of one rank/g)).toHaveLength(1);
    const left = mpirun(2, [ranked(`if (cluster.rank === 1) process.exit(0); ${waits}`)]);
    expect([left.code, left.out]).toEqual([1, ""]);
    expect(left.err).toMatch(/rank 0: GaussflowError: rank 1 has ended, and this rank waits for it/);
  });
});
