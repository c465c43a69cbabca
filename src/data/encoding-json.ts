// Checks a TableEncoding that comes from outside: every field exists, has its type and agrees with the others. The returned copy holds only
// what was checked. Called when a model file or a data file is opened, and for an encoding that a user passes to readCsv, `network` or
// `outOfRange`.
import type { GaussflowError } from "../errors.js";
import type { InputColumn, TableEncoding } from "./encoding.js";
import { StrictJson } from "./strict-json.js";

/**
 * @param errorOf makes the error of the place it comes from out of the rule that is broken
 * @throws that error, of the first field that is wrong
 * @example encodingFromJson(body.encoding, (rule) => fileError("model.json", rule))
 */
export function encodingFromJson(value: unknown, errorOf: (rule: string) => GaussflowError): TableEncoding {
  const json = new StrictJson((rule) => errorOf(`encoding${rule}`));
  const fields = json.record(
    value,
    "",
    ["columns", "targets", "weights", "header", "delimiter", "decimal", "missing", "missingValues"],
    ["exposure", "thousands", "dates", "classes"],
  );
  const columns = json.list(fields.columns, ".columns").map((one, i) => columnFrom(json, one, `.columns[${i}]`));
  if (columns.length === 0) json.fail(".columns", "must not be empty");
  const targets = json.texts(fields.targets, ".targets");
  const weights = fields.weights === null ? null : json.text(fields.weights, ".weights");
  const classes =
    fields.classes === undefined ? null : json.distinct(json.texts(fields.classes, ".classes"), ".classes");
  if (classes !== null && (classes.length < 2 || targets.length !== 1))
    json.fail(".classes", "must be at least two classes of a single target");
  const exposure = fields.exposure === undefined ? null : json.text(fields.exposure, ".exposure");
  if (exposure !== null && (classes !== null || targets.length === 0))
    json.fail(".exposure", "must not be there without targets that are counts");
  const others = [weights, exposure].filter((name) => name !== null);
  const names = [...columns.map(({ name }) => name), ...targets, ...others];
  json.distinct(names, "'s column names");
  const delimiter = json.text(fields.delimiter, ".delimiter");
  if (delimiter.length !== 1 || /["\r\n]/.test(delimiter))
    json.fail(".delimiter", "must be one character, no quote and no end of line");
  const separators = [",", ".", "'", " "].filter((sign) => sign !== fields.decimal);
  return {
    columns,
    targets,
    weights,
    ...(exposure === null ? {} : { exposure }),
    header: json.oneOf(fields.header, ".header", [true, false]),
    delimiter,
    decimal: json.oneOf(fields.decimal, ".decimal", [".", ","] as const),
    ...(fields.thousands === undefined ? {} : { thousands: json.oneOf(fields.thousands, ".thousands", separators) }),
    ...(fields.dates === undefined ? {} : { dates: json.texts(fields.dates, ".dates") }),
    ...(classes === null ? {} : { classes }),
    missing: json.oneOf(fields.missing, ".missing", ["error", "drop", "mean"] as const),
    missingValues: json.texts(fields.missingValues, ".missingValues"),
  };
}

function columnFrom(json: StrictJson, given: unknown, path: string): InputColumn {
  const kind = json.oneOf((given as { kind?: unknown } | null)?.kind, `${path}.kind`, [
    "numeric",
    "categorical",
  ] as const);
  if (kind === "numeric") {
    const fields = json.record(given, path, ["kind", "name", "mean", "min", "max"]);
    const name = json.text(fields.name, `${path}.name`);
    const number = (key: string) => json.number(fields[key], `${path}.${key}`);
    const [mean, min, max] = [number("mean"), number("min"), number("max")];
    if (!(min <= mean && mean <= max)) json.fail(path, "must have min <= mean <= max");
    return { kind, name, mean, min, max };
  }
  const fields = json.record(given, path, ["kind", "name", "categories", "shares"]);
  const name = json.text(fields.name, `${path}.name`);
  const categories = json.distinct(json.texts(fields.categories, `${path}.categories`), `${path}.categories`);
  if (categories.length === 0) json.fail(`${path}.categories`, "must not be empty");
  const shares = json.list(fields.shares, `${path}.shares`).map((one, i) => json.number(one, `${path}.shares[${i}]`));
  if (shares.length !== categories.length) json.fail(`${path}.shares`, `must be ${categories.length} numbers`);
  if (shares.some((share) => share < 0 || share > 1 + 1e-9)) json.fail(`${path}.shares`, "must lie between 0 and 1");
  return { kind, name, categories, shares };
}
