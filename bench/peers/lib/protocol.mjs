// Parses what a peer prints on stdout, and finds in it the time at which a loss level was reached. run-peer.mjs parses the output while and
// after a peer runs; compare.mjs, shares.mjs and uci-comparison.mjs read levels and lowest losses from the result. Lines of a peer:
//
//   version TEXT                 once, before its clock starts
//   loss SECONDS COUNT MSE       training seconds, iterations or evaluations so far, mean squared error over samples and outputs
//   end REASON                   once
//
// The clock starts when data and libraries are in memory, without any warm-up: its time includes compilation, starting of threads and first
// touches of memory. It includes losses that the peer computes in its own work, and excludes a loss that is computed for the record alone
// (Adam's loss on the full set). All other lines are output of the libraries and are ignored.

/** { version, losses: [{ seconds, count, loss }], end }; `version` and `end` are null where the line did not come. */
export function parsePeerOutput(text) {
  const answer = { version: null, losses: [], end: null };
  // A killed peer may have been in the middle of its last line.
  const lines = text.split("\n").slice(0, -1);
  for (const line of lines) {
    const [, keyword, rest] = /^(version|loss|end) (.*)$/.exec(line) ?? [];
    if (keyword === "version") answer.version = rest.trim();
    else if (keyword === "end") answer.end = rest.trim();
    else if (keyword === "loss") answer.losses.push(parseLoss(rest, line));
  }
  return answer;
}

/** The seconds of the last whole line, where that is a loss; NaN else. */
export function latestSeconds(text) {
  const end = text.lastIndexOf("\n");
  const line = text.slice(text.lastIndexOf("\n", end - 1) + 1, Math.max(end, 0));
  return Number(/^loss (\S+) /.exec(line)?.[1]);
}

function parseLoss(rest, line) {
  const words = rest.trim().split(/\s+/);
  const [seconds, count] = words.map(Number);
  const last = parseNumber(words[2]);
  if (words.length !== 3 || !(seconds >= 0) || !Number.isInteger(count) || last === null)
    throw new Error(`a peer's line must be "loss SECONDS COUNT MSE"; received ${JSON.stringify(line)}`);
  return { seconds, count, loss: last };
}

/** A number as C, Python or JavaScript prints it, infinities and nan included; null where it is none. */
function parseNumber(word) {
  if (/^-?nan$/i.test(word ?? "")) return Number.NaN;
  if (/^inf(inity)?$/i.test(word ?? "")) return Number.POSITIVE_INFINITY;
  const value = Number(word);
  return word === undefined || Number.isNaN(value) ? null : value;
}

/** The first point at or below `level` as { seconds, count }, or null. */
export function reach(losses, level) {
  const { seconds, count } = losses.find(({ loss }) => loss <= level) ?? {};
  return seconds === undefined ? null : { seconds, count };
}

/** The lowest loss and when it was first seen, or null where there is no finite one. */
export function lowest(losses) {
  let best = null;
  for (const point of losses) if (Number.isFinite(point.loss) && !(best?.loss <= point.loss)) best = point;
  return best;
}
