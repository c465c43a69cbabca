// Checkpoints of min-max games: a game that is interrupted at any step, in the middle of an epoch or of an iteration, goes on to the bits of the
// uninterrupted one; a file that is torn, edited or of another game is refused with what differs.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  adam,
  type BatchMethod,
  exactGaussNewton,
  gradientDescent,
  type MinmaxOptions,
  type MinmaxResult,
  minmax,
  minmaxGaussNewton,
  network,
  Random,
} from "../../src/index.js";
import type { MethodState } from "../../src/method/method.js";
import type { JointContext } from "../../src/method/minmax/minmax-gauss-newton.js";
import { type Body, resealed, timelessRecords } from "../helpers/sealed.js";

const generator = network({ layers: [3, 5, 2], seed: 1 });
const discriminator = network({ layers: [2, 6, 1], seed: 2 });
const random = new Random(4, 3);
/** Batches of 9: an epoch has four of them. */
const data = Float64Array.from({ length: 80 }, () => 1 + 0.3 * random.normal());
const folder = await mkdtemp(join(tmpdir(), "gaussflow-game-"));

const play = (options: MinmaxOptions) => minmax(generator, discriminator, data, options);
const bits = (values: Float64Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("hex");
/** All of a result but the clock. */
const timeless = ({ generator: g, discriminator: d, records, reason, iterations }: MinmaxResult) => ({
  generator: bits(g.parameters),
  discriminator: bits(d.parameters),
  records: timelessRecords(records),
  reason,
  iterations,
});

const published = minmaxGaussNewton({ step: "published", rate: 1e-3 });
const turns = { batch: 9, seed: 3, iterations: 7 } as const;
const games: readonly [string, number, MinmaxOptions][] = [
  ["Gauss-Newton a player", 14, turns],
  ["Gauss-Newton in TypeScript", 14, { ...turns, backend: "typescript" }],
  ["two steps of the discriminator", 21, { ...turns, discriminatorSteps: 2 }],
  ["Adam, WGAN-GP", 14, { ...turns, loss: "wasserstein", method: adam({ rate: 0.01 }) }],
  [
    "momentum and a line search",
    14,
    {
      ...turns,
      method: {
        generator: gradientDescent({ rate: 0.01, momentum: 0.9 }),
        discriminator: exactGaussNewton({ lineSearch: true, momentum: 0 }),
      },
    },
  ],
  ["the published step, normalized", 7, { ...turns, method: published }],
];

/** The same game, aborted once `steps` steps of the players are done in this call. */
async function interrupted(options: MinmaxOptions, steps: number): Promise<MinmaxResult> {
  const controller = new AbortController();
  let [begun, taken] = [0, 0];
  const counting = (one: BatchMethod): BatchMethod => ({
    ...one,
    // Aborted at the beginning of the next step, which is then not taken.
    step: (context, state) => {
      if (begun++ === steps) controller.abort();
      return one.step(context, state);
    },
  });
  const { method = minmaxGaussNewton() } = options;
  if ("kind" in method && method.kind === "joint")
    return play({
      ...options,
      signal: controller.signal,
      method: {
        ...method,
        // A joint step is taken at once: the abort is heard after it.
        step: (context: JointContext, state: MethodState) => {
          if (++taken === steps) controller.abort();
          return method.step(context, state);
        },
      },
    });
  const of = "kind" in method ? { generator: method, discriminator: method } : method;
  const counted = { generator: counting(of.generator), discriminator: counting(of.discriminator) };
  return play({ ...options, signal: controller.signal, method: counted });
}

describe.each(games)("%s", (name, steps, options) => {
  const path = join(folder, `${name}.json`);

  it("goes on bit for bit from an interruption at each of its steps", async () => {
    const whole = timeless(await play(options));
    for (let step = 1; step < steps; step++) {
      const cut = await interrupted({ ...options, checkpoint: { path } }, step);
      expect(cut.reason.code).toBe("aborted");
      const { iteration, position } = JSON.parse(await readFile(path, "utf8")).body;
      expect((iteration * steps) / options.iterations! + position).toBe(step);
      expect(timeless(await play({ ...options, resume: path }))).toEqual(whole);
    }
  });

  it("goes on bit for bit from one checkpoint to the next, a step at a time", async () => {
    const whole = timeless(await play(options));
    let last = await interrupted({ ...options, checkpoint: { path } }, 1);
    for (let step = 1; step < steps; step++)
      last = await interrupted({ ...options, resume: path, checkpoint: { path } }, 1);
    expect(timeless(last)).toEqual(whole);
  });
});

describe("a checkpoint", () => {
  const options = { ...turns, method: adam({ rate: 0.01 }) };
  const path = join(folder, "one.json");
  const write = (more: MinmaxOptions = {}) => play({ ...options, ...more, checkpoint: { path } });

  it("stays as it is where a later step is not finite, and the game goes on from there", async () => {
    const method = adam({ rate: 0.01 });
    const breaking: BatchMethod = {
      ...method,
      step: (context, state) => method.step(context.iteration === 6 ? { ...context, rate: 1e308 } : context, state),
    };
    const players = { generator: method, discriminator: method };
    const kept = { ...options, checkpoint: { path, every: 2 } };
    const broken = await play({ ...kept, method: { ...players, generator: breaking } });
    expect([broken.reason.code, broken.iterations]).toEqual(["non-finite", 5]);
    const whole = timeless(await play({ ...options, method: players }));
    expect(timeless(await play({ ...options, method: players, resume: path }))).toEqual(whole);
  });

  it("with nothing left to do ends the game at once, with the same result", async () => {
    const done = await write();
    expect(timeless(await play({ ...options, resume: path }))).toEqual(timeless(done));
    // The seconds are those of the whole game.
    expect((await play({ ...options, resume: path })).seconds).toBeGreaterThan(done.records.at(-1)!.elapsed);
  });

  it("of fewer iterations goes on to more, where no rate falls along a cosine", async () => {
    await write({ iterations: 3 });
    expect(timeless(await play({ ...options, resume: path }))).toEqual(timeless(await play(options)));
  });

  it("is written every so many iterations, and when onRecord throws", async () => {
    const held: number[] = [];
    await play({
      ...options,
      checkpoint: { path, every: 3 },
      onRecord: async ({ iteration }) => {
        if (iteration > 3) held.push(JSON.parse(await readFile(path, "utf8")).body.iteration);
      },
    });
    expect(held).toEqual([3, 3, 3, 6]);
    const onRecord = ({ iteration }: { readonly iteration: number }) => {
      if (iteration === 5) throw new Error("mine");
    };
    await expect(play({ ...options, checkpoint: { path }, onRecord })).rejects.toThrow("mine");
    expect(timeless(await play({ ...options, resume: path }))).toEqual(timeless(await play(options)));
  });

  it("of a game that is aborted before it goes on gives back its networks", async () => {
    const cut = await write({ iterations: 3 });
    const same = await play({ ...options, resume: path, signal: AbortSignal.abort() });
    expect({ ...timeless(same), reason: cut.reason }).toEqual(timeless(cut));
    expect(same.reason.code).toBe("aborted");
  });

  it("is not needed: a game that is aborted before it begins has the networks it was given", async () => {
    const none = await write({ signal: AbortSignal.abort() });
    expect(none.reason.code).toBe("aborted");
    expect(bits(none.generator.parameters)).toBe(bits(generator.parameters));
  });

  it("that can no longer be written is a warning, and the game goes on", async () => {
    const lost = await mkdtemp(join(tmpdir(), "gaussflow-lost-"));
    const onRecord = ({ iteration }: { readonly iteration: number }) =>
      iteration === 1 ? rm(lost, { recursive: true }) : undefined;
    const result = await play({ ...options, onRecord, checkpoint: { path: join(lost, "a.json"), every: 1 } });
    expect(result.reason.code).toBe("iterations");
    expect(result.warnings[0]).toMatch(/^the checkpoint of step 2 could not be written/);
    await expect(play({ ...options, checkpoint: { path: join(lost, "a.json") } })).rejects.toMatchObject({
      code: "GAUSSFLOW_FILE",
    });
  });
});

describe("refused", () => {
  const options = { ...turns, backend: "typescript" } as const;
  const path = join(folder, "refused.json");
  const resume = async (more: MinmaxOptions = {}) => {
    await play({ ...options, checkpoint: { path } });
    return play({ ...options, resume: path, ...more });
  };

  it.each<[string, MinmaxOptions, RegExp]>([
    ["loss", { loss: "wasserstein", method: adam() }, /options\.loss was "logistic" and is "wasserstein"/],
    ["penalty", { penalty: "none" }, /options\.penalty was "r1" and is "none"/],
    ["weight", { penaltyWeight: 2 }, /options\.penaltyWeight was 1 and is 2/],
    ["batch", { batch: 8 }, /options\.batch was 9 and is 8/],
    ["critic steps", { discriminatorSteps: 2 }, /options\.discriminatorSteps was 1 and is 2/],
    ["seed", { seed: 4 }, /options\.seed was 3 and is 4/],
    ["iterations of a cosine", { iterations: 9 }, /options\.iterations was 7 and is 9/],
    [
      "method of a player",
      { method: { generator: adam(), discriminator: minmaxGaussNewton() } },
      /options\.method\.generator was "exact-gauss-newton" and is "adam"/,
    ],
    [
      "setting of a method",
      { method: minmaxGaussNewton({ damping: 0.2 }) },
      /options\.method\.generator\.damping was 0\.1 and is 0\.2/,
    ],
    ["joint method", { method: published }, /options\.method was absent and is "minmax-published"/],
  ])("a checkpoint of another game: %s", async (_, more, message) => {
    await expect(resume(more)).rejects.toThrow(message);
    await expect(resume(more)).rejects.toMatchObject({ code: "GAUSSFLOW_FILE" });
    await expect(resume(more)).rejects.toThrow(/leave options\.resume out/);
  });

  it("a checkpoint of other networks or rows", async () => {
    await resume();
    const other = { ...options, resume: path };
    const [one, two] = [network({ layers: [3, 5, 2], seed: 7 }), network({ layers: [2, 4, 1], seed: 2 })];
    await expect(minmax(one, discriminator, data, other)).rejects.toThrow(
      /another game: it was written with another generator\. Resume it with/,
    );
    await expect(minmax(generator, two, data, other)).rejects.toThrow(
      /another game: it was written with another discriminator/,
    );
    const moved = data.map((value, k) => (k === 70 ? value + 1e-12 : value));
    await expect(minmax(generator, discriminator, moved, other)).rejects.toThrow(
      /another game: it was written with other rows of data/,
    );
  });

  it.each<[string, (text: string) => string, RegExp]>([
    ["torn", (text) => text.slice(0, text.length / 2), /not JSON.*cut off/],
    ["edited", (text) => text.replace('"iteration":7', '"iteration":6'), /checksum/],
    [
      "of a training",
      (text) => text.replace("gaussflow-game-checkpoint", "gaussflow-checkpoint"),
      /is not a gaussflow-game-checkpoint file; its format is "gaussflow-checkpoint"/,
    ],
    [
      "newer",
      (text) => text.replace('"version":1', '"version":2'),
      /has version 2; this gaussflow reads up to 1: update it/,
    ],
  ])("a file that is %s", async (_, change, message) => {
    await resume();
    await writeFile(path, change(await readFile(path, "utf8")));
    await expect(play({ ...options, resume: path })).rejects.toThrow(message);
    await expect(play({ ...options, resume: join(folder, "none.json") })).rejects.toThrow(/no such file/);
  });

  it.each<[string, (body: Body) => unknown, RegExp]>([
    ["iteration", (body) => (body.iteration = 5), /iteration must be the number of records, 7; it is 5/],
    ["position", (body) => (body.position = 2), /position must be below 2, the steps of an iteration; it is 2/],
    ["pending", (body) => (body.position = 1), /pending must be there exactly within an iteration/],
    ["elapsed", (body) => (body.elapsed = -1), /elapsed must be a finite number of at least 0; received -1/],
    ["game", (body) => (body.game = "mine"), /game must be a list of names and values/],
    ["parameters", (body) => (body.generator = body.discriminator), /generator must hold 32 numbers, not 25/],
    ["a record", (body) => (body.records[2].iteration = 2), /records\[2\]\.iteration must be 3; it is 2/],
    ["a loss", (body) => (body.records[2].penalty = null), /records\[2\]\.penalty must be a finite number/],
    ["states", (body) => body.states.pop(), /states must be those of discriminator and generator/],
    [
      "a state",
      (body) => body.states[0][1].pop(),
      /states\.discriminator\.momentum does not belong to the method or is missing/,
    ],
  ])("a file with a wrong %s under a sound checksum", async (_, change, message) => {
    await resume();
    await expect(play({ ...options, resume: resealed(path, change) })).rejects.toThrow(message);
  });

  it("squares below 0 of a normalized published step", async () => {
    const game = { ...turns, method: published };
    await play({ ...game, checkpoint: { path } });
    const negative = Buffer.from(new Float64Array(57).fill(-1).buffer).toString("base64");
    const wrong = resealed(path, (body) => (body.states[0][1][0][1] = negative));
    await expect(play({ ...game, resume: wrong })).rejects.toThrow(
      /states\.both\.squares must be numbers of at least 0/,
    );
  });

  it.each<[string, object, RegExp]>([
    ["a checkpoint without a path", { checkpoint: {} }, /options\.checkpoint\.path/],
    ["a checkpoint that is never written", { checkpoint: { path, every: 0 } }, /options\.checkpoint\.every/],
    ["a path that is no text", { resume: 3 }, /options\.resume/],
    ["a limit of nothing", { memoryLimit: 0 }, /options\.memoryLimit must be a number of bytes above 0; received 0/],
  ])("%s", async (_, more, message) => {
    await expect(play({ ...options, ...more })).rejects.toThrow(message);
  });
});
