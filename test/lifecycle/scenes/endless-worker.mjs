// A worker that never stops linearizing.
import { parentPort } from "node:worker_threads";
import { problem, request } from "./problem.mjs";

const { net, engine } = problem();
parentPort.postMessage("ready");
for (;;) await engine.linearize(net.parameters, request);
