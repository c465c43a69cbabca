// Module hooks of case.mjs: the cases of a checkout get the turns of this folder in place of the runs beside a baseline, and no baseline.
const replaced = new Map([
  ["/bench/lib/interleave.mjs", new URL("./turns.mjs", import.meta.url).href],
  ["/bench/lib/baseline.mjs", new URL("./no-baseline.mjs", import.meta.url).href],
]);

export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  for (const [ending, url] of replaced) if (found.url.endsWith(ending)) return { ...found, url };
  return found;
}
