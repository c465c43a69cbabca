// Packs the records of a run for checkpoints, and reads them back: the fields that all records of one form share are written once, their
// numbers as bits. A training record takes about 190 bytes, a quarter of its JSON, and infinite numbers are restored. train/checkpoint.ts
// and flow/flow-checkpoint.ts call it.
import { fileError } from "./errors.js";
import { checkFields, decodeFloats, encodeFloats, type Fields } from "./sealed-json.js";

/** A record without its numbers (0 in their place) and long texts ("" in their place). */
type Form = null | boolean | 0 | string | readonly Form[] | { readonly [key: string]: Form };

export interface PackedRecords {
  readonly recordForms: readonly Form[];
  /** Long texts of all records. */
  readonly recordTexts: readonly string[];
  /** The place of each record's form, and its numbers in the order of the fields, base64 of float64; for a long text its place. */
  readonly records: readonly (readonly [number, string])[];
}

/** Shorter texts are names (of a route, of a precision), which many records share. */
const LONGEST_NAME = 16;
/** No record has more: a forged form must not turn a few bytes into much work. */
const MOST_FIELDS = 200;

export function packRecords(records: readonly object[]): PackedRecords {
  let numbers: number[] = [];
  const places = new Map<string, number>();
  const forms = new Map<string, number>();
  const formOf = (value: unknown): Form => {
    if (typeof value === "number") {
      numbers.push(value);
      return 0;
    }
    if (typeof value === "string") {
      if (value !== "" && value.length <= LONGEST_NAME) return value;
      if (!places.has(value)) places.set(value, places.size);
      numbers.push(places.get(value) as number);
      return "";
    }
    if (Array.isArray(value)) return value.map(formOf);
    if (typeof value === "object" && value !== null)
      return Object.fromEntries(
        Object.entries(value).flatMap(([key, entry]) => (entry === undefined ? [] : [[key, formOf(entry)]])),
      );
    return value as null | boolean;
  };
  const packed = records.map((record) => {
    numbers = [];
    const text = JSON.stringify(formOf(record));
    if (!forms.has(text)) forms.set(text, forms.size);
    return [forms.get(text) as number, encodeFloats(Float64Array.from(numbers))] as const;
  });
  return {
    recordForms: [...forms.keys()].map((text) => JSON.parse(text) as Form),
    recordTexts: [...places.keys()],
    records: packed,
  };
}

/**
 * The records of a file: packed or, in files of version 1, as they are.
 * @param body that has the fields of `PackedRecords`
 * @throws GAUSSFLOW_FILE naming the part that does not fit the others
 */
export function* unpackRecords(body: Readonly<Record<string, unknown>>, where: string): Generator<unknown, void> {
  const list = (name: string) => {
    if (!Array.isArray(body[name])) throw fileError(where, `${name} must be a list`);
    return body[name] as unknown[];
  };
  const records = list("records");
  if (!records.some(Array.isArray)) {
    yield* records;
    return;
  }
  const texts = list("recordTexts");
  const forms = list("recordForms").map((form, k) => ({ form, slots: slotsOf(form, where, `recordForms[${k}]`) }));
  for (const [k, record] of records.entries()) {
    const [at, bits] = Array.isArray(record) ? (record as unknown[]) : [];
    const one = Number.isInteger(at) ? forms[at as number] : undefined;
    if (one === undefined) throw fileError(where, `records[${k}] must begin with the place of a form`);
    const numbers = decodeFloats(bits, one.slots, where, `records[${k}][1]`);
    let next = 0;
    const filled = (form: unknown): unknown => {
      if (form === 0) return numbers[next++];
      if (form === "") {
        const text = texts[numbers[next++]];
        if (typeof text !== "string")
          throw fileError(where, `records[${k}] names a text that recordTexts does not hold`);
        return text;
      }
      if (Array.isArray(form)) return form.map(filled);
      if (typeof form === "object" && form !== null)
        return Object.fromEntries(Object.entries(form).map(([key, entry]) => [key, filled(entry)]));
      return form;
    };
    yield filled(one.form);
  }
}

/** Numbers that a record of the form takes. */
function slotsOf(form: unknown, where: string, what: string): number {
  let [slots, entries] = [0, 0];
  const count = (one: unknown): void => {
    if (++entries > MOST_FIELDS) throw fileError(where, `${what} must have at most ${MOST_FIELDS} fields`);
    if (one === 0 || one === "") slots++;
    else if (typeof one === "number") throw fileError(where, `${what} must hold no number but 0; holds ${one}`);
    else if (typeof one === "object" && one !== null) for (const entry of Object.values(one)) count(entry);
  };
  count(form);
  if (slots === 0) throw fileError(where, `${what} must have a number`);
  return slots;
}

/**
 * The records of a file, unpacked and checked.
 * @param follow checks that a record follows those before it: one by one, so that a list that is wrong is refused where it begins to be
 * @throws GAUSSFLOW_FILE naming the record and the field
 */
export function readRecords<Entry extends object>(
  body: Readonly<Record<string, unknown>>,
  form: Fields,
  where: string,
  follow: (record: Entry, k: number, before: Entry | undefined) => void,
): readonly Entry[] {
  const records: Entry[] = [];
  for (const value of unpackRecords(body, where)) {
    const record = checkFields(value, form, where, `records[${records.length}]`) as Entry;
    follow(record, records.length, records.at(-1));
    records.push(record);
  }
  if (records.length === 0) throw fileError(where, "records must be a list of at least one");
  return records;
}
