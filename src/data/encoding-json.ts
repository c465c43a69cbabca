// The strict check of a TableEncoding that comes from outside (a model file, a data file, an option): every field is there, of its type, and agrees
// with the others. The copy holds nothing but what was checked.
import type { GaussflowError } from "../errors.js";
import type { InputColumn, TableEncoding } from "./encoding.js";

/**
 * @param errorOf makes the error of the place it comes from out of the rule that is broken
 * @throws that error, of the first field that is wrong
 * @example encodingFromJson(body.encoding, (rule) => fileError("model.json", rule))
 */
export function encodingFromJson(value: unknown, errorOf: (rule: string) => GaussflowError): TableEncoding {
  const fail = (path: string, rule: string): never => {
    throw errorOf(`encoding${path} ${rule}`);
  };
  const record = (
    given: unknown,
    path: string,
    keys: readonly string[],
    optional: readonly string[] = [],
  ): Record<string, unknown> => {
    if (given === null || typeof given !== "object" || Array.isArray(given)) return fail(path, "must be an object");
    const found = Object.keys(given);
    for (const key of keys) if (!found.includes(key)) fail(`${path}.${key}`, "is missing");
    const foreign = found.find((key) => !keys.includes(key) && !optional.includes(key));
    if (foreign !== undefined) fail(`${path}.${foreign.slice(0, 40)}`, "is not a field of an encoding");
    return given as Record<string, unknown>;
  };
  const list = (given: unknown, path: string): unknown[] =>
    Array.isArray(given) ? given : fail(path, "must be a list");
  const text = (given: unknown, path: string): string =>
    typeof given === "string" ? given : fail(path, "must be a text");
  const number = (given: unknown, path: string): number =>
    typeof given === "number" && Number.isFinite(given) ? given : fail(path, "must be a finite number");
  const oneOf = <T>(given: unknown, path: string, allowed: readonly T[]): T =>
    allowed.includes(given as T)
      ? (given as T)
      : fail(path, `must be ${allowed.map((one) => JSON.stringify(one)).join(" or ")}`);
  const texts = (given: unknown, path: string): string[] =>
    list(given, path).map((one, i) => text(one, `${path}[${i}]`));
  const distinct = (values: readonly string[], path: string) => {
    const seen = new Set<string>();
    const twice = values.find((one) => seen.size === seen.add(one).size);
    if (twice !== undefined) fail(path, `must not hold ${JSON.stringify(twice.slice(0, 40))} twice`);
    return values;
  };

  const column = (given: unknown, path: string): InputColumn => {
    const kind = oneOf((given as { kind?: unknown } | null)?.kind, `${path}.kind`, ["numeric", "categorical"] as const);
    if (kind === "numeric") {
      const fields = record(given, path, ["kind", "name", "mean", "min", "max"]);
      const name = text(fields.name, `${path}.name`);
      const [mean, min, max] = (["mean", "min", "max"] as const).map((key) =>
        number(fields[key], `${path}.${key}`),
      ) as [number, number, number];
      if (!(min <= mean && mean <= max)) fail(path, "must have min <= mean <= max");
      return { kind, name, mean, min, max };
    }
    const fields = record(given, path, ["kind", "name", "categories", "shares"]);
    const name = text(fields.name, `${path}.name`);
    const categories = distinct(texts(fields.categories, `${path}.categories`), `${path}.categories`);
    if (categories.length === 0) fail(`${path}.categories`, "must not be empty");
    const shares = list(fields.shares, `${path}.shares`).map((one, i) => number(one, `${path}.shares[${i}]`));
    if (shares.length !== categories.length) fail(`${path}.shares`, `must be ${categories.length} numbers`);
    if (shares.some((share) => share < 0 || share > 1 + 1e-9)) fail(`${path}.shares`, "must lie between 0 and 1");
    return { kind, name, categories, shares };
  };

  const fields = record(
    value,
    "",
    ["columns", "targets", "weights", "header", "delimiter", "decimal", "missing", "missingValues"],
    ["thousands", "dates"],
  );
  const columns = list(fields.columns, ".columns").map((one, i) => column(one, `.columns[${i}]`));
  if (columns.length === 0) fail(".columns", "must not be empty");
  const targets = texts(fields.targets, ".targets");
  const weights = fields.weights === null ? null : text(fields.weights, ".weights");
  distinct([...columns.map(({ name }) => name), ...targets, ...(weights === null ? [] : [weights])], "'s column names");
  const delimiter = text(fields.delimiter, ".delimiter");
  if (delimiter.length !== 1 || /["\r\n]/.test(delimiter))
    fail(".delimiter", "must be one character, no quote and no end of line");
  return {
    columns,
    targets,
    weights,
    header: oneOf(fields.header, ".header", [true, false]),
    delimiter,
    decimal: oneOf(fields.decimal, ".decimal", [".", ","] as const),
    ...(fields.thousands === undefined
      ? {}
      : {
          thousands: oneOf(
            fields.thousands,
            ".thousands",
            [",", ".", "'", " "].filter((sign) => sign !== fields.decimal),
          ),
        }),
    ...(fields.dates === undefined ? {} : { dates: texts(fields.dates, ".dates") }),
    missing: oneOf(fields.missing, ".missing", ["error", "drop", "mean"] as const),
    missingValues: texts(fields.missingValues, ".missingValues"),
  };
}
