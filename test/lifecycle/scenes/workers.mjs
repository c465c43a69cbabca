import { once } from "node:events";
import { isDeepStrictEqual } from "node:util";
import { Worker } from "node:worker_threads";
import { library, problem, request } from "./problem.mjs";

const start = () =>
  once(new Worker(new URL("./sum-worker.mjs", import.meta.url), { workerData: { library } }), "message");
const others = [start(), start()];
const { net, engine } = problem();
const { gradient } = await engine.linearize(net.parameters, request);
const { step } = await engine.solve({ damping: 1, decay: 0, scaling: null });
const answers = (await Promise.all(others)).map(([message]) => message);
console.log(answers.every((answer) => isDeepStrictEqual(answer, { gradient, step })) ? "equal" : "different");
