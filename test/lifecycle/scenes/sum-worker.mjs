import { parentPort } from "node:worker_threads";
import { problem, request } from "./problem.mjs";

const { net, engine } = problem();
const { gradient } = await engine.linearize(net.parameters, request);
const { step } = await engine.solve({ damping: 1, decay: 0, scaling: null });
parentPort.postMessage({ gradient, step });
