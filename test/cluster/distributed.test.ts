// The Gram matrix that real ranks of mpirun hold together, factored by ScaLAPACK: the training of one process, up to rounding.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { buildLibrary } from "../helpers/build.js";
import { hasRanks, hasScalapack, mpirun, program } from "../helpers/ranks.js";

/** What a run says of itself. */
interface Said {
  readonly ranks: number;
  readonly together: boolean;
  readonly recorded: boolean;
  readonly details: string;
  readonly losses: readonly number[];
  readonly parameters: readonly number[];
}

let text = "";
beforeAll(() => {
  // 305 parameters: several blocks of 64, of which the last is not whole.
  text = `
import { mpi, network, train } from ${JSON.stringify(buildLibrary())};
const cluster = await mpi();
const inputs = Array.from({ length: 500 }, (_, i) => Array.from({ length: 8 }, (_, k) => Math.sin(1 + i * (k + 2))));
const targets = inputs.map((x) => Math.tanh(2 * x[0] * x[1]) + Math.cos(x[2] - x[3]) + 0.1 * x[7]);
const net = network({ layers: [8, 12, 14, 1], seed: 3 });
const stop = { iterations: cluster.size === 1 ? 9 : 6 };
const [resume, path] = [process.env.RESUME, process.argv[2]];
const checkpoint = cluster.size === 1 ? undefined : { path };
const own = { distributed: true, cluster, threads: 1, checkpoint, resume };
const options = { slots: 4, route: "primal", validation: false, stop, ...own };
const result = await train(net, { inputs, targets }, options);
if (cluster.rank === 0)
  console.log(JSON.stringify({
    ranks: result.ranks,
    together: result.plan.chosen.distributed === true,
    recorded: result.records.every(({ distributed }) => distributed === true),
    details: result.details,
    losses: result.records.filter(({ accepted }) => accepted).map(({ loss }) => loss),
    parameters: [...result.network.parameters],
  }));
await cluster.close();`;
});

describe.skipIf(!hasRanks || !hasScalapack)("a Gram matrix that the ranks hold together", () => {
  it("gives the losses of one process to 1e-10, which goes on from the checkpoint", () => {
    const file = program(text);
    const checkpoint = join(dirname(file), "checkpoint.json");
    const alone = spawnSync(process.execPath, [file], { encoding: "utf8" });
    const expected = JSON.parse(alone.stdout) as Said;
    expect(expected).toMatchObject({ ranks: 1, together: false, recorded: false });
    expect(expected.losses.length).toBeGreaterThan(5);
    // Grids of 1 x 2 and of 1 x 3 ranks; 2 x 2 is one of the core tests.
    for (const ranks of [2, 3]) {
      const { code, out, err } = mpirun(ranks, [file, checkpoint]);
      expect(code, err).toBe(0);
      const said = JSON.parse(out) as Said;
      expect(said).toMatchObject({ ranks, together: true, recorded: true });
      expect(said.details).toContain(
        "which hold the Gram matrix together: ScaLAPACK's last bits depend on their number",
      );
      expect(said.losses.length).toBe(7);
      for (const [k, loss] of said.losses.entries())
        expect(Math.abs(loss / expected.losses[k]! - 1)).toBeLessThanOrEqual(1e-10);
    }
    const resumed = spawnSync(process.execPath, [file], {
      encoding: "utf8",
      env: { ...process.env, RESUME: checkpoint },
    });
    const said = JSON.parse(resumed.stdout) as Said;
    expect(said.losses.length).toBe(expected.losses.length);
    expect(Math.abs(said.losses.at(-1)! / expected.losses.at(-1)! - 1)).toBeLessThanOrEqual(1e-9);
    const largest = Math.max(...expected.parameters.map(Math.abs));
    for (const [k, value] of said.parameters.entries())
      expect(Math.abs(value - expected.parameters[k]!)).toBeLessThanOrEqual(1e-8 * largest);
  }, 60_000);
});
