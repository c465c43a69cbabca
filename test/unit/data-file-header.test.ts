// Headers of data files that cannot be: each is refused with GAUSSFLOW_FILE, whatever JSON it is.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openDataFile } from "../../src/index.js";

const path = join(mkdtempSync(join(tmpdir(), "gaussflow-header-")), "d.gfd");
const sound = { rows: 1, features: ["a"], targets: ["y"], weighted: false, encoding: null };

function write(header: string, room: number): void {
  const rows = Buffer.from(Float64Array.of(1, 2).buffer);
  writeFileSync(path, Buffer.concat([Buffer.from(`GFDATA1\n${String(room).padEnd(8)}${header.padEnd(room)}`), rows]));
}

it.each([
  ["null", "null", 4080, /the header must be an object; received null/],
  ["a list", "[]", 4080, /the header must be an object; received an array/],
  ["a number", "5", 4080, /the header must be an object; received 5/],
  ["lists in lists", "[".repeat(4000), 4080, /it is not JSON/],
  ["one that ends off a page", JSON.stringify(sound), 4079, /has a damaged header/],
])("a header that is %s is refused", (_, header, room, message) => {
  write(header, room);
  expect(() => openDataFile(path)).toThrow(expect.objectContaining({ code: "GAUSSFLOW_FILE" }));
  expect(() => openDataFile(path)).toThrow(message);
});

it("and the one these start from is sound", () => {
  write(JSON.stringify(sound), 4080);
  expect(openDataFile(path).sampleCount).toBe(1);
});
