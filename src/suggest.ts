// Makes the "did you mean ...?" of errors: the nearest of the known names by edit distance (insertions, deletions, replacements).
// options.ts calls it for misspelled options, and the CSV reader for columns and options.

function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++)
      row.push(Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    previous = row;
  }
  return previous[b.length]!;
}

/** The known name nearest to `name`, or null if none is near. */
export function nearest(name: string, known: readonly string[]): string | null {
  const plain = (text: string) =>
    text
      .slice(0, 60)
      .toLowerCase()
      .replace(/[\s_-]+/g, "");
  let best: string | null = null;
  let least = Math.max(1, Math.floor(plain(name).length / 3)) + 1;
  for (const candidate of known.slice(0, 2000)) {
    const d = distance(plain(name), plain(candidate));
    if (d < least) {
      least = d;
      best = candidate;
    }
  }
  // An abbreviation is far by edits and near in meaning.
  const short = plain(name);
  return best ?? (short.length >= 3 ? (known.find((candidate) => plain(candidate).startsWith(short)) ?? null) : null);
}

/** A short list of names for an error message. */
export function listed(names: readonly string[], limit = 12): string {
  const short = names.slice(0, limit).map((name) => (name.length > 40 ? `${name.slice(0, 37)}...` : name));
  return short.join(", ") + (names.length > limit ? `, ... (${names.length} in all)` : "");
}

/** The tail of a message about an unknown name: the nearest known one, or all of them. */
export function suggestion(name: string, known: readonly string[], limit?: number): string {
  const near = nearest(name, known);
  return near === null ? `known are: ${listed(known, limit)}` : `did you mean ${JSON.stringify(near)}?`;
}
