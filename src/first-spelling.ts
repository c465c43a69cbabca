// Translates four option names to and from their British spelling, which models of version 1 and every fingerprint of a run keep.
// model-file.ts reads a model of version 1 through `fromFirstSpelling`; network-options.ts and flow.ts take fingerprints of
// `inFirstSpelling`, so that a checkpoint of any version belongs to the same run.
const FIRST: readonly (readonly [name: string, first: string])[] = [
  ["initialization", "initialisation"],
  ["centered", "centred"],
  ["center", "centre"],
  ["standardize", "standardise"],
];
const TO_FIRST = new Map(FIRST);
const FROM_FIRST = new Map(FIRST.map(([name, first]) => [first, name]));

/** An object with its own keys renamed, in their order. */
function renamed(value: object, names: ReadonlyMap<string, string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [names.get(key) ?? key, held]));
}

/** The object with the names of version 1. */
export const inFirstSpelling = (value: object) => renamed(value, TO_FIRST);

/** An object of version 1 with the names of today. */
export const fromFirstSpelling = (value: object) => renamed(value, FROM_FIRST);
