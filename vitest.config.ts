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

/** The folders whose files share processes. */
const SHARING = ["unit", "parity", "golden", "gradient"];

/** The file of test/unit that replaces a module of the library. */
const MOCKING = "test/unit/plan-without-addon.test.ts";

// Each test file runs in its own forked process: a crash in the addon kills one file, not the run. Only the files of some folders share
// processes, because most of them take less time than it takes to load the library again. Two files at a time and two pool threads each:
// the machines we develop on have two cores.
export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: "apart", include: [`test/!(${SHARING.join("|")})/**/*.test.ts`, MOCKING] } },
      {
        extends: true,
        test: { name: "sharing", include: [`test/{${SHARING.join(",")}}/*.test.ts`, `!${MOCKING}`], isolate: false },
      },
    ],
    pool: "forks",
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    env: { GAUSSFLOW_THREADS: "2" },
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
