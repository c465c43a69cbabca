// Tests in a child process (self-test.mjs) whether an addon can be trusted: the Cholesky self-test at the size at which old kernels failed.
// install.mjs, native/build.mjs and setup.mjs call it before they accept an addon.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./paths.mjs";

// OpenBLAS built for several cores once called a good 1107 x 1107 matrix indefinite (OpenBLAS issue 2986).
const SELF_TEST_SIZE = 1107;

/** `file` is a path or "--prebuilt". Returns { ok, message, ... }; never throws. */
export function verify(file, size = SELF_TEST_SIZE) {
  const env = file === "--prebuilt" ? { ...process.env, PREBUILDS_ONLY: "1" } : process.env;
  const script = join(root, "scripts", "native", "self-test.mjs");
  const child = spawnSync(process.execPath, [script, file, String(size)], { env, encoding: "utf8", timeout: 60_000 });
  try {
    return JSON.parse(child.stdout.trim().split("\n").at(-1));
  } catch {
    const how = child.signal ? `was ended by ${child.signal}` : `ended with code ${child.status}`;
    return { ok: false, message: `the self-test process ${how}` };
  }
}
