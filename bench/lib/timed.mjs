// Measures one call; the cases use it through lib/interleave.mjs, and through lib/alone/turns.mjs where bench/compare.mjs runs them.

/** Seconds of one call of an async function; its value goes to `check`, which throws when the call failed. */
export async function timed(work, check = () => {}) {
  const start = performance.now();
  const value = await work();
  const seconds = (performance.now() - start) / 1000;
  check(value);
  return seconds;
}
