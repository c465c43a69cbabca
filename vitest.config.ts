import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const LONG = ["packaging", "browser", "lifecycle"];

/** The folders whose files take longest come first, so that at the end no process waits for one that began late. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const short = ({ moduleId }: TestSpecification) => !LONG.some((folder) => moduleId.includes(`/test/${folder}/`));
    return (await super.sort(files)).toSorted((a, b) => Number(short(a)) - Number(short(b)));
  }
}

// Each test file runs in its own forked process: a crash in the addon kills one file, not the run.
// Two files at a time and two pool threads each: the machines we develop on have two cores.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    env: { GAUSSFLOW_THREADS: "2" },
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
