// Counts the turns of the event loop during a computation: what a test can assert of it, where a time depends on the machine.

/** Runs `action`; `ticks` is the number of turns that the event loop has taken meanwhile. */
export async function ticksDuring<T>(
  action: () => Promise<T>,
): Promise<{ readonly answer: T; readonly ticks: number }> {
  let ticks = 0;
  let running = true;
  const tick = () => {
    ticks++;
    if (running) setImmediate(tick);
  };
  setImmediate(tick);
  try {
    const answer = await action();
    return { answer, ticks };
  } finally {
    running = false;
  }
}
