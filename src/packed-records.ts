// Records of a run, packed: what all records of one form share is written once, their numbers as bits. A record of training takes about
// 190 bytes so, a quarter of its JSON, and infinite numbers come back.
import { fileError } from "./errors.js";
import { checkRecords, decodeFloats, encodeFloats, type Fields, fields } from "./sealed-json.js";

/** A record without its numbers (0 in their place) and long texts ("" in their place). */
type Form = null | boolean | 0 | string | readonly Form[] | { readonly [key: string]: Form };

export interface PackedRecords {
  readonly forms: readonly Form[];
  /** Of each record, which form it has. */
  readonly form: readonly number[];
  /** All numbers in the order of records and fields, base64 of float64; for a long text its place in `texts`. */
  readonly numbers: string;
  readonly texts: readonly string[];
}

/** Shorter texts are names (of a route, of a precision), which many records share. */
const LONGEST_NAME = 16;
/** No record has more: a forged form must not turn a few bytes into much work. */
const MOST_FIELDS = 200;

export function packRecords(records: readonly object[]): PackedRecords {
  const numbers: number[] = [];
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
  const form = records.map((record) => {
    const text = JSON.stringify(formOf(record));
    if (!forms.has(text)) forms.set(text, forms.size);
    return forms.get(text) as number;
  });
  return {
    forms: [...forms.keys()].map((text) => JSON.parse(text) as Form),
    form,
    numbers: encodeFloats(Float64Array.from(numbers)),
    texts: [...places.keys()],
  };
}

/** @throws GAUSSFLOW_FILE naming the part that does not fit the others */
export function unpackRecords(value: unknown, where: string): unknown[] {
  const packed = fields(value, where, "records");
  const list = (name: string) => {
    if (!Array.isArray(packed[name])) throw fileError(where, `records.${name} must be a list`);
    return packed[name] as unknown[];
  };
  const texts = list("texts");
  const forms = list("forms").map((form, k) => ({ form, slots: slotsOf(form, where, `records.forms[${k}]`) }));
  const numbers = decodeFloats(packed.numbers, null, where, "records.numbers");
  let next = 0;
  const filled = (form: unknown): unknown => {
    if (form === 0) return numbers[next++];
    if (form === "") {
      const text = texts[numbers[next++]];
      if (typeof text !== "string") throw fileError(where, "records.texts does not hold a text that a record names");
      return text;
    }
    if (Array.isArray(form)) return form.map(filled);
    if (typeof form === "object" && form !== null)
      return Object.fromEntries(Object.entries(form).map(([key, entry]) => [key, filled(entry)]));
    return form;
  };
  const records = list("form").map((at, k) => {
    const one = Number.isInteger(at) ? forms[at as number] : undefined;
    if (one === undefined) throw fileError(where, `records.form[${k}] must be the place of a form`);
    if (next + one.slots > numbers.length) throw fileError(where, "records.numbers ends before the records do");
    return filled(one.form);
  });
  if (next !== numbers.length) throw fileError(where, "records.numbers goes on after the last record");
  return records;
}

/** Numbers that a record of the form takes. At least one, so that the number of records is bounded by the length of the file. */
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
 * The records of a file, packed or, in files of version 1, as a list.
 * @throws GAUSSFLOW_FILE naming the record and the field
 */
export function readRecords(value: unknown, form: Fields, where: string): readonly object[] {
  return checkRecords(Array.isArray(value) ? value : unpackRecords(value, where), form, where);
}
