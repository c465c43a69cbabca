// The command line on several ranks: what is refused, and errors, which are printed once.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { CommandLine } from "../helpers/command-line.js";
import { hasRanks, mpirun } from "../helpers/ranks.js";

const cli = new CommandLine();
beforeAll(() => {
  cli.build();
});

it("doctor --mpi without mpirun says what is there, and how to measure or what is missing", () => {
  const { out } = cli.run(["doctor", "--mpi"]);
  expect(out).toMatch(/^ranks +1: mpirun has not started this process$/m);
  expect(out).toMatch(
    hasRanks ? /mpirun --bind-to none -np 2 npx gaussflow doctor --mpi/ : /npx gaussflow build --mpi/,
  );
});

describe.skipIf(!hasRanks)("commands on ranks", () => {
  it("that are for one process are refused once, with the code of a wrong command line", () => {
    const { code, out, err } = mpirun(2, [cli.main, "experiment", "scaling"]);
    expect([code, out]).toEqual([2, ""]);
    expect(
      err.match(/gaussflow experiment is for one process, and mpirun has started 2: run it without/g),
    ).toHaveLength(1);
  });

  it("doctor --mpi measures the exchanges, and checks them", () => {
    const { code, out, err } = mpirun(2, [cli.main, "doctor", "--mpi", "--json"]);
    expect(code, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ type: "doctor", ok: true, sums: "right", ranks: "2 on one machine" });
    expect(out).toMatch(/"latency":"[\d.]+ us for a sum of one number over all ranks","bandwidth":"[\d.]+ GB\/s/);
  });

  it("print once what all ranks have, and an error once with the rank", () => {
    const cars = "examples/data/auto-mpg.csv --target mpg --ignore name --missing mean --hidden 4 --json".split(" ");
    const planned = mpirun(3, [cli.main, "plan", ...cars]);
    expect(planned.code, planned.err).toBe(0);
    expect(JSON.parse(planned.out)).toMatchObject({ type: "plan" });
    const { code, out, err } = mpirun(2, [cli.main, "plan", "none.csv", "--target", "mpg", "--hidden", "3"]);
    expect([code, out]).toEqual([1, ""]);
    expect(err.match(/none\.csv: there is no such file/g)).toHaveLength(1);
    expect(err).toContain("gaussflow: rank 0: none.csv");
  });

  it("predict and evaluate share the rows of a table, with the bytes of one process", () => {
    const folder = mkdtempSync(join(tmpdir(), "gaussflow-ranks-"));
    const [model, few, many] = ["model.json", "few.csv", "many.csv"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    // Two batches of 32,768 rows, and one that is not whole.
    for (const [file, rows] of [
      [few, 60],
      [many, 70_000],
    ] as const)
      writeFileSync(
        file,
        `a,b,y\n${Array.from({ length: rows }, (_, k) => `${k % 7},${k % 11},${(k % 7) * (k % 11)}\n`).join("")}`,
      );
    expect(cli.run(["train", few, "--hidden", "3", "--iterations", "3", "--out", model]).code).toBe(0);
    const [alone, shared] = ["alone.csv", "shared.csv"].map((name) => join(folder, name)) as [string, string];
    expect(cli.run(["predict", model, many, "--out", alone]).code).toBe(0);
    const { code, err } = mpirun(3, [cli.main, "predict", model, many, "--out", shared]);
    expect(code, err).toBe(0);
    expect(readFileSync(shared, "utf8")).toBe(readFileSync(alone, "utf8"));
    const evaluated = mpirun(2, [cli.main, "evaluate", model, many, "--json"]);
    expect(evaluated.out).toBe(cli.run(["evaluate", model, many, "--json"]).out);
    rmSync(folder, { recursive: true });
  });
});
