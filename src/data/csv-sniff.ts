// Guesses the delimiter of a table from its first lines; csv-rows.ts calls it if the options name none. It takes the one that cuts all
// lines into the same number (> 1) of values, with quotes respected. Tab, semicolon and bar come before the comma, which also occurs as a
// decimal sign; blanks come last.

const CANDIDATES = ["\t", ";", "|", ",", " "] as const;
const RECORDS = 40;

export interface Sniffed {
  /** The first lines of the table, as text. */
  readonly head: string;
  /** `head` is the whole table; else it may end in the middle of a record. */
  readonly complete: boolean;
  readonly decimal: "." | ",";
  readonly comment: string | null;
}

/** Number of values in each of the first records. A space stands for any run of blanks. */
function fieldCounts({ head, complete }: Sniffed, delimiter: string): number[] {
  const runs = delimiter === " ";
  const counts: number[] = [];
  let fields = runs ? 0 : 1;
  let quoted = false;
  let start = true; // at the start of a value, where a quote opens
  let blank = true;
  for (let i = 0; i < head.length && counts.length < RECORDS; i++) {
    const sign = head[i]!;
    if (quoted) {
      if (sign === '"') {
        if (head[i + 1] === '"') i++;
        else quoted = false;
      }
    } else if (sign === '"' && start) {
      if (runs) fields++;
      quoted = true;
      start = blank = false;
    } else if (sign === delimiter || (runs && sign === "\t")) {
      if (!runs) {
        fields++;
        blank = false;
      }
      start = true;
    } else if (sign === "\n" || sign === "\r") {
      if (!blank) counts.push(fields);
      fields = runs ? 0 : 1;
      start = blank = true;
    } else if (sign !== " ") {
      if (runs && start) fields++;
      start = blank = false;
    }
  }
  if (complete && !blank && counts.length < RECORDS) counts.push(fields);
  return counts;
}

/** The delimiter of a table; a comma when no candidate occurs (a semicolon beside decimal commas). */
export function sniffDelimiter(sniffed: Sniffed): string {
  const { decimal, comment } = sniffed;
  const lines = comment === null ? sniffed : { ...sniffed, head: withoutComments(sniffed.head, comment) };
  let best = decimal === "," ? ";" : ",";
  let bestShare = 0;
  for (const delimiter of CANDIDATES) {
    // Beside decimal commas a comma separates values only where those are quoted.
    if (delimiter === decimal && !/"[+-]?\d+,\d+"/.test(lines.head)) continue;
    const counts = fieldCounts(lines, delimiter);
    const first = counts[0] ?? 1;
    if (first < 2) continue;
    const share = counts.filter((count) => count === first).length / counts.length;
    // Blanks also occur within names and texts.
    if (delimiter === " " && share < 1) continue;
    if (share > bestShare) {
      best = delimiter;
      bestShare = share;
    }
  }
  return best;
}

function withoutComments(head: string, comment: string): string {
  return head
    .split(/\r\n|\n|\r/)
    .filter((line) => !line.trimStart().startsWith(comment))
    .join("\n");
}
