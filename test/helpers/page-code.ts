// Runs the code of a Markdown page as a reader would: shell blocks by sh, JavaScript and TypeScript blocks as programs that import the
// package, all in one folder. A block marked `text` directly after a block of code is the expected output of that code.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";

export interface CodeBlock {
  /** Line of the page at which the block begins, from 1. */
  readonly line: number;
  readonly language: string;
  /** The opening fence says that the command fails. */
  readonly fails: boolean;
  readonly code: string;
  /** Lines of the text block that follows directly; null if none does. */
  readonly output: readonly string[] | null;
}

const FENCE = /^```(\w+)( fails)?\n([\s\S]*?)^```$/gm;

/** The code blocks of a page, in order. */
export function codeBlocks(page: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let end = 0;
  for (const { 0: whole, 1: language = "", 2: mark, 3: code = "", index } of page.matchAll(FENCE)) {
    const last = blocks.at(-1);
    if (language !== "text") {
      const line = page.slice(0, index).split("\n").length;
      blocks.push({ line, language, fails: mark !== undefined, code, output: null });
    } else if (last !== undefined && page.slice(end, index).trim() === "")
      blocks[blocks.length - 1] = { ...last, output: code.trimEnd().split("\n") };
    end = index + whole.length;
  }
  return blocks;
}

export interface Printed {
  readonly status: number | null;
  /** Standard output and standard error, as they were written. */
  readonly lines: readonly string[];
}

/** A folder from which the package, its command and the examples can be used. */
export class PageFolder {
  readonly path = mkdtempSync(join(tmpdir(), "gaussflow-page-"));
  readonly #command: string;

  /** @param root of the checkout, with a compiled library */
  constructor(root: string) {
    mkdirSync(join(this.path, "node_modules"));
    symlinkSync(root, join(this.path, "node_modules", "gaussflow"));
    symlinkSync(join(root, "examples"), join(this.path, "examples"));
    this.#command = `"${process.execPath}" "${join(root, "dist", "cli", "main.js")}"`;
  }

  run({ language, code, line }: CodeBlock): Printed {
    return language === "sh" ? this.#shell(code.replaceAll("npx gaussflow", this.#command)) : this.#program(code, line);
  }

  #program(code: string, line: number): Printed {
    const file = join(this.path, `line-${line}.mjs`);
    const { ESNext } = ts.ModuleKind;
    const compilerOptions = { module: ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true };
    writeFileSync(file, ts.transpileModule(code, { compilerOptions }).outputText);
    return this.#shell(`"${process.execPath}" "${file}"`);
  }

  #shell(script: string): Printed {
    const child = spawnSync("sh", ["-ec", `exec 2>&1\n${script}`], { cwd: this.path, encoding: "utf8" });
    return { status: child.status, lines: child.stdout.split("\n").map((line) => line.trimEnd()) };
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}

/** A time with its unit; a number. */
const TIME = /[\d.]+(?:e-?\d+)? (?:s|ms|µs)\b/g;
const NUMBER = /\d[\d.]*(?:e[+-]?\d+)?/g;

/** Figures agree to this share: another processor rounds differently, and a page shows few digits. */
const AGREEMENT = 0.02;

/** Whether a printed line is the expected one, times and small differences in figures apart. */
export function sameLine(expected: string, printed: string): boolean {
  const [shown, got] = [expected, printed].map((line) => line.replace(TIME, "TIME").replace(/ +/g, " "));
  const words = (line: string) => line.replace(NUMBER, "#");
  if (words(shown!) !== words(got!)) return false;
  const figures = (line: string) => [...line.matchAll(NUMBER)].map(([figure]) => Number.parseFloat(figure));
  const found = figures(got!);
  return figures(shown!).every((value, k) => Math.abs(value - found[k]!) <= AGREEMENT * Math.abs(value));
}

/** The first expected line that was not printed, in order, after the lines before it; null if all were. "..." stands for any lines. */
export function firstMissing(expected: readonly string[], printed: readonly string[]): string | null {
  let from = 0;
  let gap = false;
  for (const line of expected) {
    if (line === "...") {
      gap = true;
      continue;
    }
    const found = printed.findIndex((candidate, k) => k >= from && sameLine(line, candidate));
    if (found < 0 || (!gap && found !== from)) return line;
    from = found + 1;
    gap = false;
  }
  return null;
}
