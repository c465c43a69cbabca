// A worker that never stops linearising.
import { parentPort } from "node:worker_threads";
import { problem, request } from "./problem.mjs";

const { net, engine } = problem();
parentPort.postMessage("ready");
for (;;) await engine.linearise(net.parameters, request);
