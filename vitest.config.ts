import { defineConfig } from "vitest/config";

// Each test file runs in its own forked process: a crash in the addon kills one file, not the run.
// Two files at a time and two pool threads each: the machines we develop on have two cores.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    env: { GAUSSFLOW_THREADS: "2" },
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
