// The scores of trainMany: the loss where all jobs minimize the same one, the mean absolute error of the rows that decide where losses for
// real targets differ, and a refusal where losses do not compare at all.
import { describe, expect, it } from "vitest";
import {
  bayesianRegularization,
  type Dataset,
  dataset,
  huber,
  logistic,
  restarts,
  softmaxCrossEntropy,
  squaredError,
  sweep,
  type TrainJob,
  type TrainOptions,
  type TrainResult,
  trainMany,
} from "../../src/index.js";
import { smallJob, wave } from "../helpers/many-jobs.js";

/** The definition: sum s |psi - y| / scale over sum s. */
function absoluteError({ network }: TrainResult, { inputs, targets, weights, outputSize }: Dataset): number {
  const predictions = network.predict(inputs);
  const scale = network.scaling?.targets.scale ?? [];
  let [sum, total] = [0, 0];
  for (const [k, y] of targets.entries()) {
    const weight = weights?.[Math.floor(k / outputSize)] ?? 1;
    sum += (weight * Math.abs((predictions[k] as number) - y)) / (scale[k % outputSize] ?? 1);
    total += weight;
  }
  return sum / total;
}

const data = wave(60);
const job: TrainJob = { ...smallJob(), data };
const losses = [huber({ delta: 0.01 }), squaredError(), huber({ delta: 1 }), huber({ delta: 1, decay: 0.1 })];
const swept = (options: TrainOptions = {}) =>
  sweep({ ...job, options: { ...job.options, ...options } }, losses.map((loss) => ({ options: { loss } }))); // biome-ignore format: one call

describe("jobs with different losses", () => {
  it("are scored by the mean absolute error on the same validation part", async () => {
    const { results, ranked, best, scoredBy } = await trainMany(swept());
    expect(scoredBy).toBe("absolute-error");
    const { validation } = data.split({ validation: 0.15, seed: 3 });
    const expected = results.map(({ result }) => absoluteError(result as TrainResult, validation as Dataset));
    // The engine of predictAsync sums in another order: 1e-12 of the terms.
    for (const [k, { score }] of results.entries()) expect(score).toBeCloseTo(expected[k] as number, 11);
    const order = [...expected.keys()].sort((a, b) => (expected[a] as number) - (expected[b] as number));
    expect(ranked.map(({ index }) => index)).toEqual(order);
    expect(best?.index).toBe(order[0]);
    // Their own losses would rank the smallest delta first, whatever it predicts: no error counts more than 0.01 there.
    const own = results.map(({ result }) => result?.validationLoss as number);
    expect(own.indexOf(Math.min(...own))).toBe(0);
  });

  it("are scored on the fitted rows, with their weights, where no part is held out", async () => {
    const weights = Float64Array.from({ length: 60 }, (_, i) => i % 3);
    const weighted = dataset({ inputs: data.inputs, targets: data.targets, inputSize: 2, weights });
    const jobs = swept({ validation: false, standardize: false }).map((one) => ({ ...one, data: weighted }));
    const { results, scoredBy } = await trainMany(jobs);
    expect(scoredBy).toBe("absolute-error");
    for (const { result, score } of results)
      expect(score).toBeCloseTo(absoluteError(result as TrainResult, weighted), 11);
  });

  it("are so too where each training has found its own delta, and a failed job has no score", async () => {
    const options = { ...job.options, loss: huber(), stop: { iterations: 5 } };
    const bad = { ...job, data: { inputs: [[1, 2]], targets: [[1, 2]] } };
    const { results, ranked, scoredBy } = await trainMany([bad, ...restarts({ ...job, options }, 3)]);
    expect(scoredBy).toBe("absolute-error");
    expect([results[0]?.state, results[0]?.score, ranked.at(-1)?.index]).toEqual(["failed", Number.NaN, 0]);
    const { validation } = data.split({ validation: 0.15, seed: 3 });
    for (const { result, score } of results.slice(1))
      expect(score).toBeCloseTo(absoluteError(result as TrainResult, validation as Dataset), 11);
  });

  it("keep the loss as score where only the decay differs", async () => {
    const variants = [0, 0.1].map((decay) => ({ options: { loss: huber({ delta: 1, decay }) } }));
    const { results, scoredBy } = await trainMany(sweep(job, variants));
    expect(scoredBy).toBe("loss");
    for (const { result, score } of results) expect(score).toBe(result?.validationLoss);
  });

  it.each([
    [
      "probabilities after real numbers",
      [squaredError(), logistic()],
      /^jobs\[1\]\.options\.loss must be squared-error, as that of jobs\[0\].*metrics\(\); received "logistic"/,
    ],
    [
      "real numbers after probabilities",
      [logistic(), logistic(), huber()],
      /^jobs\[2\]\.options\.loss must be logistic.*received "huber"/,
    ],
    [
      "two kinds of probabilities",
      [softmaxCrossEntropy(), logistic()],
      /^jobs\[1\]\.options\.loss must be softmax-cross-entropy/,
    ],
  ] as const)("are refused before any training: %s", async (_, mixed, message) => {
    const jobs = mixed.map((loss) => ({ ...job, options: { ...job.options, loss } }));
    await expect(trainMany(jobs)).rejects.toMatchObject({
      code: "GAUSSFLOW_ARGUMENT",
      message: expect.stringMatching(message),
    });
  });

  it("that are none stay errors of their jobs", async () => {
    const jobs = ["logistic", {}, null, 1].map((loss) => ({ ...job, options: { loss: loss as never } }));
    const { results } = await trainMany([...jobs, job]);
    expect(results.map(({ state }) => state)).toEqual(["failed", "failed", "failed", "failed", "trained"]);
  });
});

describe("jobs with a Bayesian evidence", () => {
  const bayes = { ...job, options: { ...job.options, method: bayesianRegularization() } };

  it("are ranked by it where no rows are held out, the most probable first", async () => {
    const { ranked, scoredBy } = await trainMany(
      restarts({ ...bayes, options: { ...bayes.options, validation: false } }, 4),
    );
    expect(scoredBy).toBe("evidence");
    const evidence = ranked.map(({ result }) => result!.evidence!.logEvidence);
    expect(evidence).toEqual(evidence.toSorted((a, b) => b - a));
    expect(ranked.map(({ score }) => score)).toEqual(evidence.map((one) => -one));
  });

  it("and by the validation loss where rows are held out, or another method is among them", async () => {
    const held = { ...bayes, options: { ...bayes.options, validation: 0.2 } };
    expect((await trainMany(restarts(held, 2))).scoredBy).toBe("loss");
    expect((await trainMany([bayes, job])).scoredBy).toBe("loss");
  });
});
