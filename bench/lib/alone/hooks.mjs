// Module hooks that bench/lib/alone/case.mjs registers: they replace lib/interleave.mjs by turns.mjs and lib/baseline.mjs by
// no-baseline.mjs, so that the cases of a checkout run in turn with another process and without a baseline.
const replaced = new Map([
  ["/bench/lib/interleave.mjs", new URL("./turns.mjs", import.meta.url).href],
  ["/bench/lib/baseline.mjs", new URL("./no-baseline.mjs", import.meta.url).href],
]);

export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  for (const [ending, url] of replaced) if (found.url.endsWith(ending)) return { ...found, url };
  return found;
}
