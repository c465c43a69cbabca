// Formats the claims of an experiment as a text table: claim, promised, measured, holds. Long texts wrap inside their cells. gaussflow
// experiment prints it after each experiment.
import type { Claim } from "../document.js";
import { type Painter, plain } from "./paint.js";
import { type TextColumn, textTable } from "./text-table.js";

const COLUMNS: readonly TextColumn[] = [
  { heading: "claim", align: "left" },
  { heading: "promised", align: "left" },
  { heading: "measured", align: "left" },
  { heading: "holds", align: "left" },
];
// What textTable puts before the first column and between two.
const INDENT = 2;
const GAP = 2;
const NARROWEST = 10;

/** The lines of the table, without a final newline, none longer than `width`. */
export function claimsTable(claims: readonly Claim[], paint: Painter = plain, width = 100): string {
  const texts = claims.map(({ claim, promised, measured }) => [claim, promised, measured]);
  const headings = COLUMNS.map((column) => column.heading);
  const verdictWidth = headings.at(-1)!.length;
  const widths = shares(
    [0, 1, 2].map((column) => Math.max(...[headings, ...texts].map((row) => [...row[column]!].length))),
    width - INDENT - 3 * GAP - verdictWidth,
  );
  const blocks = texts.map((cells) => cells.map((cell, column) => wrapped(cell, widths[column]!)));
  const spaced = blocks.some((cells) => cells.some((lines) => lines.length > 1));
  const rows: string[][] = [];
  // The table's first line of each claim: a painted cell would count its codes as width, so the verdict is painted afterwards.
  const firsts = new Set<number>();
  for (const [index, cells] of blocks.entries()) {
    if (spaced && index > 0) rows.push([]);
    firsts.add(1 + rows.length);
    const height = Math.max(...cells.map((lines) => lines.length));
    for (let line = 0; line < height; line++) {
      const verdict = line > 0 ? "" : claims[index]!.holds ? "yes" : "NO";
      rows.push([...cells.map((lines) => lines[line] ?? ""), verdict]);
    }
  }
  return textTable(COLUMNS, rows, paint)
    .split("\n")
    .map((line, index) => {
      if (!firsts.has(index)) return line.trimEnd();
      return line.replace(/(yes|NO)$/, (word) => paint(word === "NO" ? "bad" : "good", word));
    })
    .join("\n");
}

// Columns that need less than their share of the room keep what they need; the others share the rest. A claim is a sentence: its
// share is double.
function shares(needed: readonly number[], room: number): number[] {
  const weights = [2, 1, 1];
  const widths = needed.map(() => 0);
  let open = needed.map((_, column) => column);
  let left = room;
  while (open.length > 0) {
    const part = left / open.reduce((sum, column) => sum + weights[column]!, 0);
    const share = (column: number): number => Math.max(NARROWEST, Math.floor(part * weights[column]!));
    const content = open.filter((column) => needed[column]! <= share(column));
    const settled = content.length > 0 ? content : open;
    for (const column of settled) {
      widths[column] = Math.min(needed[column]!, share(column));
      left -= widths[column]!;
    }
    open = open.filter((column) => !settled.includes(column));
  }
  return widths;
}

// Breaks between words, and inside of words that are longer than a line.
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((one) => one !== "")) {
    let rest = [...word];
    if (line !== "" && [...line].length + 1 + rest.length <= width) {
      line += ` ${word}`;
      continue;
    }
    if (line !== "") lines.push(line);
    for (; rest.length > width; rest = rest.slice(width)) lines.push(rest.slice(0, width).join(""));
    line = rest.join("");
  }
  return [...lines, line];
}
