import { isDeepStrictEqual } from "node:util";
import { gaussflow, timeless, variedJobs } from "./many-jobs.mjs";

// Counts the threads that are made, by the one thing all of them do.
let threads = 0;
process.on("worker", () => threads++);
const jobs = await variedJobs(process.argv[2]);
const alone = [];
for (const { network, data, options } of jobs) alone.push(timeless(await gaussflow.train(network, data, options)));
const equal = [];
for (const concurrency of [1, 2, 4]) {
  const { results } = await gaussflow.trainMany(jobs, { concurrency, threads: concurrency });
  for (const { error } of results) if (error !== null) throw error;
  equal.push(
    isDeepStrictEqual(
      results.map(({ result }) => timeless(result)),
      alone,
    ) && results.every(({ result }) => result.network instanceof gaussflow.Network),
  );
}
console.log(`threads used: ${threads}; equal: ${equal.join(" ")}`);
