// Files of runs and models for tests: a file that lies under a sound checksum, and records without the clock.
import { readFileSync, writeFileSync } from "node:fs";
import { unpackRecords } from "../../src/packed-records.js";
import { seal } from "../../src/sealed-json.js";

// biome-ignore lint/suspicious/noExplicitAny: the point is to write anything into it
export type Body = any;

/**
 * The same file, but for a change to its body: sealed anew, so that the check behind the checksum is the one that acts. Packed records
 * become the list that files of version 1 have, which is read as well.
 */
export function reseal(text: string, change: (body: Body) => unknown): string {
  const { format, version, body } = JSON.parse(text);
  if (Array.isArray(body.records)) body.records = [...unpackRecords(body, "records")];
  change(body);
  return seal(format, version, body);
}

/** Writes such a file beside `path` and returns where. */
export function resealed(path: string, change: (body: Body) => unknown): string {
  const copy = `${path}.resealed`;
  writeFileSync(copy, reseal(readFileSync(path, "utf8"), change));
  return copy;
}

/** All of the records that may not depend on how a run was come by. */
export function timelessRecords<Record extends { readonly elapsed: number }>(records: readonly Record[]) {
  return records.map(({ elapsed: _elapsed, ...rest }) => {
    const { seconds: _seconds, ...record } = rest as typeof rest & { readonly seconds?: unknown };
    return record;
  });
}
