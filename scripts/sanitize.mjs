// npm run sanitize, by hand: builds the core's C++ tests and runs them under AddressSanitizer + UBSan and under ThreadSanitizer.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { buildFolder, root } from "./native/paths.mjs";

const run = (program, args, env = {}) => {
  const { status } = spawnSync(program, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
  if (status !== 0) process.exit(status ?? 1);
};
for (const sanitizers of ["address,undefined", "thread"]) {
  const folder = join(buildFolder, `sanitize-${sanitizers.split(",")[0]}`);
  mkdirSync(folder, { recursive: true });
  run("cmake", ["-S", root, "-B", folder, "-DGAUSSFLOW_CORE_TESTS=ON", `-DGAUSSFLOW_SANITIZE=${sanitizers}`]);
  run("cmake", ["--build", folder, "-j", String(availableParallelism())]);
  run("ctest", ["--test-dir", folder, "--output-on-failure"], {
    // OpenBLAS is not instrumented: with one thread it starts none of its own, which ThreadSanitizer could not follow.
    OPENBLAS_NUM_THREADS: "1",
    // Refusing a size that no machine has is what a test is about.
    ASAN_OPTIONS: "allocator_may_return_null=1",
    UBSAN_OPTIONS: "halt_on_error=1:print_stacktrace=1",
    TSAN_OPTIONS: "halt_on_error=1:allocator_may_return_null=1",
  });
}
