// An experiment that is aborted, at whatever point, rejects with the signal's reason: never with an outcome made of half of its runs.
import { describe, expect, it } from "vitest";
import { EXPERIMENTS, runExperiment } from "../../src/experiment/experiments.js";

const small: Readonly<Record<string, { samples: number; width: number }>> = {
  damping: { samples: 6, width: 4 },
  real: { samples: 60, width: 2 },
};

describe.each(EXPERIMENTS.map((experiment) => [experiment.name, experiment] as const))("%s", (name, experiment) => {
  it("aborted before it begins, between its runs and within them", async () => {
    const settings = { seeds: 1, ...(small[name] ?? { samples: 20, width: 2 }) };
    for (const after of [0, 1, 2, 3, 5]) {
      for (const delay of [null, 0, 3]) {
        const controller = new AbortController();
        const reason = new Error("enough");
        let calls = 0;
        const progress = () => {
          if (calls++ !== after) return;
          if (delay === null) controller.abort(reason);
          else setTimeout(() => controller.abort(reason), delay);
        };
        if (after === 0 && delay === null) controller.abort(reason);
        const ended = await runExperiment(experiment, settings, {
          signal: controller.signal,
          progress,
          threads: 1,
        }).then(
          // A small experiment may be whole before a timer fires: then nothing had been aborted.
          () => (controller.signal.aborted ? "an outcome all the same" : reason),
          (error: unknown) => error,
        );
        expect(ended, `after ${after} calls, delay ${delay}`).toBe(reason);
        if (delay === null) expect(controller.signal.aborted, `${calls} calls`).toBe(true);
      }
    }
  });
});
