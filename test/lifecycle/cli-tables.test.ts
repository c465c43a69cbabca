// Tables on the command line, through its own program: every case is read with its flags or refused with a flag that exists and works, on each command that reads one.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { errorText, exitCodeOf } from "../../src/cli/exit.js";
import { makeProgram } from "../../src/cli/program.js";
import { painterFor } from "../../src/report/paint.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-tables-"));

/** A stream that keeps what is written. */
class Kept extends Writable {
  text = "";
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** The program that `gaussflow` runs, on streams that are kept: hundreds of processes would take minutes. */
async function run(args: readonly string[]) {
  const [out, err] = [new Kept(), new Kept()];
  const streams = { out: out as unknown as NodeJS.WriteStream, err: err as unknown as NodeJS.WriteStream };
  let code = -1;
  const paints = { paintOut: painterFor(streams.out), paintErr: painterFor(streams.err) };
  const program = makeProgram({ ...streams, ...paints }, (given) => {
    code = given;
  });
  try {
    await program.parseAsync(["node", "gaussflow", ...args]);
  } catch (error) {
    err.write(errorText(error));
    code = exitCodeOf(error);
  }
  return { code, out: out.text, err: err.text };
}

function table(name: string, text: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Rows of a table, from a function of the row. */
const lines = (count: number, row: (i: number) => string) => Array.from({ length: count }, (_, i) => row(i)).join("\n");

const QUICK = ["--iterations", "2", "--hidden", "2", "--backend", "typescript"];

interface Case {
  readonly file: string;
  readonly text: string | Buffer;
  /** What the error says without flags; null: it is read. */
  readonly refused: RegExp | null;
  /** The flags that the error names, or that the case wants. */
  readonly flags: readonly string[];
  /** Among the notes. */
  readonly note?: RegExp;
}

const CASES: readonly Case[] = [
  {
    file: "quoted-comma.csv",
    text: `a,b,y\n${lines(12, (i) => `"${i},5","1,${i}",${i}`)}\n`,
    refused: /line 2, column "a": a comma .* --decimal-comma/,
    flags: ["--decimal-comma"],
  },
  {
    file: "thousands.csv",
    text: `area,price\n${lines(12, (i) => `${i},"${i + 1},760.6"`)}\n`,
    refused: /line 2, column "price": thousands .* --thousands ,/,
    flags: ["--thousands", ","],
  },
  {
    file: "thousands-de.csv",
    text: `area;price\n${lines(12, (i) => `${i},5;${i + 1}.760,60`)}\n`,
    refused: /--decimal-comma/,
    flags: ["--decimal-comma", "--thousands", "."],
  },
  {
    file: "latin1.csv",
    text: Buffer.from(`gr\xf6\xdfe,y\n${lines(12, (i) => `${i},${i}`)}\n`, "latin1"),
    refused: /--charset latin1/,
    flags: ["--charset", "latin1"],
  },
  {
    file: "twice.csv",
    text: `time,temp,temp,y\n${lines(12, (i) => `${i},${i},${2 * i},${i}`)}\n`,
    refused: /columns 2 and 3 have the same name.*--ignore 'column 3'/,
    flags: ["--ignore", "column 3"],
  },
  {
    file: "trailing.csv",
    text: `a,b,y,\n${lines(12, (i) => `${i},${i * i},${i},`)}\n`,
    refused: null,
    flags: [],
    note: /left out, without a name and without values: column 4/,
  },
  {
    file: "comments.csv",
    text: `# station X\n# units: m, s\na,b,y\n${lines(12, (i) => `${i},${i * i},${i}`)}\n`,
    refused: /--comment '#'/,
    flags: ["--comment", "#"],
  },
  {
    file: "skip.csv",
    text: `logger of 2024\na,b,y\n${lines(12, (i) => `${i},${i * i},${i}`)}\n`,
    refused: /no column is left for the inputs; --skip 1/,
    flags: ["--skip", "1"],
  },
  {
    file: "units.csv",
    text: `level,b,y\n[step],[s],\n${lines(12, (i) => `${i},${i * i},${i}`)}\n`,
    refused: /line 2.* --units-row/,
    flags: ["--units-row"],
    note: /the row of units was left out: \[step\], \[s\]/,
  },
  { file: "sep.csv", text: `sep=;\na;b;y\n${lines(12, (i) => `${i};${i * i};${i}`)}\n`, refused: null, flags: [] },
  {
    file: "blanks.data",
    text: `${lines(12, (i) => `   ${i}    ${i * i}  ${i}`)}\n`,
    refused: null,
    flags: [],
    note: /taken as data.*--header yes/,
  },
  {
    file: "dash.csv",
    text: `cyl,b,y\n${lines(12, (i) => `${i === 5 ? "-" : 4 + (i % 3)},${i},${i}`)}\n`,
    refused: /line 7, column "cyl": the value is missing.*--missing drop/,
    flags: ["--missing", "drop"],
    note: /1 of 12 rows were left out/,
  },
  {
    file: "stray.csv",
    text: `cyl,b,y\n${lines(12, (i) => `${i === 5 ? "n.d." : 4 + (i % 3)},${i},${i}`)}\n`,
    refused: /line 7, column "cyl": is not a number.*--missing-values n\.d\./,
    flags: ["--missing-values", "n.d.", "--missing", "drop"],
  },
  {
    file: "percent.csv",
    text: `hum,price,y\n${lines(12, (i) => `${i}%,$${i}.5,${i}`)}\n`,
    refused: null,
    flags: [],
    note: /"hum": the sign % is left out/,
  },
  {
    file: "boolean.csv",
    text: `a,won\n${lines(12, (i) => `${i},${i % 3 === 0 ? "True" : "False"}`)}\n`,
    refused: null,
    flags: [],
    note: /"won" holds booleans: a classification with 2 classes.*--task regression reads them as 0 and 1/,
  },
  {
    file: "years.csv",
    text: `1990,2000,2010\n${lines(12, (i) => `${i},${i * i},${i}`)}\n`,
    refused: null,
    flags: [],
    note: /header, because it is a run of years; --header no/,
  },
  {
    file: "ids.csv",
    text: `id,b,y\n${lines(12, (i) => `123456789012345671${i + 10},${i},${i}`)}\n`,
    refused: null,
    flags: [],
    note: /"id": integers beyond 2\^53 lose digits/,
  },
  {
    file: "dates.csv",
    text: `t,y\n${lines(12, (i) => `2024-01-${i + 10},${i}`)}\n`,
    refused: /column "t".*--(dates|ignore) t/,
    flags: ["--dates", "t"],
  },
];

describe.each(CASES)("$file", ({ file, text, refused, flags, note }) => {
  it("is refused with a flag, or read, and its flags work on train, plan, convert, predict and evaluate", async () => {
    const path = table(file, text);
    const model = join(folder, `${file}.json`);
    if (refused !== null) {
      for (const args of [
        ["train", path, ...QUICK],
        ["plan", path],
        ["convert", path, join(folder, "none.gfd")],
      ]) {
        const { code, err } = await run(args);
        expect([code, err.trim().split("\n").at(-1)]).toEqual([1, expect.stringMatching(refused)]);
        expect(err).not.toMatch(/options\.|[a-z]+: "/);
      }
    }
    const trained = await run(["train", path, ...QUICK, ...flags, "--out", model]);
    expect(trained.code, trained.err).toBe(0);
    if (note !== undefined) expect(trained.err).toMatch(note);
    expect((await run(["plan", path, ...flags])).code).toBe(0);
    expect((await run(["convert", path, join(folder, `${file}.gfd`), ...flags])).code).toBe(0);
    const predicted = await run(["predict", model, path, ...flags]);
    expect([predicted.code, predicted.out.trim().split("\n").length]).toEqual([
      0,
      file === "dash.csv" || file === "stray.csv" ? 12 : 13,
    ]);
    expect((await run(["evaluate", model, path, ...flags, "--json"])).code).toBe(0);
  });
});

describe("flags of tables", () => {
  it("--no-header names the flag in its place, on every command that reads a table", async () => {
    const path = table("plain.csv", "a,y\n1,2\n3,4\n");
    for (const args of [
      ["train", path],
      ["plan", path],
      ["convert", path, join(folder, "x.gfd")],
      ["predict", "m", path],
    ]) {
      const { code, err } = await run([...args, "--no-header"]);
      expect([code, err]).toEqual([2, expect.stringContaining("--header no")]);
    }
  });
  it("--numeric, --max-categories, --group, --order and --in-order reach the reader", async () => {
    const path = table(
      "groups.csv",
      `who,t,k,x,y\n${lines(60, (i) => `p${i % 6},${60 - i},${"abc"[i % 3]},${i * i},${i}`)}\n`,
    );
    expect((await run(["train", path, "--numeric", "k", ...QUICK])).err).toMatch(/line 2, column "k": is not a number/);
    expect((await run(["train", path, "--ignore", "who", "--max-categories", "2", ...QUICK])).err).toMatch(
      /line 4, column "k": .*--max-categories 4/,
    );
    const plan = async (...flags: string[]) => {
      const { code, out, err } = await run(["plan", path, "--ignore", "k", "--hidden", "4", ...flags, "--json"]);
      expect(code, err).toBe(0);
      return JSON.parse(out).sampleCount;
    };
    // Whole groups of ten rows; 9 of 60 rows at random and in order.
    expect([
      await plan("--group", "who"),
      await plan("--ignore", "who", "--order", "t"),
      await plan("--ignore", "who", "--in-order"),
    ]).toEqual([40, 42, 42]);
    expect((await run(["train", path, "--order", "t", "--in-order"])).code).toBe(2);
    const folds = await run([
      "train",
      path,
      "--ignore",
      "k",
      "--group",
      "who",
      "--cross-validate",
      "3",
      ...QUICK,
      "--json",
    ]);
    expect(folds.code, folds.err).toBe(0);
    expect(folds.out).toContain('"type":"cross-validation"');
  });
  it("--memory-limit covers the table: a small packed file of many rows is refused with the rows read and the way out", async () => {
    const path = table("bomb.csv.gz", gzipSync(`a,b\n1,2\n${"1,2\n".repeat(6_000_000)}`));
    expect(readFileSync(path).length).toBeLessThan(100_000);
    for (const args of [
      ["train", path, ...QUICK],
      ["plan", path],
    ]) {
      const { code, err } = await run([...args, "--memory-limit", "150MB"]);
      expect([code, err]).toEqual([
        1,
        expect.stringMatching(/memory limit of .*: \d+ rows of 2 numbers were read.*gaussflow convert/),
      ]);
    }
    expect((await run(["convert", path, join(folder, "bomb.gfd")])).code).toBe(0);
  });
  it("the help of every command that reads a table shows them", async () => {
    for (const command of ["train", "plan", "convert", "predict", "evaluate"]) {
      const { out } = await run([command, "--help"]);
      for (const flag of [
        "--header <answer>",
        "--units-row",
        "--skip",
        "--comment",
        "--thousands",
        "--charset",
        "--missing-values",
        "--dates",
      ])
        expect(out).toContain(flag);
      expect(out).not.toContain("--no-header");
    }
  });
});
