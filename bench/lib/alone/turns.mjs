// Replaces lib/interleave.mjs in the processes of bench/compare.mjs (case.mjs imports takeTurns; the module hooks load the file for the
// cases): runs gaussflow's part of a case once for each message of the parent process and sends the figure. interleave() does not return,
// because what a case does after its runs concerns the baseline.
export { timed } from "../timed.mjs";

const messages = [];
let wake = () => {};
process.on("message", (message) => {
  messages.push(message);
  wake();
});

/** The next message of the parent process. */
async function received() {
  while (messages.length === 0)
    await new Promise((resolve) => {
      wake = resolve;
    });
  return messages.shift();
}

/** Answers every "run" of the parent process with the figure of `run`, until "end". */
export async function takeTurns(run) {
  process.send({ ready: true });
  while ((await received()) === "run") process.send({ figure: await run() });
  process.exit(0);
}

/** As lib/interleave.mjs, without a baseline. */
export async function interleave({ ours, warmRuns = 1 }) {
  for (let run = 0; run < warmRuns; run++) await ours();
  return takeTurns(ours);
}
