import { gaussflow, plain } from "./many-jobs.mjs";

const { network, restarts, trainManySteps } = gaussflow;
let made = 0;
process.on("worker", () => made++);
const job = { network: network({ layers: [2, 6, 1] }), data: plain, options: { stop: { iterations: 40 } } };
const jobs = restarts(job, 6);

async function all() {
  const seen = [];
  const steps = trainManySteps(jobs, { concurrency: 3 });
  for (;;) {
    const { done, value } = await steps.next();
    if (done) return { seen, results: value.results };
    seen.push(value);
  }
}
const { seen, results } = await all();
const own = (index) => seen.filter((progress) => progress.job === index);
const facts = {
  whole: results.every(({ index, result }) => {
    const accepted = result.records.filter((record) => record.accepted);
    const told = own(index).slice(0, -1);
    return (
      told.length === accepted.length &&
      told.every(({ iteration, loss, validationLoss }, k) => {
        const record = accepted[k];
        return iteration === record.iteration && loss === record.loss && validationLoss === record.validationLoss;
      })
    );
  }),
  ordered: results.every(({ index }) => own(index).at(-1).state === "trained"),
  ended: seen.filter(({ state }) => state === "trained").map(({ ended }) => ended),
};
await all();
const end = performance.now();
// Comes once nothing holds the process any more; idle threads are kept for 10 s, and would show here.
process.once("beforeExit", () => {
  console.log(JSON.stringify({ ...facts, kept: made <= 2, held: performance.now() - end > 9000 }));
});
