// In place of lib/interleave.mjs where a case runs without its baseline: one run of ours for each message of the parent process. It does not
// return: what a case does after its runs is about the baseline.
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

/** As lib/interleave.mjs. */
export async function timed(work, check = () => {}) {
  const start = performance.now();
  const value = await work();
  const seconds = (performance.now() - start) / 1000;
  check(value);
  return seconds;
}
