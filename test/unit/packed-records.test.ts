// Records packed and unpacked: every value comes back, and no forged packing is believed, or much work.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readFlowCheckpoint } from "../../src/flow/flow-checkpoint.js";
import { GaussflowError } from "../../src/index.js";
import { packRecords, unpackRecords } from "../../src/packed-records.js";
import { encodeFloats } from "../../src/sealed-json.js";
import { readCheckpoint } from "../../src/train/checkpoint.js";
import { fc } from "../helpers/property.js";

const fixture = (name: string) => new URL(`../fixtures/${name}`, import.meta.url).pathname;
const throughJson = (value: unknown) => JSON.parse(JSON.stringify(value));

describe("records come back from their packing", () => {
  it("whatever numbers, names, texts and gaps they hold", () => {
    const leaf = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.string({ maxLength: 40 }),
      fc.constantFrom("primal", "a sentence that is longer than a name"),
    );
    const key = fc.string({ minLength: 1, maxLength: 8 }).filter((name) => name !== "__proto__");
    const record = fc
      .dictionary(key, fc.oneof(leaf, fc.dictionary(key, leaf, { maxKeys: 4 })), { maxKeys: 8 })
      .map((entries) => ({ ...entries, count: 1 }));
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), (records) => {
        // fast-check makes objects without a prototype, JSON has them with one.
        const plain = (value: unknown): unknown =>
          typeof value === "object" && value !== null && !Array.isArray(value)
            ? Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, plain(entry)]))
            : value;
        expect([...unpackRecords(throughJson(packRecords(records)), "test")]).toEqual(records.map(plain));
      }),
    );
  });

  it("without fields that are undefined, and with infinite numbers", () => {
    const records = [{ a: 1, b: undefined, c: Number.POSITIVE_INFINITY, d: -0 }];
    const [back] = [...unpackRecords(throughJson(packRecords(records)), "test")] as typeof records;
    expect(Object.keys(back!)).toEqual(["a", "c", "d"]);
    expect([back!.c, Object.is(back!.d, -0)]).toEqual([Number.POSITIVE_INFINITY, true]);
  });
});

describe("a packing is refused with", () => {
  const sound = () =>
    throughJson(
      packRecords([
        { a: 1, route: "primal" },
        { a: 2, route: "primal", why: "x".repeat(50) },
      ]),
    );
  const numbers = (...values: number[]) => encodeFloats(Float64Array.from(values));
  it.each<[string, (packed: ReturnType<typeof sound>) => unknown, RegExp]>([
    ["a form that is none", (p) => (p.records[1][0] = 7), /records\[1\] must begin with the place of a form/],
    ["a form by another name", (p) => (p.records[1][0] = "length"), /records\[1\] must begin with/],
    ["a record of another kind", (p) => (p.records[1] = { a: 1 }), /records\[1\] must begin with/],
    [
      "numbers that end too early",
      (p) => (p.records[1][1] = numbers(2)),
      /records\[1\]\[1\] must hold 2 numbers, not 1/,
    ],
    ["numbers that go on", (p) => (p.records[0][1] = numbers(1, 2)), /records\[0\]\[1\] must hold 1 numbers, not 2/],
    ["a text that is not there", (p) => (p.records[1][1] = numbers(2, 5)), /records\[1\] names a text/],
    ["texts that are none", (p) => (p.recordTexts = [3]), /records\[1\] names a text/],
    ["forms without numbers", (p) => (p.recordForms = [{ a: null }, {}]), /recordForms\[0\] must have a number/],
    ["numbers in a form", (p) => (p.recordForms = [{ a: 5 }, {}]), /recordForms\[0\] must hold no number but 0/],
    ["endless forms", (p) => (p.recordForms = [Array(1e6).fill(0)]), /recordForms\[0\] must have at most 200 fields/],
    ["no list of forms", (p) => (p.recordForms = {}), /recordForms must be a list/],
    ["no texts", (p) => delete p.recordTexts, /recordTexts must be a list/],
    ["no records", (p) => delete p.records, /records must be a list/],
  ])("%s", (_, change, message) => {
    const packed = sound();
    change(packed);
    let error: unknown;
    try {
      for (const _ of unpackRecords(packed, "file.json"));
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(GaussflowError);
    expect((error as GaussflowError).code).toBe("GAUSSFLOW_FILE");
    expect((error as GaussflowError).message).toMatch(message);
  });
});

// Written before version 2, with validation, outputs and an event.
describe("checkpoints of version 1 are read", () => {
  it("of a training", async () => {
    const path = fixture("checkpoint-v1.json");
    const { body } = JSON.parse(readFileSync(path, "utf8"));
    const state = Object.fromEntries(
      body.methodState.map(([name, , kind]: [string, string, string]) => [
        name,
        kind === "number" ? 1 : new Float64Array(0),
      ]),
    );
    const form = {
      parameterCount: 13,
      scalingLength: 13,
      relativeGradient: false,
      batches: false,
      validated: true,
      state,
    };
    const print = { digest: body.fingerprint, named: [] };
    const snapshot = await readCheckpoint({ path, agreement: null, print, slots: 1 }, form);
    expect(snapshot.iteration).toBe(6);
    expect(snapshot.records).toEqual(body.records);
    expect(snapshot.records).toHaveLength(8);
    expect(snapshot.best.parameters).toEqual(snapshot.parameters);
    expect(encodeFloats(snapshot.parameters)).toBe(body.parameters);
    expect(encodeFloats(snapshot.bestValidation!.parameters)).toBe(body.bestValidation.parameters);
    expect(snapshot.methodState.damping).toBeGreaterThan(0);
  });

  it("of a flow", async () => {
    const path = fixture("flow-checkpoint-v1.json");
    const { body } = JSON.parse(readFileSync(path, "utf8"));
    const snapshot = await readFlowCheckpoint({ path, agreement: null, print: body.fingerprint, slots: 1 }, 13);
    expect(snapshot.records).toEqual(body.records);
    expect(snapshot.time).toBe(snapshot.records.at(-1)!.time);
    expect(snapshot.outputs.map(({ time }) => time)).toEqual([0.1, 0.2]);
    expect(snapshot.events.map(({ name }) => name)).toEqual(["half"]);
  });
});

it("a packed record takes a third of its JSON or less", () => {
  const path = fixture("checkpoint-v1.json");
  const [, ...records] = JSON.parse(readFileSync(path, "utf8")).body.records as Record<string, unknown>[];
  const many = Array.from({ length: 300 }, (_, k) => records[k % records.length]!);
  expect(3 * JSON.stringify(packRecords(many)).length).toBeLessThan(JSON.stringify(many).length);
});
