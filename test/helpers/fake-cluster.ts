// Ranks within one process, for tests of what ranks agree on: runs that go on beside one another meet by promises. Each rank sums all slots, so no
// engine is told of the others.
import type { Letter } from "../../src/cluster/binding.js";
import type { Cluster } from "../../src/cluster/cluster.js";

/** The clusters of `size` ranks, each of which makes the same calls in the same order. */
export function fakeClusters(size: number): Cluster[] {
  interface Meeting {
    readonly given: (Float64Array | Uint8Array)[];
    count: number;
    readonly done: Promise<void>;
    readonly resolve: () => void;
    readonly reject: (why: Error) => void;
  }
  const meetings: Meeting[] = [];
  const make = (): Meeting => {
    let [resolve, reject] = [() => {}, (_: Error) => {}];
    const done = new Promise<void>((yes, no) => {
      [resolve, reject] = [yes, no];
    });
    return { given: [], count: 0, done, resolve, reject };
  };
  const boxes = Array.from({ length: size }, () => ({
    letters: [] as Letter[],
    waiting: [] as ((letter: Letter) => void)[],
  }));
  return Array.from({ length: size }, (_, rank) => {
    let next = 0;
    const meet = async (values: Float64Array | Uint8Array) => {
      const index = next++;
      meetings[index] ??= make();
      const meeting = meetings[index]!;
      meeting.given[rank] = values.slice();
      meeting.count++;
      const other = meeting.given.find((one) => one instanceof Float64Array !== values instanceof Float64Array);
      if (other !== undefined) meeting.reject(new Error(`rank ${rank} makes another call than the rank before`));
      if (meeting.count === size) meeting.resolve();
      await meeting.done;
      return meeting.given;
    };
    const gather = async (values: Float64Array) => {
      const all = (await meet(values)) as Float64Array[];
      if (all.some(({ length }) => length !== values.length))
        throw new Error("the ranks give other numbers of numbers");
      return all;
    };
    const cluster = {
      rank,
      size,
      slots: (slots: number) => {
        if (slots === 1) throw new Error("one slot has nothing to share");
        return null;
      },
      scalapack: false,
      waits: () => ({ count: 0, seconds: 0 }),
      gather,
      broadcast: async (bytes: Uint8Array) => ((await meet(bytes)) as Uint8Array[])[0]!,
      send: async (to: number, bytes: Uint8Array) => {
        const { letters, waiting } = boxes[to]!;
        const letter = { rank, bytes: Uint8Array.from(bytes) };
        const reader = waiting.shift();
        if (reader === undefined) letters.push(letter);
        else reader(letter);
      },
      receive: () => {
        const { letters, waiting } = boxes[rank]!;
        const letter = letters.shift();
        return letter === undefined ? new Promise<Letter>((resolve) => waiting.push(resolve)) : Promise.resolve(letter);
      },
      barrier: async () => void (await gather(new Float64Array(1))),
      abort: (): never => {
        throw new Error(`rank ${rank} has ended all`);
      },
      close: async () => {},
    };
    return cluster as Partial<Cluster> as Cluster;
  });
}

/** What each rank makes of the same call. */
export async function onRanks<T>(size: number, call: (cluster: Cluster) => Promise<T>): Promise<T[]> {
  return Promise.all(fakeClusters(size).map(call));
}

/** The same where each call fails: the errors. */
export async function errorsOnRanks(size: number, call: (cluster: Cluster) => Promise<unknown>): Promise<Error[]> {
  const outcomes = await Promise.allSettled(fakeClusters(size).map(call));
  return outcomes.map((outcome) => {
    if (outcome.status === "fulfilled") throw new Error("a rank did not fail");
    return outcome.reason as Error;
  });
}
