import { gaussflow, rows } from "./many-jobs.mjs";

const { dataset, gaussNewton, network, restarts, trainMany } = gaussflow;
const stop = { iterations: 1e6, patience: 1e6, gradient: 0, step: 0, reduction: 0 };
// Iterations of tens of milliseconds, and many of them by steps of a millionth: the abort meets the thread's job in the middle of it.
const table = rows(2000);
const data = dataset({ inputs: table.map(([a, b]) => [a, b]), targets: table.map(([, , y]) => y) });
const jobs = restarts(
  { network: network({ layers: [2, 20, 20, 1] }), data, options: { stop, method: gaussNewton({ step: 1e-6 }) } },
  4,
);
const controller = new AbortController();
const started = new Set();
// The job in this thread may not end before the other thread has begun.
const patient = async () => {
  while (!started.has(1)) await new Promise((resolve) => setTimeout(resolve, 5));
};
jobs[0] = { ...jobs[0], options: { ...jobs[0].options, onRecord: patient } };
const { aborted, results } = await trainMany(jobs, {
  concurrency: 2,
  signal: controller.signal,
  onProgress: ({ job: index, iteration }) => {
    if (iteration >= index) started.add(index);
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
