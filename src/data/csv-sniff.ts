// Which delimiter a table uses, from its first lines: the one that cuts all of them into the same number (> 1) of values,
// quotes honoured. Tab, semicolon and bar go before the comma, which also occurs as a decimal sign.

const CANDIDATES = ["\t", ";", "|", ","] as const;
const RECORDS = 40;

/** Number of values in each of the first records of `head`, which may end in the middle of a record. */
function fieldCounts(head: string, delimiter: string, complete: boolean): number[] {
  const counts: number[] = [];
  let fields = 1;
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
      quoted = true;
      start = blank = false;
    } else if (sign === delimiter) {
      fields++;
      start = true;
      blank = false;
    } else if (sign === "\n" || sign === "\r") {
      if (!blank) counts.push(fields);
      fields = 1;
      start = blank = true;
    } else if (sign !== " ") start = blank = false;
  }
  if (complete && !blank && counts.length < RECORDS) counts.push(fields);
  return counts;
}

/**
 * The delimiter of a table that begins with `head`; a comma when no candidate occurs.
 * @param complete `head` is the whole table
 */
export function sniffDelimiter(head: string, decimal: "." | ",", complete: boolean): string {
  let best = ",";
  let bestShare = 0;
  for (const delimiter of CANDIDATES) {
    if (delimiter === decimal) continue;
    const counts = fieldCounts(head, delimiter, complete);
    const first = counts[0] ?? 1;
    if (first < 2) continue;
    const share = counts.filter((count) => count === first).length / counts.length;
    if (share > bestShare) {
      best = delimiter;
      bestShare = share;
    }
  }
  return decimal === "," && bestShare === 0 ? ";" : best;
}

/** True when values are padded with blanks before a quote, which the parser must then be told to trim. */
export function hasPaddedQuotes(head: string, delimiter: string): boolean {
  for (let at = head.indexOf(' "'); at >= 0; at = head.indexOf(' "', at + 1)) {
    let i = at;
    while (i >= 0 && head[i] === " ") i--;
    if (i < 0 || head[i] === delimiter || head[i] === "\n" || head[i] === "\r") return true;
  }
  return /"[ ]+([,;|\t\r\n]|$)/.test(head);
}
