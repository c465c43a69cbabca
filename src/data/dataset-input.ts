// The public `dataset`: makes a data set from arrays in code, copied and checked. Targets are numbers or names of classes. `train`, `flow`,
// `trainMany` and `crossValidate` call datasetSteps and asDataset for the data that a caller hands in.
import { argumentError } from "../errors.js";
import { finish, STEP, type Steps } from "../event-loop-yield.js";
import { checkCount, checkOptionNames, isObject, isTypedNumbers, type NumberArray, numbersOf } from "../options.js";
import { listed } from "../suggest.js";
import { checkClasses, classTargetNames, oneHotSteps, sortedClasses, TASKS, type Task } from "./classes.js";
import { FileDataset } from "./data-file.js";
import { Dataset } from "./dataset.js";
import { columnsOf, type MatrixLike, matrixSteps } from "./matrix.js";
import { checkRelations, type GroupList } from "./relations.js";

/** Data given in code. */
export interface DatasetInput {
  /** Rows of numbers, or all of them in one array [n x d], row-major. */
  readonly inputs: MatrixLike;
  /**
   * One number a sample, rows of numbers, or all of them in one array [n x c], row-major. Or one text or boolean a sample, the name of its
   * class: the data set then has one target column a class, 1 in the rows of the class and 0 in the others.
   */
  readonly targets: MatrixLike | readonly string[] | readonly boolean[];
  /**
   * "classification": one number a sample is the name of a class too. "regression": booleans are 1 and 0, and texts are an error. Default
   * "auto": texts and booleans are classes, numbers are numbers.
   */
  readonly task?: Task | undefined;
  /**
   * Names of the classes, in the order of the target columns; a target that is none of them is an error. With targets that are numbers: one
   * column a class, a 1 at the class or probabilities. Default: those that occur, by value where all are numbers, else by code units.
   */
  readonly classes?: readonly string[] | undefined;
  /** d, for `inputs` in one array. Default: the network's, where the data are given beside one; else what the targets leave. */
  readonly inputSize?: number | undefined;
  /** c, for `targets` in one array. Default: the network's, where the data are given beside one; else n numbers a row of `inputs`. */
  readonly outputSize?: number | undefined;
  /** One number >= 0 a sample, not all zero. */
  readonly weights?: NumberArray | undefined;
  /**
   * Derivatives of the targets by the inputs: rows of c d numbers (all of the first target, then those of the next), or all of them in one array.
   * `derivativeData` trains on them.
   */
  readonly gradients?: MatrixLike | undefined;
  /** Group of each sample, a number or a text: splits and folds keep the rows of a group together. */
  readonly groups?: GroupList | null | undefined;
  /**
   * Order of the samples, such as a time, one number each; `true` = they are given in order. Splits and folds then hold out the last rows and
   * draw none. Not together with groups.
   */
  readonly order?: NumberArray | true | null | undefined;
  /** d names. Default "input 1", "input 2", ...; a single one is "input". */
  readonly featureNames?: readonly string[] | undefined;
  /** c names. Default "target 1", "target 2", ...; a single one is "target". Of classes a single name. */
  readonly targetNames?: readonly string[] | undefined;
}

/** Numbers of inputs and targets a sample, and the classes of the targets. */
export interface SampleSizes {
  readonly inputSize: number;
  readonly outputSize: number;
  /** What names of classes are places in, where the targets are classes. */
  readonly classes?: readonly string[] | null;
}

const INPUT_NAMES = [
  "inputs",
  "targets",
  "task",
  "classes",
  "inputSize",
  "outputSize",
  "weights",
  "gradients",
  "groups",
  "order",
  "featureNames",
  "targetNames",
];

function names(given: readonly string[] | undefined, count: number, argument: string, stem: string): readonly string[] {
  if (given === undefined) return Array.from({ length: count }, (_, i) => (count === 1 ? stem : `${stem} ${i + 1}`));
  if (!Array.isArray(given) || given.length !== count || given.some((name) => typeof name !== "string" || name === ""))
    throw argumentError(argument, `must be ${count} names`, given);
  const twice = given.find((name, i) => given.indexOf(name) !== i);
  if (twice !== undefined) throw argumentError(argument, "must not hold a name twice", twice);
  return [...given];
}

/** A checked copy of sample weights: n finite numbers >= 0, not all zero. */
function checkWeights(weights: unknown, n: number, name: string): Float64Array {
  const copy = numbersOf(name, weights);
  if (copy.length !== n) throw argumentError(name, `must be ${n} numbers, one a sample`, weights);
  const negative = copy.findIndex((weight) => weight < 0);
  if (negative >= 0) throw argumentError(`${name}[${negative}]`, "must not be negative", copy[negative]);
  if (copy.every((weight) => weight === 0)) throw argumentError(name, "must not all be zero", weights);
  return copy;
}

/**
 * A data set from arrays, copied and checked.
 * @throws GAUSSFLOW_ARGUMENT: ragged rows, a value that is not a finite number (with row and column), lengths that disagree, a class that is
 * none of `classes` (with its row)
 * @example dataset({ inputs: [[5.1, 3.5], [6.2, 2.9]], targets: ["setosa", "virginica"] }).classes
 */
export function dataset(given: DatasetInput): Dataset {
  return finish(inputSteps(given, "data", null));
}

/** @param beside sizes of the network that the data are for, or null: what arrays without rows are cut by */
function* inputSteps(given: DatasetInput, name: string, beside: SampleSizes | null): Steps<Dataset> {
  if (isObject(given) && "featureNames" in given && "sampleCount" in given)
    throw argumentError(
      name,
      "is a copy of a Dataset that lost its class (structuredClone and postMessage leave plain objects): make it again by dataset({ inputs, targets, inputSize, outputSize, weights })",
      given,
    );
  checkOptionNames(name, given, INPUT_NAMES);
  const { inputs, weights } = given;
  for (const [part, value] of Object.entries({ inputs, targets: given.targets }))
    if (!Array.isArray(value) && !isTypedNumbers(value))
      throw argumentError(`${name}.${part}`, "must be rows of numbers, or all of them in one array", value);
  for (const size of ["inputSize", "outputSize"] as const)
    if (given[size] !== undefined) checkCount(`${name}.${size}`, given[size], 1);
  const { y, c, classes } = yield* targetSteps(given, inputs, name, beside);
  const n = y.length / c;
  const d =
    widthOf(inputs, given.inputSize, beside?.inputSize) ??
    (inputs.length % n === 0 ? Math.max(1, inputs.length / n) : null);
  if (d === null)
    throw argumentError(
      `${name}.inputs`,
      `must divide into ${n} rows, one for each target (or give inputSize, and outputSize for more than one target a row)`,
      inputs,
    );
  const x = yield* matrixSteps(inputs, d, `${name}.inputs`);
  if (x.length / d !== n)
    throw argumentError(`${name}.targets`, `must have ${x.length / d} rows, as inputs has`, `${n} rows`);
  const gradients = yield* gradientSteps(given.gradients, n, classes === null ? c * d : null, `${name}.gradients`);
  const columns = names(given.targetNames, classes === null ? c : 1, `${name}.targetNames`, "target");
  return new Dataset({
    inputs: x,
    targets: y,
    weights: weights === undefined || weights === null ? null : checkWeights(weights, n, `${name}.weights`),
    gradients,
    featureNames: names(given.featureNames, d, `${name}.featureNames`, "input"),
    targetNames: classes === null ? columns : classTargetNames(columns[0]!, classes),
    classes,
    ...checkRelations(given, n, name),
  });
}

/** @param width numbers of a row; null where the targets are classes */
function* gradientSteps(
  given: MatrixLike | undefined,
  n: number,
  width: number | null,
  name: string,
): Steps<Float64Array | null> {
  if (given === undefined || given === null) return null;
  if (width === null) throw argumentError(name, "must be left out where the targets are classes", given);
  if (!Array.isArray(given) && !isTypedNumbers(given))
    throw argumentError(name, "must be rows of numbers, or all of them in one array", given);
  const values = yield* matrixSteps(given, width, name);
  if (values.length !== n * width) throw argumentError(name, `must have ${n} rows of ${width} numbers`, given);
  return values;
}

/** Numbers a row. Rows have their own width, which `matrixSteps` holds against a size that is given beside them. */
function widthOf(values: MatrixLike, size: number | undefined, network: number | undefined): number | null {
  return size ?? columnsOf(values, undefined) ?? network ?? null;
}

/** The targets as columns of numbers, and the classes that the columns stand for, or null. */
interface Targets {
  readonly y: Float64Array;
  readonly c: number;
  readonly classes: readonly string[] | null;
}

/** @param inputs those of `given`, which are read once, because a caller's object may compute them */
function* targetSteps(
  given: DatasetInput,
  inputs: MatrixLike,
  name: string,
  beside: SampleSizes | null,
): Steps<Targets> {
  const { task = "auto" } = given;
  if (!TASKS.includes(task)) throw argumentError(`${name}.task`, `must be one of ${TASKS.join(", ")}`, task);
  const asked = given.classes === undefined ? null : checkClasses(`${name}.classes`, given.classes);
  if (asked !== null && task === "regression")
    throw argumentError(`${name}.classes`, 'must be left out with task "regression"', asked);
  const labels = yield* labelSteps(given.targets, task, asked, name);
  if (labels !== null) {
    const classes = asked ?? beside?.classes ?? (yield* foundClassSteps(labels, `${name}.targets`));
    const codes = yield* codeSteps(labels, classes, `${name}.targets`);
    return { y: yield* oneHotSteps(codes, classes.length), c: classes.length, classes };
  }
  const values = numbersFor(given.targets, task, `${name}.targets`);
  const rows = columnsOf(inputs, undefined) === null ? null : inputs.length;
  const c =
    widthOf(values, given.outputSize ?? asked?.length, beside?.outputSize) ??
    (rows !== null && values.length % rows === 0 ? Math.max(1, values.length / rows) : 1);
  if (asked !== null && c !== asked.length)
    throw argumentError(`${name}.outputSize`, `must be ${asked.length}, one column a class`, c);
  if (c > 1 && values.length === rows && columnsOf(values, undefined) === null)
    throw argumentError(
      `${name}.targets`,
      `must have ${c} numbers for each row of inputs; where the numbers are those of classes, one a row, add task: "classification"`,
      `${rows} numbers for ${rows} rows`,
    );
  return { y: yield* matrixSteps(values, c, `${name}.targets`), c, classes: asked };
}

/** Whether data are those of a classification; they are not checked. */
export function isClassified(data: Dataset | DatasetInput): boolean {
  if (data instanceof Dataset) return data.classes !== null;
  const first: unknown = data.targets?.[0];
  if (data.task === "regression") return false;
  return (
    data.classes != null || data.task === "classification" || typeof first === "string" || typeof first === "boolean"
  );
}

/** Labels that one piece handles: each is a text that is looked up. */
const LABELS = STEP / 16;

/** The names of the rows' classes, where the targets are such; null where they are numbers. */
function* labelSteps(
  targets: DatasetInput["targets"],
  task: Task,
  classes: readonly string[] | null,
  name: string,
): Steps<readonly string[] | null> {
  const first: unknown = targets[0];
  const numbers = isTypedNumbers(targets) || typeof first === "number";
  if (task === "classification" && classes === null && !numbers && (Array.isArray(first) || isTypedNumbers(first)))
    throw argumentError(`${name}.classes`, "must name the classes of targets with one column a class", undefined);
  const named = typeof first === "string" || typeof first === "boolean";
  if (task === "regression" || !(named || (task === "classification" && classes === null && numbers))) return null;
  const kind = numbers ? "a finite number" : typeof first === "string" ? "a text" : "true or false";
  const labels: string[] = [];
  for (let i = 0; i < targets.length; i++) {
    const target: unknown = targets[i];
    if (typeof target !== typeof first || target === "" || (numbers && !Number.isFinite(target)))
      throw argumentError(
        `${name}.targets, row ${i + 1}:`,
        `must be the name of a class: ${kind}, as in row 1`,
        target,
      );
    labels.push(String(target));
    if (i % LABELS === LABELS - 1) yield;
  }
  return labels;
}

/** What occurs, in the default order. */
function* foundClassSteps(labels: readonly string[], name: string): Steps<readonly string[]> {
  const seen = new Set<string>();
  for (let i = 0; i < labels.length; i++) {
    seen.add(labels[i]!);
    if (i % LABELS === LABELS - 1) yield;
  }
  const found = sortedClasses(seen);
  if (found.length >= 2) return found;
  throw argumentError(
    name,
    "must have at least two classes, for one leaves nothing to tell apart (where others can occur, name all of them by classes)",
    found[0],
  );
}

function* codeSteps(labels: readonly string[], classes: readonly string[], name: string): Steps<Uint32Array> {
  const places = new Map(classes.map((one, k) => [one, k]));
  const codes = new Uint32Array(labels.length);
  for (let i = 0; i < codes.length; i++) {
    const place = places.get(labels[i]!);
    if (place === undefined)
      throw argumentError(`${name}, row ${i + 1}:`, `must be one of the classes ${listed(classes)}`, labels[i]);
    codes[i] = place;
    if (i % LABELS === LABELS - 1) yield;
  }
  return codes;
}

/** Targets that are no names of classes; booleans become 1 and 0 where the task is a regression. */
function numbersFor(targets: DatasetInput["targets"], task: Task, name: string): MatrixLike {
  if (task !== "regression" || isTypedNumbers(targets)) return targets as MatrixLike;
  const list: readonly unknown[] = targets;
  const text = list.findIndex((one) => typeof one === "string");
  if (text >= 0)
    throw argumentError(`${name}, row ${text + 1}:`, 'must be a number with task "regression"', list[text]);
  if (!list.some((one) => typeof one === "boolean")) return targets as MatrixLike;
  return list.map((one) => (typeof one === "boolean" ? Number(one) : one)) as unknown as MatrixLike;
}

/**
 * Any data set in memory that a caller hands in, as a Dataset.
 * @param beside sizes of the network it is for
 * @throws GAUSSFLOW_ARGUMENT, also for a data file
 */
export function asDataset(given: Dataset | DatasetInput, name: string, beside: SampleSizes | null): Dataset {
  return finish(datasetSteps(given, name, beside));
}

/** The same in pieces. */
export function* datasetSteps(given: Dataset | DatasetInput, name: string, beside: SampleSizes | null): Steps<Dataset> {
  if (given instanceof FileDataset)
    throw argumentError(name, "must be in memory here: train() and plan() read data files", given.layout.path);
  return given instanceof Dataset ? given : yield* inputSteps(given, name, beside);
}
