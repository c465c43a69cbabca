// Runs on batches that are ended within an evaluation, by an engine that aborts them there, and the runs that go on from their checkpoints: the
// uninterrupted run bit for bit. And the evaluations at the end of a run within an epoch.
import { describe, expect, it } from "vitest";
import { createEngine } from "../../src/backend/create.js";
import { type Engine, failed } from "../../src/backend/engine.js";
import {
  adam,
  type BatchMethod,
  cumulativeGaussNewton,
  exactGaussNewton,
  gradientDescent,
  lbfgs,
  network,
  Random,
  squaredError,
  type TrainRecord,
} from "../../src/index.js";
import type { MinimizeResult } from "../../src/train/minimize-options.js";
import type { Snapshot } from "../../src/train/snapshot.js";
import { type BatchProblem, descendNetwork } from "../helpers/descend-network.js";

const ROWS = 40;
const net = network({ layers: [2, 4, 1], seed: 2 });
const draw = new Random(6, 1);
const drawn = (count: number) => Float64Array.from({ length: count }, () => draw.normal());
const problem: BatchProblem = {
  architecture: net.architecture,
  parameters: net.parameters,
  data: { sampleCount: ROWS, inputs: drawn(ROWS * 2), targets: drawn(ROWS), loss: squaredError() },
};
const held = { sampleCount: 10, inputs: drawn(20), targets: drawn(10), loss: squaredError() };

const METHODS: readonly BatchMethod[] = [
  adam({ batch: 8, rate: 0.01 }),
  gradientDescent({ batch: 8, rate: 0.05 }),
  exactGaussNewton({ batch: 8, momentum: 0.9 }),
  // Moves in every epoch, so that every validation is an evaluation.
  cumulativeGaussNewton({ batch: 8, warmUp: 0.5, largestRise: 100 }),
  lbfgs({ memory: 4 }),
];

/** A validation set, the count of its evaluations, and what is called before each. */
function validation(before: (count: number) => void = () => {}) {
  const engine = createEngine(net.architecture, held, { backend: "typescript", threads: 1 });
  let count = 0;
  const evaluate: Engine["evaluate"] = async (w, signal) => {
    before(++count);
    signal?.throwIfAborted();
    return engine.evaluate(w, signal);
  };
  return { engine: { evaluate } as Engine, meanFactor: 2 / held.sampleCount };
}

/** Everything of a run but its times. */
const timeless = ({ records, last, best, bestValidation, iterations, reason }: MinimizeResult) => ({
  records: records.map(({ elapsed: _, seconds: __, ...record }) => record),
  ...{ last, best, bestValidation, iterations, reason },
});

/** What a file keeps of a state: a copy at the time of the write. */
function keeper(every: number) {
  const kept: { state: Snapshot | null } = { state: null };
  const write = async (state: Snapshot) => {
    kept.state = structuredClone(state);
  };
  return { kept, checkpoint: { every, write } };
}

describe("a run that is aborted in an evaluation and goes on from its checkpoint", () => {
  const stop = { epochs: 6, patience: 100 };
  for (const method of METHODS)
    for (const every of [1, 1000])
      it(`${method.name}, checkpoints every ${every}: repeats the uninterrupted one bit for bit`, async () => {
        const whole = await descendNetwork(problem, method, stop, { validation: validation() });
        for (const at of [2, 4, 7]) {
          const controller = new AbortController();
          const { kept, checkpoint } = keeper(every);
          const first = await descendNetwork(problem, method, stop, {
            validation: validation((count) => {
              if (count === at) controller.abort();
            }),
            signal: controller.signal,
            checkpoint,
          });
          expect(first.reason.code).toBe("aborted");
          expect(first.records).toHaveLength(at - 1);
          const resumed = await descendNetwork(problem, method, stop, {
            validation: validation(),
            resume: kept.state,
          });
          expect(timeless(resumed)).toEqual(timeless(whole));
        }
      });

  it("a rule of the lost record ends the resumed run where it ends the uninterrupted one", async () => {
    const method = adam({ batch: 8, rate: 0.01 });
    const free = await descendNetwork(problem, method, { epochs: 6 }, { validation: validation() });
    const limit = { epochs: 6, loss: free.records[2].loss };
    const controller = new AbortController();
    const { kept, checkpoint } = keeper(1000);
    const { signal } = controller;
    const abortAt3 = validation((count) => {
      if (count === 3) controller.abort();
    });
    await descendNetwork(problem, method, limit, { validation: abortAt3, signal, checkpoint });
    const resumed = await descendNetwork(problem, method, limit, { validation: validation(), resume: kept.state });
    expect(resumed.reason.code).toBe("loss");
    expect(resumed.iterations).toBe(free.records[2].iteration);
  });

  for (const method of METHODS)
    it(`${method.name}: a resumed run that ends at its first evaluation writes a state it can go on from`, async () => {
      // An evaluation after every step, so that the first one is that of the first step.
      const often = { ...stop, validateEvery: 1 };
      const whole = await descendNetwork(problem, method, often, { validation: validation() });
      const [early, late] = [keeper(1000), keeper(1000)];
      const [one, two] = [new AbortController(), new AbortController()];
      const observer = { onRecord: ({ epoch }: TrainRecord) => (epoch === 2 ? one.abort() : undefined) };
      await descendNetwork(problem, method, often, {
        validation: validation(),
        signal: one.signal,
        observer,
        checkpoint: early.checkpoint,
      });
      const next = await descendNetwork(problem, method, often, {
        validation: validation(() => two.abort()),
        signal: two.signal,
        resume: early.kept.state,
        checkpoint: late.checkpoint,
      });
      expect(next.reason.code).toBe("aborted");
      expect(late.kept.state!.iteration).toBeGreaterThan(early.kept.state!.iteration);
      const resumed = await descendNetwork(problem, method, often, {
        validation: validation(),
        resume: late.kept.state,
      });
      expect(timeless(resumed)).toEqual(timeless(whole));
    });
});

describe("a run whose method has ended it within an epoch", () => {
  it("goes on from its checkpoint without another step, to the same end", async () => {
    const { step, ...described } = adam({ batch: 8, rate: 0.01 });
    let steps = 0;
    const ending: BatchMethod = {
      ...described,
      step: async (context, state) => {
        steps++;
        const answer = await step(context, state);
        const end = context.iteration === 7 ? ({ code: "no-progress", message: "step 7" } as const) : undefined;
        return failed(answer) ? answer : { ...answer, end };
      },
    };
    const { kept, checkpoint } = keeper(1000);
    const whole = await descendNetwork(problem, ending, { epochs: 6 }, { validation: validation(), checkpoint });
    expect(whole).toMatchObject({ iterations: 7, reason: { code: "no-progress", message: "step 7" } });
    steps = 0;
    const resumed = await descendNetwork(
      problem,
      ending,
      { epochs: 6 },
      { validation: validation(), resume: kept.state },
    );
    expect(steps).toBe(0);
    expect(timeless(resumed)).toEqual(timeless(whole));
  });
});

describe("the end of a run within an epoch", () => {
  const method = exactGaussNewton({ batch: 4 });

  /** Mean loss of all rows. */
  async function lossAt(w: Float64Array): Promise<number> {
    const engine = createEngine(net.architecture, problem.data, { backend: "typescript", threads: 1 });
    const answer = await engine.evaluate(w);
    engine.dispose();
    if (failed(answer)) throw new Error(answer.message);
    return answer.loss * (2 / ROWS);
  }

  it("at a step with a record of its batches: the loss of all rows is evaluated, and the best point is not the start", async () => {
    const descent = gradientDescent({ batch: 4, rate: 0.05 });
    const { records, best, last } = await descendNetwork(problem, descent, { iterations: 5, validateEvery: 5 });
    expect(records.map(({ iteration }) => iteration)).toEqual([0, 5]);
    expect(records[1].loss).toBe(await lossAt(last.parameters));
    expect(records[1].batchLoss).not.toBe(records[1].loss);
    expect(best.iteration).toBe(5);
  });

  it("by patience: its record is replaced by one with the loss of all rows and the same steps", async () => {
    const rising = validation();
    let value = 1;
    const engine = { evaluate: async () => ({ ok: true, loss: value++ }) } as unknown as Engine;
    const stop = { epochs: 5, validateEvery: 3, patience: 2 };
    const { records, last, reason } = await descendNetwork(problem, method, stop, {
      validation: { ...rising, engine },
    });
    expect(reason.code).toBe("patience");
    expect(records.map(({ iteration }) => iteration)).toEqual([0, 3, 6]);
    expect(records[2].loss).toBe(await lossAt(last.parameters));
    expect(records[2].gradientNorm).toBeGreaterThan(0);
    expect(records[2].validationLoss).toBe(records[1].validationLoss! * 1.5);
  });

  it("the loss of the point that is best by validation is that of all rows", async () => {
    let value = 9;
    const engine = { evaluate: async () => ({ ok: true, loss: Math.abs(value-- - 7) }) } as unknown as Engine;
    const stop = { epochs: 1, validateEvery: 3 };
    const { bestValidation } = await descendNetwork(problem, method, stop, { validation: { engine, meanFactor: 1 } });
    expect(bestValidation!.iteration).toBe(6);
    expect(bestValidation!.loss).toBe(await lossAt(bestValidation!.parameters));
  });

  it("without memory for its last evaluation has that reason", async () => {
    const refusal = Object.assign(new RangeError("Array buffer allocation failed"));
    let count = 0;
    const engine = {
      evaluate: async () => {
        if (++count > 1) throw refusal;
        return { ok: true, loss: 1 };
      },
    } as unknown as Engine;
    const { reason, records } = await descendNetwork(
      problem,
      method,
      { iterations: 5 },
      {
        validation: { engine, meanFactor: 1 },
      },
    );
    expect(reason.code).toBe("memory");
    expect(records).toHaveLength(1);
  });
});
