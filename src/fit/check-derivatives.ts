// Compares a Jacobian written by hand with central differences and names the entries that disagree. Users call it once, when they write
// derivatives; fits do not.
//
// Every entry is differenced with several step lengths. Each difference is trusted to what it differs from that of the next step length,
// plus the rounding of the residuals over the step, and the most trusted one counts. An entry is wrong where it is farther away than ten
// times that, and farther than a relative tolerance. Entries whose best difference is not trusted are counted as unchecked: the residuals
// are not smooth there, or too noisy.
import { argumentError } from "../errors.js";
import { checkCount, checkFunction, checkOptionNames, checkPositive, definedOptions, numbersOf } from "../options.js";
import { PARAMETER_OPTIONS } from "./fit-setup.js";

/** Writes n residuals, or an n x p Jacobian, row-major, at the parameters into the array. */
export type FillArray = (parameters: Float64Array, out: Float64Array) => void | Promise<void>;

/** What is checked. */
export interface DerivativeProblem {
  /** Number of residuals, n. */
  readonly count: number;
  /** Writes the n residuals. */
  readonly residuals: FillArray;
  /** Writes the n x p derivatives, row-major. */
  readonly jacobian: FillArray;
}

/** Options of `checkDerivatives`. */
export interface CheckDerivativesOptions {
  /** Names of the parameters, for messages; default b1, b2, ... */
  readonly names?: readonly string[] | undefined;
  /** Typical size of each parameter, from which the step lengths follow; default: its absolute value, or 1 for a value of 0. */
  readonly scale?: ArrayLike<number> | undefined;
  /** Relative difference from which an entry is wrong; default 1e-5. */
  readonly tolerance?: number | undefined;
}

/** An entry of the Jacobian that differs from the differences. */
export interface WrongDerivative {
  /** Row of the Jacobian, counted from 0. */
  readonly row: number;
  /** Column of the Jacobian, counted from 0. */
  readonly column: number;
  /** Name of the parameter. */
  readonly parameter: string;
  /** What the Jacobian has. */
  readonly given: number;
  /** The central difference. */
  readonly difference: number;
  /** How far the difference is trusted. */
  readonly uncertainty: number;
}

/** What `checkDerivatives` found. */
export interface DerivativeCheck {
  /** True where every entry was compared and agrees. */
  readonly ok: boolean;
  /** Entries compared. */
  readonly checked: number;
  /** Entries that no step length gives a trustworthy difference of. */
  readonly unchecked: number;
  /** Wrong entries, those with the largest relative difference first. */
  readonly wrong: readonly WrongDerivative[];
  /** One sentence that names the worst entry, and the pattern of the error where there is one. */
  readonly message: string;
}

/** Members of a problem of `leastSquares`, which can be passed as it is. */
const PROBLEM = ["count", "residuals", "jacobian", ...PARAMETER_OPTIONS];
/** Step lengths by the size of the parameter: the longest ones for noisy residuals, the shortest for curved ones. */
const STEPS = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7];
/** Largest Jacobian that is compared, in entries: 256 MiB. */
const MOST_ENTRIES = 2 ** 25;
/** A difference is trusted where it changes with the step by less than this share of the largest entry of its column. */
const TRUSTED = 1e-3;

/**
 * Compares a Jacobian with central differences of the residuals at some parameters. Choose a point without symmetries: at zeros an error may be
 * multiplied by 0.
 *
 * @param problem residuals and their Jacobian, as for `leastSquares`
 * @param at the p parameters
 * @throws GaussflowError GAUSSFLOW_ARGUMENT where residuals or derivatives are not finite at `at`.
 */
export async function checkDerivatives(
  problem: DerivativeProblem,
  at: ArrayLike<number>,
  options: CheckDerivativesOptions = {},
): Promise<DerivativeCheck> {
  const { names, scale, tolerance, point } = settings(problem, at, options);
  const [n, p] = [problem.count, point.length];
  const given = await filled(problem.jacobian, point, n * p, "problem.jacobian", p);
  const residuals = await filled(problem.residuals, point, n, "problem.residuals", 1);
  const wrong: WrongDerivative[] = [];
  const differences = new Float64Array(n * p);
  let unchecked = 0;
  for (let column = 0; column < p; column++) {
    const best = await bestDifferences(problem, point, column, scale[column], residuals);
    let most = 0;
    for (let row = 0; row < n; row++) {
      differences[row * p + column] = best.values[row];
      if (Number.isFinite(best.uncertainty[row])) most = Math.max(most, Math.abs(best.values[row]));
    }
    for (let row = 0; row < n; row++) {
      const [difference, uncertainty, mine] = [best.values[row], best.uncertainty[row], given[row * p + column]];
      // Against the column's largest entry, because entries far below it are lost in the rounding of the residuals.
      if (!(best.variation[row] <= TRUSTED * most + 10 * best.rounding[row])) unchecked++;
      else if (
        Math.abs(mine - difference) >
        Math.max(10 * uncertainty, tolerance * Math.max(Math.abs(mine), Math.abs(difference)))
      )
        wrong.push({ row, column, parameter: names[column], given: mine, difference, uncertainty });
    }
  }
  wrong.sort((a, b) => relative(b) - relative(a) || a.row - b.row || a.column - b.column);
  const checked = n * p - unchecked;
  const message = messageOf(wrong, checked, unchecked, pattern(given, differences, wrong, n, p));
  return { ok: wrong.length === 0 && unchecked === 0, checked, unchecked, wrong, message };
}

function settings(problem: DerivativeProblem, at: ArrayLike<number>, options: CheckDerivativesOptions) {
  checkOptionNames("problem", problem, PROBLEM);
  checkCount("problem.count", problem.count, 1);
  checkFunction("problem.residuals", problem.residuals);
  checkFunction("problem.jacobian", problem.jacobian);
  checkOptionNames("options", options, ["names", "scale", "tolerance"]);
  const point = numbersOf("at", at);
  if (problem.count * point.length > MOST_ENTRIES)
    throw argumentError("problem.count", `must not be above ${Math.floor(MOST_ENTRIES / point.length)}`, problem.count);
  const { names, scale, tolerance } = { tolerance: 1e-5, ...definedOptions(options) };
  checkPositive("options.tolerance", tolerance);
  if (names !== undefined && !(Array.isArray(names) && names.length === point.length && names.every(isText)))
    throw argumentError("options.names", `must name all ${point.length} parameters`, names);
  const sizes = scale === undefined ? point.map((value) => Math.abs(value) || 1) : numbersOf("options.scale", scale);
  if (sizes.length !== point.length || sizes.some((size) => !(size > 0)))
    throw argumentError("options.scale", `must hold ${point.length} positive numbers`, scale);
  return { names: names ?? Array.from(point, (_, j) => `b${j + 1}`), scale: sizes, tolerance, point };
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

async function filled(fill: FillArray, at: Float64Array, length: number, what: string, columns: number) {
  const out = new Float64Array(length).fill(Number.NaN);
  await fill(at.slice(), out);
  const bad = out.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw argumentError(
      what,
      `must write finite numbers into all ${length} entries at these parameters; row ${Math.floor(bad / columns)} (counted from 0)${columns > 1 ? `, column ${bad % columns}` : ""} is not finite`,
      out[bad],
    );
  return out;
}

/** Of every row the most trusted central difference by one parameter. */
async function bestDifferences(
  problem: DerivativeProblem,
  point: Float64Array,
  column: number,
  scale: number,
  residuals: Float64Array,
) {
  const n = problem.count;
  const values = new Float64Array(n);
  const uncertainty = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  const variation = uncertainty.slice();
  const rounding = new Float64Array(n);
  let previous: Float64Array | null = null;
  for (const step of STEPS) {
    const quotient = await centralDifference(problem, point, column, step * scale);
    for (let i = 0; i < n; i++) {
      const noise = (4 * Number.EPSILON * Math.abs(residuals[i])) / (step * scale);
      const change = previous === null ? Number.POSITIVE_INFINITY : Math.abs(quotient[i] - previous[i]);
      // A comparison with NaN, from residuals that are not finite beside the point, is false.
      if (!(change + noise < uncertainty[i])) continue;
      uncertainty[i] = change + noise;
      variation[i] = change;
      rounding[i] = noise;
      values[i] = quotient[i];
    }
    previous = quotient;
  }
  return { values, uncertainty, variation, rounding };
}

async function centralDifference(
  { count, residuals }: DerivativeProblem,
  point: Float64Array,
  column: number,
  h: number,
) {
  const ahead = point.slice();
  const behind = point.slice();
  ahead[column] += h;
  behind[column] -= h;
  // The step that was taken: the sum is rounded.
  const width = ahead[column] - behind[column];
  const [high, low] = [new Float64Array(count), new Float64Array(count)];
  await residuals(ahead, high);
  await residuals(behind, low);
  return high.map((value, i) => (value - low[i]) / width);
}

function relative({ given, difference }: WrongDerivative): number {
  return Math.abs(given - difference) / Math.max(Math.abs(given), Math.abs(difference));
}

/** The error that explains all wrong entries, in words; "" where none of the usual ones does. */
function pattern(
  given: Float64Array,
  differences: Float64Array,
  wrong: readonly WrongDerivative[],
  n: number,
  p: number,
) {
  if (wrong.length < 2) return "";
  const close = (a: number, b: number) => Math.abs(a - b) <= 1e-3 * Math.max(Math.abs(a), Math.abs(b));
  let transposed = n > 1 && p > 1;
  for (let i = 0; transposed && i < n; i++)
    for (let j = 0; transposed && j < p; j++) transposed = close(given[j * n + i], differences[i * p + j]);
  if (transposed) return "the array holds the transpose: entry (row, column) belongs at row * p + column";
  const [{ parameter, given: mine, difference }] = wrong as [WrongDerivative, ...WrongDerivative[]];
  const ratio = mine / difference;
  const several = new Set(wrong.map((one) => one.column)).size > 1;
  if (!wrong.every((one) => close(one.given, ratio * one.difference))) return "";
  const which = several ? "all wrong entries are" : `the derivatives by ${parameter} are`;
  if (close(ratio, -1)) return `${which} of the wrong sign`;
  return mine === 0 ? `${which} 0` : `${which} ${Number(ratio.toPrecision(4))} times the difference`;
}

function messageOf(wrong: readonly WrongDerivative[], checked: number, unchecked: number, reason: string): string {
  const left =
    unchecked === 0
      ? ""
      : `; ${unchecked === 1 ? "1 entry" : `${unchecked} entries`} could not be checked, because no step length gives a difference to three digits`;
  if (wrong.length === 0) return `all ${checked} derivatives agree with central differences${left}`;
  const [{ row, parameter, given, difference }] = wrong as [WrongDerivative, ...WrongDerivative[]];
  const counts = wrong.length === 1 ? "1 derivative is wrong" : `${wrong.length} derivatives are wrong`;
  const worst = `row ${row} (counted from 0), parameter ${JSON.stringify(parameter)}: the Jacobian has ${Number(given.toPrecision(8))}, central differences give ${Number(difference.toPrecision(8))}`;
  return `${counts} of ${checked}. ${wrong.length === 1 ? "" : "The worst: "}${worst}${reason === "" ? "" : `; ${reason}`}${left}`;
}
