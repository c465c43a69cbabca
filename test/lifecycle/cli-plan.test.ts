// gaussflow plan, and --memory-limit of train, as a user meets them.
import { beforeAll, describe, expect, it } from "vitest";
import { CommandLine } from "../helpers/command-line.js";

const cars = "examples/data/auto-mpg.csv";
const table = [cars, "--target", "mpg", "--ignore", "name", "--missing", "mean"];
const cli = new CommandLine();

beforeAll(() => {
  cli.build();
});

const run = (...args: readonly string[]) => cli.run(args);

describe("gaussflow plan", () => {
  it("prints the route that train takes, and its alternatives", () => {
    const planned = run("plan", ...table, "--hidden", "16,16", "--json");
    expect(planned.code, planned.err).toBe(0);
    const plan = JSON.parse(planned.out);
    expect(plan).toMatchObject({ type: "plan", route: "dual", chosen: { route: "dual", fits: true } });
    expect(plan.alternatives.map(({ route }: { route: string }) => route)).toContain("primal");
    const trained = run("train", ...table, "--hidden", "16,16", "--iterations", "1", "--json");
    expect(JSON.parse(trained.out.trim().split("\n").at(-1)!)).toMatchObject({ route: "dual" });
    const { out } = run("plan", ...table, "--hidden", "16,16");
    expect(out).toMatch(
      /^An iteration takes about .*s, and the process .* at most.*\ndual route: 449 parameters are more than 278 equations\n278 samples, 449 parameters, /,
    );
    expect(out).toMatch(/ dual \* .* (ms|s) +yes\n +primal .* yes\n/);
  });

  it("exits with 1 where train would refuse, which it does with the numbers", () => {
    const limited = run("plan", ...table, "--hidden", "2000", "--route", "primal", "--memory-limit", "1GiB");
    expect(limited.code).toBe(1);
    expect(limited.out).toContain("Training by the primal route would be refused");
    const refused = run("train", ...table, "--hidden", "2000", "--route", "primal", "--memory-limit", "1GiB");
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(
      /the primal route needs 3\.\d GiB at its peak .* memory limit is 1\.0 GiB: --route "dual" fits/,
    );
  });

  it("takes bytes with their unit and nothing else", () => {
    for (const bad of ["2 gigs", "-1", "GiB", "1e9GB", "0"])
      expect(run("plan", ...table, "--memory-limit", bad)).toMatchObject({
        code: 2,
        err: expect.stringContaining('such as "800MB"'),
      });
    for (const [text, bytes] of [
      ["2GiB", 2 ** 31],
      ["800MB", 8e8],
      ["1.5 GB", 1.5e9],
      ["900000000", 9e8],
    ] as const)
      expect(JSON.parse(run("plan", ...table, "--memory-limit", text, "--json").out).memoryLimit).toBe(bytes);
  });

  it("takes the limits that train takes, which decide the method of --method auto and are checked", () => {
    const planned = run("plan", ...table, "--hidden", "16,16", "--method", "auto", "--epochs", "3", "--json");
    expect(planned.code, planned.err).toBe(0);
    expect(JSON.parse(planned.out).because).toContain("was chosen because the stop rules count epochs");
    const every = run("plan", ...table, "--hidden", "16,16", "--method", "auto", "--validate-every", "5", "--json");
    expect(JSON.parse(every.out).batch).toBeDefined();
  });
});
