// --slots of gaussflow train and plan, as a user meets it.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CommandLine } from "../helpers/command-line.js";

const cars = "examples/data/auto-mpg.csv --target mpg --ignore name --missing mean --hidden 16,16".split(" ");
const folder = mkdtempSync(join(tmpdir(), "gaussflow-"));
const cli = new CommandLine();

beforeAll(() => {
  cli.build();
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (...args: readonly string[]) => cli.run(args);

const train = (...args: readonly string[]) => run("train", ...cars, "--hidden", "5", "--json", ...args);
const parameters = (path: string) => JSON.parse(readFileSync(path, "utf8")).body.parameters;

describe("--slots", () => {
  it("is part of what plan prints", () => {
    expect(JSON.parse(run("plan", ...cars, "--json").out)).toMatchObject({ slots: 1 });
    expect(JSON.parse(run("plan", ...cars, "--slots", "4", "--json").out)).toMatchObject({ slots: 4 });
    expect(run("plan", ...cars, "--slots", "4").out).toMatch(/ parameters, \d+ threads?, 4 slots, /);
  });

  it("trains with those slots, and a checkpoint keeps them", () => {
    const [whole, half, resumed, state] = ["whole", "half", "resumed", "state"].map((name) => join(folder, name));
    const kept = ["--patience", "100", "--checkpoint", state!];
    const trained = train("--slots", "4", "--patience", "100", "--iterations", "12", "--out", whole!);
    expect(trained.code, trained.err).toBe(0);
    expect(trained.out).toMatch(/, 4 slots"/);
    expect(train("--slots", "4", ...kept, "--iterations", "5", "--out", half!).code).toBe(0);
    const more = train(...kept, "--resume", state!, "--iterations", "12", "--out", resumed!);
    expect(more.code, more.err).toBe(0);
    expect(more.out).toMatch(/, 4 slots"/);
    expect(JSON.parse(more.out.trim().split("\n").at(-1)!)).toMatchObject({ type: "result", slots: 4 });
    expect(parameters(resumed!)).toEqual(parameters(whole!));
    const other = train("--slots", "8", "--resume", state!);
    expect(other.code).toBe(1);
    expect(other.err).toContain("was written with slots 4, and --slots is 8");
  });

  it("is refused with its own name and a remedy", () => {
    for (const command of ["train", "plan"]) {
      const odd = run(command, ...cars, "--slots", "3");
      expect(odd.code).toBe(2);
      expect(odd.err).toMatch(/--slots must be a power of two from 1 to 1024 \(1, 2, 4, \.\.\.\); received 3/);
      const many = run(command, ...cars, "--slots", "512");
      expect(many.code).toBe(2);
      expect(many.err).toMatch(/--slots must be at most the number of samples that are fitted, \d+; received 512/);
    }
  });
});
