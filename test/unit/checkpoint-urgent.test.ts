// The signal by which a run on several ranks writes its checkpoint at once, because mpirun kills it a second later.
import { setTimeout as pause } from "node:timers/promises";
import { expect, it } from "vitest";
import { CheckpointKeeper } from "../../src/run/checkpoint-keeper.js";

/** A keeper whose writes take a while, and what it has begun and ended to write. */
function slowKeeper(urgent: AbortSignal) {
  const events: string[] = [];
  const write = async (state: number) => {
    events.push(`begins ${state}`);
    await pause(20);
    events.push(`ends ${state}`);
  };
  return { events, keeper: new CheckpointKeeper<number>({ every: 10, urgent, write }, "iteration") };
}

it("writes the iteration that is noted, once", async () => {
  const controller = new AbortController();
  const { events, keeper } = slowKeeper(controller.signal);
  await keeper.keep(3, () => 3);
  expect(events).toEqual([]);
  controller.abort();
  expect(events).toEqual(["begins 3"]);
  await pause(40);
  await keeper.close();
  expect(events).toEqual(["begins 3", "ends 3"]);
});

it("the run keeps the arrays of that iteration until it is written", async () => {
  const controller = new AbortController();
  const { events, keeper } = slowKeeper(controller.signal);
  await keeper.keep(3, () => 3);
  controller.abort();
  await keeper.keep(4, () => {
    events.push("requested 4");
    return 4;
  });
  expect(events).toEqual(["begins 3", "ends 3"]);
  await keeper.close();
  expect(events).toEqual(["begins 3", "ends 3", "requested 4", "begins 4", "ends 4"]);
});

it("a run that has ended writes nothing more", async () => {
  const controller = new AbortController();
  const { events, keeper } = slowKeeper(controller.signal);
  await keeper.close();
  keeper.note(5, () => 5);
  controller.abort();
  expect(events).toEqual([]);
});
