import { once } from "node:events";
import { Worker } from "node:worker_threads";

// The main thread never loads the library: the addon would be unloaded with the worker if it were not linked to stay.
for (let k = 0; k < 3; k++) {
  const worker = new Worker(new URL("./sum-worker.mjs", import.meta.url), { workerData: { library: process.argv[2] } });
  await once(worker, "exit");
}
console.log("main goes on");
