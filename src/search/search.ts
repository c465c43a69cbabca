// Searches hidden layers and weight decay for a table by cross-validation, for the public `fitTable` (fit-table.ts) and gaussflow train.
//
// Sizes and decays take turns: all sizes at three decays, all decays with the best size, all sizes at the best decay, and so on until neither
// changes the best network.
// All networks are trained on the same folds and compared on the same held-out rows (held-out-loss.ts); choose.ts has the rule of the choice.
// The budget counts the planned operations of every training (plan/workload.ts), so that table, options, seed and budget alone decide.

import { freeAddressSpace } from "../backend/address-space.js";
import { predictAsync, predictDistributionAsync } from "../backend/predict.js";
import { showBytes } from "../bytes.js";
import { classFactorSteps, weighByClassSteps } from "../data/class-weights.js";
import type { Dataset } from "../data/dataset.js";
import { asDataset } from "../data/dataset-input.js";
import type { Fold } from "../data/folds.js";
import { argumentError, GaussflowError } from "../errors.js";
import { finish } from "../event-loop-yield.js";
import type { JobResult, TrainJob } from "../jobs/job.js";
import { trainMany } from "../jobs/train-many.js";
import { LossFigureMeans } from "../loss/loss-figures.js";
import type { LossFigures } from "../loss/set-metrics.js";
import { outputCount } from "../loss/target-rules.js";
import { drawnNetwork } from "../network/network.js";
import { checkCount } from "../options.js";
import { checkLossTargets } from "../run/loss-targets.js";
import { plan } from "../train/plan.js";
import { DEFAULT_VALIDATION, type TrainOptions } from "../train/train-options.js";
import { type Candidate, DECAYS, layersText, sizeCandidates } from "./candidates.js";
import { bestOf, type Compared, choose, compare } from "./choose.js";
import { comparisonOptions } from "./comparison-options.js";
import type { CompletedFitOptions } from "./fit-options.js";
import { criterionOf, type FitCriterion, heldOutLosses } from "./held-out-loss.js";
import { comparedRows, comparisonFolds, drawsValidation, trainingRows, type ValidationRule } from "./rows.js";

/** One network of the list, and how it compared. */
export interface TriedNetwork extends Candidate {
  /** Number of parameters. */
  readonly parameterCount: number;
  /**
   * Mean over the held-out rows of what networks are compared by (`TableSearch.criterion`), in the units of training: with squared error 1 - R²
   * of the mean target. NaN where it was not computed.
   */
  readonly score: number;
  /** Mean of the differences to the losses of the best network; NaN where the score is. */
  readonly difference: number;
  /** Standard error of that mean. */
  readonly standardError: number;
  /**
   * Means over the held-out rows of the figures that belong to the loss (`poisson`: deviance; `quantile`: pinball loss and share below;
   * `gaussianNll`: negative log-likelihood and coverage), in the units of the data, one entry a target. Empty for other losses, and where they were not computed.
   */
  readonly figures: readonly (LossFigures & {
    /** Name of the target. */
    readonly target: string;
  })[];
  /** Planned floating-point operations of its trainings. */
  readonly flops: number;
  /** `over-budget`: not trained, because the budget had less left. `idle`: the search was aborted before. */
  readonly state: "compared" | "failed" | "over-budget" | "idle";
  /** What its training threw; null unless failed. */
  readonly error: unknown;
}

/** What was chosen, and what was tried. */
export interface TableSearch extends Candidate {
  /** Why, as one sentence. */
  readonly because: string;
  /** Every network of the list that the search came to, best score first. Empty where there was nothing to compare. */
  readonly tried: readonly TriedNetwork[];
  /** What the scores are. */
  readonly criterion: FitCriterion;
  /** Rows that were compared on. */
  readonly rows: number;
  /** Folds, all draws together. */
  readonly folds: number;
  /** Planned floating-point operations of all trainings. */
  readonly flops: number;
  /** Most of them that were allowed. */
  readonly budget: number;
  /** Whether the signal ended the search. */
  readonly aborted: boolean;
  /** Seconds of the search. */
  readonly seconds: number;
}

/** A search, and what the last training needs of it. */
export interface SearchedTable {
  readonly search: TableSearch;
  /** The rows to train on: without those that a split column holds out. */
  readonly data: Dataset;
  readonly validation: ValidationRule;
}

/** Decays at which sizes are compared first: for noisy tables, for exact ones and for those between. */
const FIRST_DECAYS = [3, 0.3, 0.01];
/** Turns of sizes and decays. */
const MOST_TURNS = 4;
/** Iterations that a training is planned with: what trainings of the search take on average. */
const PLANNED_ITERATIONS = 40;
/**
 * Bytes of address space that a comparison needs: the heap of V8 grows by this much over the trainings, and Node ends the process where it
 * cannot (measured with `ulimit -v` and 400 rows on either engine: it dies with 61 MiB, and ends with 82).
 */
const ADDRESS_SPACE = 80 * 2 ** 20;

/**
 * @throws GAUSSFLOW_ARGUMENT for options of the networks and trainings, targets that the loss cannot have, and a budget below the first
 * training; GAUSSFLOW_MEMORY under a limit on address space that leaves no room; what the first training threw where all failed
 */
export async function searchTable(table: Dataset, options: CompletedFitOptions): Promise<SearchedTable> {
  const { train, seed } = options;
  // Before the folds are cut, because their trainings number the rows of a fold. An abort is heard by the trainings.
  await checkLossTargets(table, train.loss, "table", undefined);
  const sizes = { inputSize: table.inputSize, outputSize: table.outputSize };
  const given =
    typeof train.validation === "object"
      ? asDataset(train.validation, "options.train.validation", sizes)
      : train.validation;
  const { data, validation } = trainingRows(table, given);
  const rows = await comparedRows(data, seed);
  const layers = [table.inputSize, ...(options.hidden ?? []), outputCount(train.loss, table.outputSize)];
  // Wrong options of networks and trainings are the caller's error, and not that of a candidate.
  plan(drawnNetwork({ ...options.network, layers, seed }, "options.network"), data, trainOptions(options, 0, given));
  const folds = comparisonFolds(rows, options.folds, seed);
  checkCount("options.seed + folds", seed + folds.length, 0);
  const search = await new Search(rows, folds, validation, options).run();
  return { search, data, validation };
}

/** Options of a training with this decay, without those of the last training alone. */
export function trainOptions(
  { train, seed }: CompletedFitOptions,
  decay: number,
  validation: TrainOptions["validation"],
): TrainOptions {
  return { ...train, loss: { ...train.loss, decay }, validation, seed };
}

/** The validation option of a training of `rows` rows with this decay. */
export function validationOf(rule: ValidationRule, decay: number, rows: number): Dataset | number | false {
  if (rule !== "by-decay") return rule;
  return drawsValidation(rule, decay, rows) ? DEFAULT_VALIDATION : false;
}

class Search {
  readonly #rows: Dataset;
  readonly #folds: readonly Fold[];
  readonly #validation: ValidationRule;
  readonly #options: CompletedFitOptions;
  readonly #tried: (Compared & { readonly means: LossFigureMeans | null } & Omit<
      TriedNetwork,
      "score" | "difference" | "standardError" | "figures"
    >)[] = [];
  /** Of the rows that are held out; null = all 1. */
  readonly #weights: Float64Array | null;
  #aborted = false;

  constructor(rows: Dataset, folds: readonly Fold[], validation: ValidationRule, options: CompletedFitOptions) {
    this.#rows = rows;
    this.#folds = folds;
    this.#validation = validation;
    this.#options = options;
    this.#weights = heldWeights(judgedBy(rows, options.train.classWeights), folds);
  }

  async run(): Promise<TableSearch> {
    const start = performance.now();
    const sizes = this.#sizes();
    const decays = this.#decays();
    const firsts = decays.filter((decay) => FIRST_DECAYS.includes(decay));
    const first = { hidden: sizes[0]!, decay: firsts[0] ?? decays[0]! };
    if (sizes.length === 1 && decays.length === 1) return this.#result(start, first, "both were given");
    if (this.#folds.length === 0)
      return this.#result(
        start,
        { ...first, decay: this.#options.decay ?? 1 },
        `${this.#rows.sampleCount} rows are too few to compare networks on, so that the smallest was taken`,
      );
    checkAddressSpace();
    let at: Candidate = first;
    for (let turn = 0; turn < MOST_TURNS && !this.#aborted; turn++) {
      const list =
        turn % 2 === 1
          ? decays.map((decay) => ({ hidden: at.hidden, decay }))
          : (turn === 0 && firsts.length > 0 ? firsts : [at.decay]).flatMap((decay) =>
              sizes.map((hidden) => ({ hidden, decay })),
            );
      await this.#compare(list);
      const best = this.#compared()[bestOf(this.#compared(), this.#weights)];
      if (best === undefined) break;
      if (turn > 0 && same(best, at)) break;
      at = best;
    }
    return this.#chosen(start, first);
  }

  #sizes(): readonly (readonly number[])[] {
    const { hidden } = this.#options;
    if (hidden !== null) return [hidden];
    const { sampleCount: rows, inputSize, outputSize } = this.#rows;
    return sizeCandidates({ rows, inputSize, outputSize: outputCount(this.#options.train.loss, outputSize) });
  }

  /** Without early stopping a network without decay would fit all noise. */
  #decays(): readonly number[] {
    const { decay } = this.#options;
    if (decay !== null) return [decay];
    const stopped =
      this.#validation !== false &&
      (this.#validation !== "by-decay" || drawsValidation("by-decay", 0, this.#rows.sampleCount));
    return DECAYS.filter((one) => one > 0 || stopped);
  }

  /** Trains the candidates that are new and within the budget, on all folds, and keeps the losses of their held-out rows. */
  async #compare(list: readonly Candidate[]): Promise<void> {
    const { budget, many } = this.#options;
    const jobs: (TrainJob & { readonly fold: Fold; readonly at: number })[] = [];
    for (const candidate of list) {
      if (this.#tried.some((one) => same(one, candidate))) continue;
      const own = this.#folds.map((fold, k) => this.#job(candidate, fold, k));
      const flops = this.#folds.length * plannedFlops(own[0]!);
      const within = this.#spent() + flops <= budget;
      const at = this.#tried.length;
      this.#tried.push({
        ...candidate,
        parameterCount: own[0]!.network.parameterCount,
        losses: new Float64Array(this.#rows.sampleCount),
        means: null,
        flops,
        state: within ? "compared" : "over-budget",
        error: null,
      });
      if (within) jobs.push(...own.map((job) => ({ ...job, at })));
    }
    if (jobs.length === 0) return;
    // The longest trainings first, so that no lane is left with one at the end.
    jobs.sort((a, b) => this.#tried[b.at]!.flops - this.#tried[a.at]!.flops);
    const { results, aborted } = await trainMany(
      jobs.map(({ at: _, ...job }) => job),
      many,
    );
    this.#aborted ||= aborted;
    for (const [k, result] of results.entries()) await this.#take(result, jobs[k]!.fold, jobs[k]!.at);
  }

  async #take({ state, result, error }: JobResult, fold: Fold, at: number): Promise<void> {
    const tried = this.#tried[at]!;
    if (state === "failed") this.#tried[at] = { ...tried, state: "failed", error: tried.error ?? error };
    else if (result === null || result.reason.code === "aborted") this.#tried[at] = { ...tried, state: "idle" };
    if (result === null || this.#tried[at]!.state !== "compared") return;
    const { network } = result;
    const engine = { backend: this.#options.train.backend, threads: this.#options.many.threads };
    const losses = await heldOutLosses(network, fold.held, this.#options.train.loss, engine);
    const means = tried.means ?? LossFigureMeans.of(network, fold.held.targetNames);
    if (means !== null) {
      const { inputs, targets, weights } = fold.held;
      const found = network.link === "gaussian" ? await predictDistributionAsync(network, inputs, engine) : null;
      const predictions = found?.mean ?? (await predictAsync(network, inputs, engine));
      means.add({ predictions, deviations: found?.deviation ?? null, targets, weights });
      this.#tried[at] = { ...tried, means };
    }
    const draws = this.#folds.filter(({ index }) => index === fold.index).length;
    for (const [k, row] of fold.rows.entries()) tried.losses[row]! += losses[k]! / draws;
  }

  #job(candidate: Candidate, fold: Fold, k: number): TrainJob & { readonly fold: Fold } {
    const { network: shape, seed, train } = this.#options;
    const layers = [this.#rows.inputSize, ...candidate.hidden, outputCount(train.loss, this.#rows.outputSize)];
    const validation = validationOf(this.#validation, candidate.decay, fold.train.sampleCount);
    return {
      // A start of its own for each fold, so that no network is judged by a lucky one.
      network: drawnNetwork({ ...shape, layers, seed: seed + k }, "options.network"),
      data: fold.train,
      options: comparisonOptions(trainOptions(this.#options, candidate.decay, validation)),
      label: `${layersText(candidate.hidden)}, decay ${candidate.decay}, fold ${k + 1}`,
      fold,
    };
  }

  #spent(): number {
    return this.#tried.reduce((sum, { flops, state }) => sum + (state === "over-budget" ? 0 : flops), 0);
  }

  #compared() {
    return this.#tried.filter(({ state }) => state === "compared");
  }

  /** @throws what the first training threw where all failed, GAUSSFLOW_ARGUMENT for a budget that allowed none */
  #chosen(start: number, first: Candidate): TableSearch {
    const compared = this.#compared();
    const chosen = compared[choose(compared, this.#weights)];
    if (chosen !== undefined) {
      const best = compared[bestOf(compared, this.#weights)]!;
      const because = same(chosen, best)
        ? "its held-out loss is the lowest"
        : `it is the simplest whose held-out loss is within one standard error of the lowest, that of ${describe(best)}`;
      return this.#result(start, chosen, because);
    }
    if (this.#aborted) return this.#result(start, first, "the search was stopped before any network was compared");
    const failed = this.#tried.find(({ state }) => state === "failed");
    if (failed !== undefined) throw failed.error;
    const least = Math.min(...this.#tried.map(({ flops }) => flops));
    if (this.#tried.every(({ state }) => state === "over-budget"))
      throw argumentError(
        "options.budget",
        `must be at least ${least.toPrecision(3)}, the planned work of the smallest network (options.hidden and options.decay together, such as 16 units and 0.1, train without a comparison)`,
        this.#options.budget,
      );
    return this.#result(start, first, "no network had a finite held-out loss");
  }

  #result(start: number, { hidden, decay }: Candidate, because: string): TableSearch {
    const compared = this.#compared();
    const comparisons = compare(compared, bestOf(compared, this.#weights), this.#weights);
    const none = { score: Number.NaN, difference: Number.NaN, standardError: Number.NaN };
    const names = this.#rows.targetNames;
    const tried = this.#tried.map(({ losses: _, means, ...one }, k) => ({
      ...one,
      figures:
        means === null || one.state !== "compared" ? [] : names.map((target, t) => ({ target, ...means.figures(t) })),
      ...(comparisons[compared.indexOf(this.#tried[k]!)] ?? none),
    }));
    const place = ({ score }: TriedNetwork) => (Number.isFinite(score) ? score : Number.MAX_VALUE);
    return {
      hidden,
      decay,
      because,
      tried: tried.sort((a, b) => place(a) - place(b) || a.parameterCount - b.parameterCount),
      criterion: criterionOf(this.#options.train.loss),
      rows: this.#rows.sampleCount,
      folds: this.#folds.length,
      flops: this.#spent(),
      budget: this.#options.budget,
      aborted: this.#aborted,
      seconds: (performance.now() - start) / 1000,
    };
  }
}

/** @throws GAUSSFLOW_MEMORY under a limit on address space that a comparison would exceed */
function checkAddressSpace(): void {
  const free = freeAddressSpace();
  if (free >= ADDRESS_SPACE) return;
  throw new GaussflowError(
    "GAUSSFLOW_MEMORY",
    `the limit on address space (ulimit -v) leaves ${showBytes(Math.max(0, free))}, and a comparison of networks needs ${showBytes(ADDRESS_SPACE)}: raise the limit, or train one network, with values for options.hidden and options.decay`,
    { bytes: ADDRESS_SPACE },
  );
}

function same(a: Candidate, b: Candidate): boolean {
  return a.decay === b.decay && a.hidden.join() === b.hidden.join();
}

function describe({ hidden, decay }: Candidate): string {
  return `${layersText(hidden)} with decay ${decay}`;
}

/** The rows with the weights that the trainings see. */
function judgedBy(rows: Dataset, classWeights: TrainOptions["classWeights"]): Dataset {
  if (classWeights === undefined) return rows;
  return finish(weighByClassSteps(rows, finish(classFactorSteps("options.train.classWeights", classWeights, rows))));
}

/** The weights of the rows, 0 of those that no fold holds out: the first stretch of ordered rows. */
function heldWeights(rows: Dataset, folds: readonly Fold[]): Float64Array | null {
  const held = new Set(folds.flatMap((fold) => [...fold.rows]));
  if (held.size === rows.sampleCount) return rows.weights;
  return Float64Array.from({ length: rows.sampleCount }, (_, i) => (held.has(i) ? (rows.weights?.[i] ?? 1) : 0));
}

/** Of one training. Sizes alone decide: neither the engine nor the memory of this machine. */
function plannedFlops({ network, data, options }: TrainJob & { readonly fold: Fold }): number {
  const setting = { ...options, backend: "typescript", memoryLimit: Number.MAX_SAFE_INTEGER } as const;
  return PLANNED_ITERATIONS * plan(network, data, setting).chosen.flops;
}
