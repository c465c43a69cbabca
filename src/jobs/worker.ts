// The program of the worker threads of `trainMany`, which thread.ts starts: it trains the jobs that arrive as messages, one at a time, and
// sends progress and result.
import { parentPort } from "node:worker_threads";
import { runCallsInPlace } from "../backend/create.js";
import { train } from "../train/train.js";
import { packError, packResult, unpackJob } from "./message.js";
import { ProgressBatch } from "./progress.js";
import type { ThreadAnswer, ThreadRequest } from "./thread.js";

const port = parentPort;
if (port === null) throw new Error("jobs/worker.js runs as a worker thread");
const answer = (message: ThreadAnswer) => port.postMessage(message);
let stop = new AbortController();

port.on("message", (request: ThreadRequest) => {
  if (request.kind === "run") void run(request);
  else stop.abort(Object.assign(new Error(request.message), { name: request.name }));
});
answer({ kind: "ready" });

async function run({ job, watched }: Extract<ThreadRequest, { kind: "run" }>): Promise<void> {
  stop = new AbortController();
  const batch = new ProgressBatch((values) => answer({ kind: "progress", values }));
  try {
    const { network, data, options } = unpackJob(job);
    if (options?.backend === "native") runCallsInPlace();
    const onRecord = watched ? batch.add : undefined;
    const result = await train(network, data, { ...options, onRecord, signal: stop.signal });
    batch.flush();
    answer({ kind: "trained", result: packResult(result) });
  } catch (error) {
    batch.flush();
    answer({ kind: "failed", error: packError(error) });
  }
}
