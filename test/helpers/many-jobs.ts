// A small regression problem for tests of trainMany, and what of a result may not depend on how it was come by: all but the clock.
import type { TrainJob, TrainResult } from "../../src/index.js";
import { type Dataset, dataset, network, Random } from "../../src/index.js";
import { timelessRecords } from "./sealed.js";

export function wave(sampleCount: number, seed = 1): Dataset {
  const random = new Random(seed, 9);
  const inputs = Array.from({ length: sampleCount }, () => [random.uniform(), random.uniform()]);
  const targets = inputs.map(([a, b]) => Math.sin(4 * a!) + a! * b! + 0.05 * random.normal());
  return dataset({ inputs, targets });
}

export function smallJob(iterations = 12): TrainJob {
  return {
    network: network({ layers: [2, 5, 1], seed: 3 }),
    data: wave(60),
    options: { stop: { iterations } },
  };
}

/** Networks and records, without seconds; the number of threads is the caller's wish. */
export function timeless(result: TrainResult) {
  const { network: kept, last, best, bestValidation, reason, iterations, loss, validationLoss } = result;
  const bits = (one: typeof kept | null) => one && Buffer.from(one.parameters.buffer).toString("hex");
  const records = timelessRecords(result.records);
  const networks = [kept, last, best, bestValidation].map(bits);
  return { networks, scaling: kept.scaling, reason, iterations, loss, validationLoss, records };
}
