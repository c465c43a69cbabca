import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { folder, gaussflow, plain } from "./many-jobs.mjs";

const { GaussflowError, network, trainMany } = gaussflow;
// A checkpoint that is none: the error arises in whichever thread trains the job.
const torn = join(folder, "torn.json");
writeFileSync(torn, "{");
const good = { network: network({ layers: [2, 4, 1] }), data: plain, options: { stop: { iterations: 5 } } };
// Jobs 0 and 3 have a callback and run in this thread; the first lasts until the others are through.
let others = 0;
const patient = async () => {
  const until = performance.now() + 20_000;
  while (others < 3 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 5));
};
const held = { ...good, options: { ...good.options, onRecord: patient } };
const bad = { ...good, options: { resume: torn } };
// The second bad job meets a thread whose heap is full: an event that the thread's handle emits when V8 gives up.
const post = Worker.prototype.postMessage;
let sent = 0;
Worker.prototype.postMessage = function (...given) {
  if (given[0].kind === "run" && ++sent === 2) {
    const full = Object.assign(new Error("heap"), { code: "ERR_WORKER_OUT_OF_MEMORY" });
    setImmediate(() => this.emit("error", full));
    return;
  }
  post.apply(this, given);
};
const { results } = await trainMany([held, bad, good, good, good], {
  concurrency: 2,
  onProgress: ({ state }) => {
    if (state !== "running") others++;
  },
});
console.log(
  JSON.stringify({
    states: results.map(({ state }) => state),
    code: results[1].error.code,
    ours: results[1].error instanceof GaussflowError,
    full: results[2].error.code,
  }),
);
