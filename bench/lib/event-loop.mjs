// Measures how long a computation blocks the event loop, for bench/event-loop.mjs: `watched` runs a timer of 10 ms beside the computation
// and returns the wall time and the processor time of the main thread between ticks. On a shared machine only the second is caused by the
// computation.
import { readFileSync } from "node:fs";

const TICK = 10;
/** Linux: nanoseconds that the main thread has run. */
const RUN_TIME = `/proc/self/task/${process.pid}/schedstat`;

function threadMilliseconds() {
  if (typeof process.threadCpuUsage === "function") {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1e3;
  }
  try {
    return Number(readFileSync(RUN_TIME, "latin1").split(" ")[0]) / 1e6;
  } catch {
    return Number.NaN;
  }
}

/**
 * Runs `action` beside the timer.
 * @returns its answer, the number of ticks, and the three longest gaps between ticks in ms: wall time, and work of the main thread
 */
export async function watched(action) {
  const gaps = { wall: [], work: [] };
  let ticks = 0;
  let [wall, work] = [performance.now(), threadMilliseconds()];
  const note = () => {
    const [now, used] = [performance.now(), threadMilliseconds()];
    gaps.wall.push(now - wall);
    gaps.work.push(used - work);
    [wall, work] = [now, used];
  };
  const timer = setInterval(() => {
    ticks++;
    note();
  }, TICK);
  const start = performance.now();
  try {
    const answer = await action();
    note();
    const longest = (list) => list.sort((a, b) => b - a).slice(0, 3);
    return {
      answer,
      ticks,
      milliseconds: performance.now() - start,
      wall: longest(gaps.wall),
      work: longest(gaps.work),
    };
  } finally {
    clearInterval(timer);
  }
}
