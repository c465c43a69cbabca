// The code of README.md, docs/guide.md, docs/equations.md, docs/fitting.md and docs/uncertainty.md runs and prints what the pages show, and all pages link and name existing files.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { burgersSolution } from "../../src/experiment/equations/burgers-solution.js";
import { buildLibrary } from "../helpers/build.js";
import { codeBlocks, firstMissing, PageFolder, sameLine } from "../helpers/page-code.js";

const root = join(import.meta.dirname, "../..");
const blocksOf = (page: string) => codeBlocks(readFileSync(join(root, page), "utf8"));
let folder: PageFolder;

beforeAll(() => {
  buildLibrary();
  folder = new PageFolder(root);
}, 300_000); // may compile dist, on a machine that may be busy

afterAll(() => folder.remove());

it.each(["docs/guide.md", "docs/equations.md", "docs/fitting.md", "docs/uncertainty.md"])(
  "%s: every block runs and prints what the page shows",
  (page) => {
    for (const block of blocksOf(page)) {
      const { status, lines } = folder.run(block);
      const context = `block at line ${block.line} printed\n${lines.join("\n")}`;
      expect(status !== 0, context).toBe(block.fails);
      if (block.output !== null) expect(firstMissing(block.output, lines), context).toBeNull();
    }
  },
  300_000,
);

describe("README.md", () => {
  const programs = blocksOf("README.md").filter(({ language }) => language === "ts");
  const [first, second, batches] = programs;
  const own = programs.find(({ code }) => code.includes("curveFit"));
  const equation = programs.find(({ code }) => code.includes("equations("));
  const theory = programs.find(({ code }) => code.includes("flow("));

  it("has the programs that run here", () => {
    expect(programs).toHaveLength(6);
  });

  it("trains, predicts, runs many trainings and trains on batches", () => {
    const { status, lines } = folder.run({
      ...first!,
      code: `${first!.code}${second!.code}${batches!.code}console.log(metrics, mean.length, trained.parameterCount);`,
    });
    expect(status, lines.join("\n")).toBe(0);
  });

  it("fits a model", () => {
    const { status, lines } = folder.run(own!);
    expect(status, lines.join("\n")).toBe(0);
    expect(lines.join("\n")).toMatch(/V +21\d\.\d+ .*\n.*K +0\.06/);
  });

  it("solves a differential equation", () => {
    const { status, lines } = folder.run(equation!);
    expect(status, lines.join("\n")).toBe(0);
    const shown = /u: (-0\.\d+), (-0\.\d+)/.exec(equation!.code)?.slice(1).map(Number);
    const exact = [0.25, 0.5].map((x) => burgersSolution(x, 0.5, 0.05));
    const printed = /u: Float64Array\(2\) \[ (\S+), (\S+) \]/.exec(lines.join(" "))?.slice(1).map(Number);
    for (const k of [0, 1]) {
      expect(shown![k]).toBeCloseTo(exact[k]!, 4); // four digits are shown
      expect(printed![k]).toBeCloseTo(exact[k]!, 4);
    }
  });

  it("measures the rate that the page shows", () => {
    const { status, lines } = folder.run(theory!);
    expect(status, lines.join("\n")).toBe(0);
    const shown = /^\/\/ (the flow is .*)$/m.exec(theory!.code)?.[1];
    expect(
      lines.some((line) => sameLine(shown!, line)),
      lines.join("\n"),
    ).toBe(true);
  });
});

describe("links and paths lead to files of the repository", () => {
  const docs = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  const pages = ["README.md", "CONTRIBUTING.md", ...docs.map((name) => `docs/${name}`)];

  it.each(pages)("%s", (page) => {
    const prose = readFileSync(join(root, page), "utf8").replace(/^```[\s\S]*?^```$/gm, "");
    const links = [...prose.replace(/`[^`\n]*`/g, "").matchAll(/\]\((?![a-z]+:)([^)#]+)(?:#[^)]*)?\)/g)];
    const paths = [...prose.matchAll(/`((?:src|native|bench|test|scripts)\/[\w./-]+)`/g)];
    const targets = [
      ...links.map(([, target]) => join(dirname(page), target!)),
      ...paths.map(([, path]) => path!).filter((path) => !path.includes("NAME")),
    ];
    expect(targets.filter((target) => !existsSync(join(root, target)))).toEqual([]);
  });
});

describe("the comparison of a page with what is printed", () => {
  const printed = ["reading", "loss 0.5000 after 3 s", "done", ""];
  it.each([
    ["the same lines", ["reading", "loss 0.5 after 12 ms", "done"], null],
    ["a gap", ["reading", "...", "done"], null],
    ["another figure", ["reading", "loss 0.6 after 3 s"], "loss 0.6 after 3 s"],
    ["other words", ["reading", "cost 0.5 after 3 s"], "cost 0.5 after 3 s"],
    ["a line left out without a gap", ["reading", "done"], "done"],
  ])("%s", (_, expected, missing) => {
    expect(firstMissing(expected, printed)).toBe(missing);
  });
});
