// Prints the last line of CI: the counts of tests from vitest's JSON report and ctest's JUnit report. A suite that ran no test has failed.
// Only .ci/run calls it, at its end.
//   node count.mjs FAILED_BEFORE VITEST_JSON CTEST_XML
import { existsSync, readFileSync } from "node:fs";

const [, , before, vitest, ctest] = process.argv;
let passed = 0;
let failed = Number(before) === 0 ? 0 : 1; // a check that is no test, such as the linter
let skipped = 0;
if (existsSync(vitest)) {
  const report = JSON.parse(readFileSync(vitest, "utf8"));
  const count = (status) =>
    report.testResults.flatMap((file) => file.assertionResults).filter((test) => test.status === status).length;
  passed += count("passed");
  skipped += count("pending") + count("skipped") + count("todo");
  // A file that did not load has no tests to count.
  const broken = report.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.every((test) => test.status !== "failed"),
  ).length;
  const tests = count("failed") + broken;
  failed = Math.max(failed, tests);
} else failed++;
if (existsSync(ctest)) {
  const [head] = readFileSync(ctest, "utf8").match(/<testsuite[^>]*>/) ?? [""];
  const of = (name) => Number(head.match(new RegExp(`${name}="(\\d+)"`))?.[1] ?? 0);
  passed += of("tests") - of("failures") - of("disabled") - of("skipped");
  skipped += of("disabled") + of("skipped");
  failed += of("failures");
  if (of("tests") === 0) failed++;
} else failed++;
if (passed === 0) failed = Math.max(1, failed);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exit(failed > 0 ? 1 : 0);
