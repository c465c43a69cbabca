// Reads JSON that comes from outside strictly: each call takes one value, checks its kind and names the place of an error. encoding-json.ts
// reads encodings of models and data files with it.

/** What is read, and how its errors are made. */
export class StrictJson {
  readonly #errorOf: (rule: string) => Error;

  /** @param errorOf makes the error of a rule that is broken; the rule begins with the place */
  constructor(errorOf: (rule: string) => Error) {
    this.#errorOf = errorOf;
  }

  fail(path: string, rule: string): never {
    throw this.#errorOf(`${path} ${rule}`);
  }

  /** An object that has all `keys` and, of others, only `optional` ones. */
  record(
    given: unknown,
    path: string,
    keys: readonly string[],
    optional: readonly string[] = [],
  ): Record<string, unknown> {
    if (given === null || typeof given !== "object" || Array.isArray(given)) this.fail(path, "must be an object");
    const found = Object.keys(given as object);
    for (const key of keys) if (!found.includes(key)) this.fail(`${path}.${key}`, "is missing");
    const foreign = found.find((key) => !keys.includes(key) && !optional.includes(key));
    if (foreign !== undefined) this.fail(`${path}.${foreign.slice(0, 40)}`, "is not a field of an encoding");
    return given as Record<string, unknown>;
  }

  list(given: unknown, path: string): unknown[] {
    return Array.isArray(given) ? given : this.fail(path, "must be a list");
  }

  text(given: unknown, path: string): string {
    return typeof given === "string" ? given : this.fail(path, "must be a text");
  }

  texts(given: unknown, path: string): string[] {
    return this.list(given, path).map((one, i) => this.text(one, `${path}[${i}]`));
  }

  number(given: unknown, path: string): number {
    return typeof given === "number" && Number.isFinite(given) ? given : this.fail(path, "must be a finite number");
  }

  oneOf<T>(given: unknown, path: string, allowed: readonly T[]): T {
    if (allowed.includes(given as T)) return given as T;
    return this.fail(path, `must be ${allowed.map((one) => JSON.stringify(one)).join(" or ")}`);
  }

  distinct(values: readonly string[], path: string): readonly string[] {
    const seen = new Set<string>();
    const twice = values.find((one) => seen.size === seen.add(one).size);
    if (twice !== undefined) this.fail(path, `must not hold ${JSON.stringify(twice.slice(0, 40))} twice`);
    return values;
  }
}
