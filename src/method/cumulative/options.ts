// Checks and completes the options of `cumulativeGaussNewton` (cumulative.ts), when a user or rebuild-method.ts makes
// the method.
import { argumentError } from "../../errors.js";
import { checkCount, checkNonNegative, checkOptionNames, checkPositive, definedOptions } from "../../options.js";
import type { BatchNeeds, BatchSizes } from "../batch-method.js";
import { type BatchSize, checkBatchSize, describeBatches, rowsOf } from "../batch-size.js";
import {
  describeRate,
  plainRate,
  RATE_OPTION_NAMES,
  type RateOptions,
  type RateSettings,
  rateSettings,
  withRate,
} from "../rate-schedule.js";

/** How the curvatures of the batches are combined. */
export type CumulativeForm = "moving-average" | "forgetting" | "published";

/** All forms. */
export const CUMULATIVE_FORMS: readonly CumulativeForm[] = ["moving-average", "forgetting", "published"];

/** Options of `cumulativeGaussNewton`. */
export interface CumulativeGaussNewtonOptions extends RateOptions {
  /**
   * "published": the sum of all batches' J^T J; "forgetting": the same, multiplied by `keep` before each batch;
   * "moving-average", the default: the moving average of the mean of J^T J.
   */
  readonly form?: CumulativeForm | undefined;
  /**
   * Factor of the curvature before a batch is added, in (0, 1). Default 0.8 ("moving-average") or 0.995 ("forgetting").
   */
  readonly keep?: number | undefined;
  /** Factor alpha of a batch's J^T J, with "published" and "forgetting", above 0. Default 0.5. */
  readonly weight?: number | undefined;
  /**
   * lambda, added to the diagonal, above 0. With "moving-average" it refers to the sum loss divided by the rows, so
   * that sample weights should have the mean 1 (default 3e-3); with the other forms to the sums over batches (default
   * 30).
   */
  readonly damping?: number | undefined;
  /** Rows of a batch. Default "auto": 512, or all rows where there are fewer. */
  readonly batch?: BatchSize | undefined;
  /**
   * Rows of the batch, counted from its first, that form the curvature, with "moving-average". Default half of them: an
   * update then costs half, and the average consists of newer curvatures (docs/methods.md). Where every step sees all
   * rows the default is all.
   */
  readonly curvatureRows?: number | undefined;
  /** Steps from one update of the curvature to the next, with "moving-average". Default 10. */
  readonly factorEvery?: number | undefined;
  /**
   * Rows that form the curvature before the first move, as a multiple of the parameters, with "moving-average"; an
   * epoch at most. Default 4. Without a warm-up the training diverges where the first batches have fewer rows than the
   * network has parameters.
   */
  readonly warmUp?: number | undefined;
  /**
   * Largest relative rise of the batch's loss in a step, above 0; a step with a larger one is not taken. Default 0.05
   * with "moving-average".
   */
  readonly largestRise?: number | undefined;
  /**
   * Radius of the ball around the start that every step is projected onto in the metric of H, with "published".
   * Default: no projection.
   */
  readonly radius?: number | undefined;
}

/** All options, with defaults filled in. */
export interface CumulativeSettings {
  readonly form: CumulativeForm;
  readonly keep: number;
  readonly weight: number;
  readonly damping: number;
  readonly batch: BatchSize;
  readonly curvatureRows: number | null;
  readonly factorEvery: number;
  readonly warmUp: number;
  readonly largestRise: number | null;
  readonly radius: number | null;
  readonly rate: RateSettings;
}

/** Options of each form besides the common ones. */
const OWN: Readonly<Record<CumulativeForm, readonly (keyof CumulativeGaussNewtonOptions)[]>> = {
  published: ["weight", "radius"],
  forgetting: ["keep", "weight"],
  "moving-average": ["keep", "curvatureRows", "factorEvery", "warmUp"],
};
const COMMON = ["form", "damping", "batch", "largestRise", ...RATE_OPTION_NAMES] as const;

/** @throws GAUSSFLOW_ARGUMENT naming the option, the rule and the value */
export function cumulativeSettings(options: CumulativeGaussNewtonOptions): CumulativeSettings {
  checkOptionNames("options", options, [...COMMON, ...new Set(Object.values(OWN).flat())]);
  const given = definedOptions(options);
  const { form = "moving-average" } = given;
  if (!CUMULATIVE_FORMS.includes(form))
    throw argumentError("options.form", `must be one of ${CUMULATIVE_FORMS.join(", ")}`, form);
  const names: readonly string[] = [...COMMON, ...OWN[form]];
  const foreign = Object.keys(given).find((name) => !names.includes(name));
  if (foreign !== undefined) {
    const owners = CUMULATIVE_FORMS.filter((one) => (OWN[one] as readonly string[]).includes(foreign));
    throw argumentError(
      `options.${foreign}`,
      `must not be given with form "${form}", but with ${owners.join(" or ")}`,
      form,
    );
  }
  const average = form === "moving-average";
  const {
    keep = average ? 0.8 : form === "forgetting" ? 0.995 : 1,
    weight = 0.5,
    damping = average ? 3e-3 : 30,
  } = given;
  const { batch = "auto", curvatureRows = null, factorEvery = 10, warmUp = average ? 4 : 0 } = given;
  const { largestRise = average ? 0.05 : null, radius = null } = given;
  if (form !== "published" && !(typeof keep === "number" && keep > 0 && keep < 1))
    throw argumentError("options.keep", "must be a number above 0 and below 1", keep);
  checkPositive("options.weight", weight);
  checkPositive("options.damping", damping);
  checkBatchSize(batch);
  if (curvatureRows !== null) checkCount("options.curvatureRows", curvatureRows, 1);
  if (curvatureRows !== null && typeof batch === "number" && curvatureRows > batch)
    throw argumentError("options.curvatureRows", `must be at most options.batch, which is ${batch}`, curvatureRows);
  checkCount("options.factorEvery", factorEvery, 1);
  checkNonNegative("options.warmUp", warmUp);
  if (largestRise !== null) checkPositive("options.largestRise", largestRise);
  if (radius !== null) checkPositive("options.radius", radius);
  const rate = rateSettings(given, average ? "cosine" : "constant");
  return { form, keep, weight, damping, batch, curvatureRows, factorEvery, warmUp, largestRise, radius, rate };
}

/** All options as plain data: `cumulativeGaussNewton` makes the same method of it. */
export function plainSettings(settings: CumulativeSettings): Readonly<Record<string, string | number | boolean>> {
  const { rate, form, ...others } = settings;
  const names: readonly string[] = [...COMMON, ...OWN[form]];
  const own = Object.entries(others).filter(([name, value]) => names.includes(name) && value !== null);
  return { form, ...(Object.fromEntries(own) as Record<string, number>), ...plainRate(rate) };
}

/** Rows of a batch with the option "auto". */
const AUTOMATIC = 512;

/**
 * Rows of the batch, and those of them that form the curvature.
 * @throws GAUSSFLOW_ARGUMENT for some of all rows: they would be the same at every step
 */
export function curvedRows({ form, batch, curvatureRows }: CumulativeSettings, sizes: BatchSizes) {
  const rows = rowsOf(batch, AUTOMATIC, sizes);
  if (rows === sizes.rows && curvatureRows !== null && curvatureRows < rows)
    throw argumentError(
      "options.method.curvatureRows",
      `must be left out where every step sees all ${rows} rows, of which the first would be the curvature of every step: give it with a smaller options.method.batch`,
      curvatureRows,
    );
  if (form !== "moving-average" || rows === sizes.rows) return { rows, curved: rows };
  return { rows, curved: Math.min(curvatureRows ?? Math.ceil(rows / 2), rows) };
}

/** What a run of these sizes needs. */
export function needsOf(settings: CumulativeSettings, sizes: BatchSizes): BatchNeeds {
  const { form, radius, largestRise } = settings;
  const { rows, curved } = curvedRows(settings, sizes);
  const average = form === "moving-average";
  const rate = withRate(settings.rate, average ? 0.2 : 1);
  const curvature = { curvature: "primal", average: true, every: average ? settings.factorEvery : 1 } as const;
  return {
    rows,
    engines:
      curved < rows
        ? [
            { rows, curvature: "none" },
            { rows: curved, ...curvature },
          ]
        : [{ rows, ...curvature }],
    route: "primal",
    rate,
    // M of the state, and the new M that replaces it at the end of a step: p vectors each.
    vectors: 2 * sizes.parameterCount + 5 + (radius === null ? 0 : 6),
    evaluations: largestRise === null ? 0 : 1,
    described: `${describeBatches(rows, sizes)}${average ? `, ${curved} of them for the curvature` : ""}, damping ${settings.damping}, ${describeRate(rate)}`,
  };
}
