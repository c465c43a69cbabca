// Replaces lib/baseline.mjs in the processes of bench/compare.mjs (the module hooks load it): startBaseline() starts no program, and its
// answers are empty objects.
export function startBaseline() {
  return { ask: async () => ({}), close() {} };
}
