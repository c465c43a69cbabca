import { gaussflow, plain } from "./many-jobs.mjs";

const { gaussNewton, network, restarts, trainMany } = gaussflow;
const stop = { iterations: 1e6, patience: 1e6, gradient: 0, step: 0, reduction: 0 };
// Steps of a millionth: the loss creeps down for long, and both running jobs are in the middle of it.
const options = { stop, method: gaussNewton({ step: 1e-6 }) };
const job = { network: network({ layers: [2, 6, 1] }), data: plain, options };
const controller = new AbortController();
const started = new Set();
const { aborted, results } = await trainMany(restarts(job, 4), {
  concurrency: 2,
  signal: controller.signal,
  onProgress: ({ job: index, iteration }) => {
    if (iteration >= 2) started.add(index);
    if (started.size === 2) controller.abort(new Error("enough"));
  },
});
const ran = results.filter(({ state }) => state === "trained").map(({ result }) => result);
console.log(
  JSON.stringify({
    aborted,
    states: results.map(({ state }) => state),
    reasons: ran.map(({ reason }) => reason.code),
    told: ran.map(({ reason }) => reason.message.endsWith(": enough")),
    kept: ran.map(({ records, loss }) => loss <= records[0].loss),
  }),
);
