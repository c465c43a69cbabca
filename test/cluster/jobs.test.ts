// Jobs on real ranks: the results are those of one process, to the bit; more of trainMany on ranks is in test/cluster/job-ranks.test.ts.
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { CommandLine, jsonLines } from "../helpers/command-line.js";
import { hasRanks, mpirun, program } from "../helpers/ranks.js";

const cli = new CommandLine();
beforeAll(() => {
  cli.build();
});

/** Prints from rank 0 what does not depend on the clock, and whether all ranks have the same. */
const text = (library: string) => `
import { createHash } from "node:crypto";
import { dataset, mpi, network, restarts, trainMany } from ${JSON.stringify(library)};
const cluster = await mpi();
const inputs = Array.from({ length: 80 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
const data = dataset({ inputs, targets: inputs.map(([a, b]) => a * b + 0.1 * Math.sin(50 * a)) });
const jobs = restarts({ network: network({ layers: [2, 4, 1], seed: 3 }), data, options: { stop: { iterations: 15 } } }, 7);
let told = 0;
const { results, ranked, ranks, concurrency } = await trainMany(jobs, {
  cluster,
  concurrency: Number(process.argv[2]),
  threads: 1,
  onProgress: ({ state }) => void (state === "trained" && told++),
});
const hash = createHash("sha256");
for (const { result } of results) for (const one of [result.network, result.last, result.best]) hash.update(one.parameters);
hash.update(JSON.stringify(results.map(({ result }) => result.records.map(({ loss, damping }) => [loss, damping]))));
hash.update(JSON.stringify(ranked.map(({ index }) => index)));
const digest = hash.digest();
const all = await cluster.gather(Float64Array.from(digest));
if (cluster.rank === 0)
  console.log(JSON.stringify({ ranks, concurrency, told, digest: digest.toString("hex"),
    same: all.every((one) => one.every((value, k) => value === digest[k])) }));
`;

describe.skipIf(!hasRanks)("jobs on ranks", () => {
  it("give the bits and the ranking of one process, in lanes of each rank as well", () => {
    const file = program(text(join(cli.main, "..", "..", "index.js")));
    const [alone] = jsonLines(mpirun(1, [file, "1"]).out);
    expect(alone).toMatchObject({ ranks: 1, concurrency: 1, told: 7, same: true });
    for (const [ranks, lanes] of [
      [2, 2],
      [3, 1],
    ] as const) {
      const { code, out, err } = mpirun(ranks, [file, String(lanes)]);
      expect(code, err).toBe(0);
      expect(jsonLines(out)).toEqual([{ ...alone, ranks, concurrency: ranks * lanes }]);
    }
  });

  it("are what gaussflow train --restarts and its search run, and rank 0 saves the model", () => {
    const folder = mkdtempSync(join(tmpdir(), "gaussflow-"));
    const flags =
      "examples/data/auto-mpg.csv --target mpg --ignore name --missing mean --seed 3 --iterations 10 --json";
    const train = (ranks: number, more: string) => {
      const out = join(folder, `${ranks}.json`);
      const { code, err, ...ended } = mpirun(ranks, [cli.main, "train", ...`${flags} ${more} --out ${out}`.split(" ")]);
      expect(code, err).toBe(0);
      const lines = jsonLines(ended.out);
      return {
        runs: lines.filter(({ type }) => type === "run").map(({ label, loss }) => [label, loss]),
        results: lines.filter(({ type }) => type === "result").length,
        parameters: JSON.parse(readFileSync(out, "utf8")).body.parameters,
      };
    };
    const many = "--hidden 4 --restarts 4";
    const alone = train(1, many);
    expect(alone).toMatchObject({ results: 1, runs: { length: 4 } });
    expect(train(2, many)).toEqual(alone);
  });
});
