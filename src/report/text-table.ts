// Formats plain text tables for the commands plan and experiment, the other tables of this folder and the demo: a heading row, a body,
// columns as wide as their widest cell.
import { type Painter, plain } from "./paint.js";

/** How a column is set. */
export interface TextColumn {
  readonly heading: string;
  readonly align: "left" | "right";
}

// Control characters in a cell (a column name from a file may hold any) would move the cursor: show them as a dot.
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what we are after
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "·");
}

/** The lines of a table, without a final newline. Rows shorter than the columns are filled with empty cells. */
export function textTable(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
  paint: Painter = plain,
): string {
  const cells = [columns.map((column) => column.heading), ...rows].map((row) =>
    columns.map((_, index) => printable(row[index] ?? "")),
  );
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => [...row[index]!].length)));
  return cells
    .map((row, line) => {
      const text = row
        .map((cell, index) => {
          const gap = " ".repeat(widths[index]! - [...cell].length);
          return columns[index]!.align === "left" ? cell + gap : gap + cell;
        })
        .join("  ")
        .trimEnd();
      return line === 0 ? paint("muted", `  ${text}`) : `  ${text}`;
    })
    .join("\n");
}
