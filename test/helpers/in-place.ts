// Tells a call that an engine runs on the calling thread from one that it hands to another thread.

/** Whether a call has ended after a few microtasks: what another thread does needs a turn of the event loop. */
export async function inPlace(call: () => Promise<unknown>): Promise<boolean> {
  // A call in place takes the turn that is due now and then (Pace): on a busy machine that may be every one, but not each of many.
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) if (await endsEarly(call)) return true;
  return false;
}

const ATTEMPTS = 5;

async function endsEarly(call: () => Promise<unknown>): Promise<boolean> {
  await call();
  let ended = false;
  const running = call().then(() => {
    ended = true;
  });
  for (let microtask = 0; microtask < 100; microtask++) await null;
  const early = ended;
  await running;
  return early;
}
