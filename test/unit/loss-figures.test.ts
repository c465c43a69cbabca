// Figures of a loss beside the errors: over blocks they are those of the functions of the library on all rows at once.
import { describe, expect, it } from "vitest";
import { LossFigureMeans } from "../../src/cli/loss-figures.js";
import { countMetrics } from "../../src/loss/count-metrics.js";
import { quantileMetrics } from "../../src/loss/quantile-metrics.js";
import { network } from "../../src/network/network.js";

const NAMES = ["a", "b"];
const predictions = Float64Array.from({ length: 40 }, (_, k) => 1.5 + Math.sin(k));
const targets = Float64Array.from({ length: 40 }, (_, k) => k % 4);
const weights = Float64Array.from({ length: 20 }, (_, i) => i % 3);
const net = network({ layers: [1, 2, 2], seed: 1 });

/** Blocks of 1, 0, 12 and 7 rows; the first has no weight at all. */
function means(model: typeof net) {
  const found = LossFigureMeans.of(model, NAMES)!;
  for (const [from, to] of [[0, 1], [1, 1], [1, 13], [13, 20]] as const) // biome-ignore format: a list
    found.add({
      predictions: predictions.subarray(2 * from, 2 * to),
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

  it("are not there for other losses", () => {
    expect(LossFigureMeans.of(net, NAMES)).toBeNull();
    expect(LossFigureMeans.of(net.withSummary({ lossKind: "huber", lossDelta: 1 }), NAMES)).toBeNull();
  });
});
