import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { library } from "./problem.mjs";

let count = 0;
for (; count < 8; count++) {
  const worker = new Worker(new URL("./endless-worker.mjs", import.meta.url), { workerData: { library } });
  await once(worker, "message");
  await new Promise((resolve) => setTimeout(resolve, 5 * (count % 7)));
  await worker.terminate();
}
console.log(`${count} workers terminated`);
