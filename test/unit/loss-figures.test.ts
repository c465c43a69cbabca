// Figures of a loss beside the errors: over blocks they are those of the functions of the library on all rows at once.
import { describe, expect, it } from "vitest";
import { pickRows } from "../../src/data/rows.js";
import {
  crossValidate,
  dataset,
  distributionMetrics,
  fitTable,
  gaussianNll,
  type Loss,
  poisson,
  quantile,
  Random,
  squaredError,
} from "../../src/index.js";
import { countMetrics } from "../../src/loss/count-metrics.js";
import { LossFigureMeans } from "../../src/loss/loss-figures.js";
import { quantileMetrics } from "../../src/loss/quantile-metrics.js";
import { network } from "../../src/network/network.js";
import { foldRows, foldsTable } from "../../src/report/folds-table.js";
import { searchTable } from "../../src/report/search-table.js";

const NAMES = ["a", "b"];
const predictions = Float64Array.from({ length: 40 }, (_, k) => 1.5 + Math.sin(k));
const targets = Float64Array.from({ length: 40 }, (_, k) => k % 4);
const weights = Float64Array.from({ length: 20 }, (_, i) => i % 3);
const net = network({ layers: [1, 2, 2], seed: 1 });

/** Blocks of 1, 0, 12 and 7 rows; the first has no weight at all. */
function means(model: typeof net, deviations: Float64Array | null = null) {
  const found = LossFigureMeans.of(model, NAMES)!;
  for (const [from, to] of [[0, 1], [1, 1], [1, 13], [13, 20]] as const) // biome-ignore format: a list
    found.add({
      predictions: predictions.subarray(2 * from, 2 * to),
      deviations: deviations?.subarray(2 * from, 2 * to) ?? null,
      targets: targets.subarray(2 * from, 2 * to),
      weights: weights.subarray(from, to),
    });
  return NAMES.map((_, k) => found.figures(k));
}

/** Sums of 20 terms in another order. */
const near = (found: number | undefined, expected: number) =>
  expect(Math.abs((found ?? Number.NaN) - expected)).toBeLessThanOrEqual(40 * Number.EPSILON * Math.abs(expected));

describe("figures of the loss", () => {
  it("of counts are their deviance", () => {
    const whole = countMetrics(predictions, targets, NAMES, weights);
    means(net.withLink("exp")).forEach((found, k) => {
      expect(Object.keys(found)).toEqual(["deviance"]);
      near(found.deviance, whole[k]!.deviance);
    });
  });

  it("of quantiles are the pinball loss and the share below, at the tau of the training", () => {
    const whole = quantileMetrics(predictions, targets, NAMES, 0.9, weights);
    means(net.withSummary({ lossKind: "quantile", lossTau: 0.9 })).forEach((found, k) => {
      near(found.pinball, whole[k]!.pinball);
      near(found.below, whole[k]!.below);
    });
  });

  it("of predicted distributions are the negative log-likelihood and the share in their 95% intervals", () => {
    const deviation = predictions.map((_, k) => 0.3 + (k % 3));
    const whole = distributionMetrics({ mean: predictions, deviation }, targets, NAMES, weights);
    means(net.withLink("gaussian"), deviation).forEach((found, k) => {
      near(found.nll, whole[k]!.nll);
      near(found.coverage, whole[k]!.coverage);
    });
    // The density by its definition, and the interval by its ends.
    const [total, sums] = [weights.reduce((sum, s) => sum + s, 0), { nll: 0, inside: 0 }];
    for (const [i, s] of weights.entries()) {
      const [y, m, d] = [targets[2 * i + 1]!, predictions[2 * i + 1]!, deviation[2 * i + 1]!];
      sums.nll -= s * Math.log(Math.exp(-((y - m) ** 2) / (2 * d * d)) / (d * Math.sqrt(2 * Math.PI)));
      if (y >= m - 1.959964 * d && y <= m + 1.959964 * d) sums.inside += s;
    }
    near(whole[1]!.nll, sums.nll / total);
    near(whole[1]!.coverage, sums.inside / total);
    expect(whole[1]!.coverage).toBeLessThan(1);
    expect(() => distributionMetrics({ mean: predictions, deviation: deviation.fill(0) }, targets, NAMES)).toThrow(
      /distribution\.deviation\[0\] must be above 0; received 0/,
    );
    expect(() => distributionMetrics({ mean: predictions, deviation: [1] }, targets, NAMES)).toThrow(
      /distribution\.deviation must have the length of targets, 40/,
    );
  });

  it("are not there for other losses", () => {
    expect(LossFigureMeans.of(net, NAMES)).toBeNull();
    expect(LossFigureMeans.of(net.withSummary({ lossKind: "huber", lossDelta: 1 }), NAMES)).toBeNull();
  });
});

describe("in a cross-validation and a search", () => {
  const random = new Random(5);
  const inputs = Array.from({ length: 60 }, () => [2 * random.uniform() - 1]);
  const data = dataset({
    inputs,
    targets: inputs.map(([x]) => Math.round(Math.exp(1 + x!) * (0.5 + random.uniform()))),
    weights: inputs.map((_, i) => 1 + (i % 3)),
    targetNames: ["y"],
  });
  const options = (loss: Loss) => ({ loss, backend: "typescript", stop: { iterations: 6 } }) as const;
  const job = (loss: Loss, outputs = 1) => ({
    network: network({ layers: [1, 2, outputs], seed: 3 }),
    data,
    options: { ...options(loss), validation: false as const },
  });

  it("are those of each fold's rows and of all of them, and stand in the table", async () => {
    const counts = await crossValidate(job(poisson({ decay: 1 })), { folds: 3 });
    near(
      counts.metrics![0]!.deviance,
      countMetrics(counts.predictions, data.targets, ["y"], data.weights)[0]!.deviance,
    );
    for (const { fold, metrics } of counts.folds) {
      const found = pickRows(counts.predictions, fold.rows, 1);
      const { held } = fold;
      near(metrics![0]!.deviance, countMetrics(found, held.targets, ["y"], held.weights)[0]!.deviance);
    }
    expect(foldsTable(counts).split("\n")[0]).toMatch(/1 - R² +deviance$/);
    expect(foldRows(counts)[0]!.targets![0]).toHaveProperty("deviance");

    const quantiles = await crossValidate(job(quantile({ tau: 0.8, decay: 1 })), { folds: 3 });
    const [expected] = quantileMetrics(quantiles.predictions, data.targets, ["y"], 0.8, data.weights);
    near(quantiles.metrics![0]!.pinball, expected!.pinball);
    near(quantiles.metrics![0]!.below, expected!.below);
    expect(foldsTable(quantiles).split("\n")[0]).toMatch(/1 - R² +pinball +below$/);

    const normal = await crossValidate(job(gaussianNll({ decay: 1 }), 2), { folds: 3 });
    const distribution = { mean: normal.predictions, deviation: normal.deviations! };
    const [likely] = distributionMetrics(distribution, data.targets, ["y"], data.weights);
    near(normal.metrics![0]!.nll, likely!.nll);
    near(normal.metrics![0]!.coverage, likely!.coverage);
    expect(foldsTable(normal).split("\n")[0]).toMatch(/1 - R² +nll +coverage$/);

    const plain = await crossValidate(job(squaredError({ decay: 1 })), { folds: 3 });
    expect(plain.deviations).toBeNull();
    expect(Object.keys(plain.metrics![0]!)).toEqual(["target", "rmse", "mae", "r2", "unexplained"]);
    expect(foldsTable(plain).split("\n")[0]).toMatch(/1 - R²$/);
  });

  it("are means over the held-out rows of every network that was compared", async () => {
    const { search } = await fitTable(data, { hidden: [2], decay: "auto", folds: 3, train: options(poisson()) });
    const compared = search.tried.filter(({ state }) => state === "compared");
    expect(compared.length).toBeGreaterThan(1);
    for (const { score, figures } of compared) {
      expect(figures.map(({ target }) => target)).toEqual(["y"]);
      // The loss is half the deviance. Sums of 60 terms, of the engine's outputs and of its predictions, which agree to 1e-12 of their terms.
      expect(Math.abs(figures[0]!.deviance! / 2 - score)).toBeLessThanOrEqual(60 * 1e-12 * score);
    }
    expect(searchTable(search)).toMatch(/standard error +deviance\n/);
    const plain = await fitTable(data, { hidden: [2], decay: "auto", folds: 3, train: options(squaredError()) });
    expect(plain.search.tried.every(({ figures }) => figures.length === 0)).toBe(true);
    expect(searchTable(plain.search)).toMatch(/standard error\n/);
  });
});
