// Defines the fields of a Dataset and checks them, for the constructor of Dataset: made by `dataset` and `readCsv`, or received from
// another thread (jobs/message.ts).
import { argumentError } from "../errors.js";
import { checkDoubles, checkOptionNames, isObject } from "../options.js";
import { checkClasses } from "./classes.js";
import type { TableEncoding } from "./encoding.js";

/** The fields of a Dataset, as `new Dataset` takes them. */
export interface DatasetFields {
  /** n x d, row-major, in raw units. */
  readonly inputs: Float64Array;
  /** n x c, row-major, in raw units. */
  readonly targets: Float64Array;
  /** n weights of at least 0; null = all 1. */
  readonly weights: Float64Array | null;
  /** Derivatives of the targets by the inputs, n x c x d, in raw units; null for none. */
  readonly gradients?: Float64Array | null;
  /** d names. */
  readonly featureNames: readonly string[];
  /** c names. */
  readonly targetNames: readonly string[];
  /** Names of the c classes of one-hot targets; null for a regression. */
  readonly classes?: readonly string[] | null;
  /** How table columns became inputs; null for data given in code. */
  readonly encoding?: TableEncoding | null;
  /** Row of the table behind each sample, from 1; null for data given in code. */
  readonly rows?: Uint32Array | null;
  /** Part of each sample, from a split column; null without one. */
  readonly parts?: Uint8Array | null;
  /** Group of each sample; null without groups. */
  readonly groups?: Uint32Array | null;
  /** Order of the samples, one number each; null without an order. */
  readonly order?: Float64Array | null;
  /** Places in `inputs` whose values were missing and are filled in, ascending; null for none. */
  readonly missing?: Uint32Array | null;
  /** The assumptions about the table, as sentences. */
  readonly notes?: readonly string[];
}

const FIELD_NAMES = [
  "inputs",
  "targets",
  "weights",
  "gradients",
  "featureNames",
  "targetNames",
  "classes",
  "encoding",
  "rows",
  "parts",
  "groups",
  "order",
];
/** The values of a data set that follow from its fields. */
const DERIVED_NAMES = ["missing", "notes", "sampleCount", "inputSize", "outputSize"];

/** Checks that the arrays exist and agree in length. */
export function checkFields(fields: DatasetFields): void {
  checkOptionNames("fields", fields, [...FIELD_NAMES, ...DERIVED_NAMES]);
  const { inputs, featureNames, targetNames } = fields;
  for (const [name, list] of Object.entries({ featureNames, targetNames }))
    if (!Array.isArray(list) || list.some((one) => typeof one !== "string"))
      throw argumentError(`fields.${name}`, "must be an array of names", list);
  const d = featureNames.length;
  if (!(inputs instanceof Float64Array) || d === 0 || inputs.length === 0 || inputs.length % d !== 0)
    throw argumentError("fields.inputs", `must be a Float64Array of whole rows of ${d} numbers`, inputs);
  const n = inputs.length / d;
  checkDoubles("fields.targets", fields.targets, n * targetNames.length);
  if (fields.weights !== null) checkDoubles("fields.weights", fields.weights, n);
  const { classes = null, gradients = null } = fields;
  if (gradients !== null) checkDoubles("fields.gradients", gradients, n * d * targetNames.length);
  if (classes !== null && checkClasses("fields.classes", classes).length !== targetNames.length)
    throw argumentError("fields.classes", `must name ${targetNames.length} classes, one a target column`, classes);
  const {
    encoding = null,
    rows = null,
    parts = null,
    groups = null,
    order = null,
    missing = null,
    notes = [],
  } = fields;
  if (encoding !== null && (!isObject(encoding) || !Array.isArray(encoding.columns)))
    throw argumentError("fields.encoding", "must be the encoding of a table or null", encoding);
  for (const [name, list, kind, length] of [
    ["rows", rows, Uint32Array, n],
    ["parts", parts, Uint8Array, n],
    ["groups", groups, Uint32Array, n],
    ["order", order, Float64Array, n],
    ["missing", missing, Uint32Array, null],
  ] as const)
    if (list !== null && (!(list instanceof kind) || (length !== null && list.length !== length)))
      throw argumentError(`fields.${name}`, `must be a ${kind.name} of one number a row, or null`, list);
  if (!Array.isArray(notes)) throw argumentError("fields.notes", "must be an array of texts", notes);
}
