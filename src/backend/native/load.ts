// Finds and loads the addon once a thread: the local build or prebuilds/ through node-gyp-build, else the platform's own package,
// and trusts it only after a small Cholesky self-test. Where there is none it says why and what to do; the choice to fall back
// is create.ts's.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { packageRoot } from "../../package-root.js";
import type { BindingModule, SelfTest } from "./binding.js";
import { readInstallStatus } from "./status.js";

/** The outcome of looking for the addon. */
export type NativeLoad =
  | { readonly ok: true; readonly binding: BindingModule; readonly selfTest: SelfTest }
  | { readonly ok: false; readonly reason: string; readonly hint: string };

const SELF_TEST_ORDER = 256;

let loaded: NativeLoad | undefined;

/** Loads the addon on the first call; later calls repeat the answer. */
export function loadNative(): NativeLoad {
  loaded ??= load(packageRoot());
  return loaded;
}

/** The same name as in scripts/native/platform.mjs, which runs before anything is compiled. */
export function platformPackage(): string {
  const musl = process.platform === "linux" && existsSync("/etc/alpine-release") ? "-musl" : "";
  return `@gaussflow/${process.platform}-${process.arch}${musl}`;
}

/** Throws what the first candidate has to say: the platform's package is not there on most machines. */
function find(root: string, require: NodeJS.Require): BindingModule {
  try {
    return (require("node-gyp-build") as (folder: string) => BindingModule)(root);
  } catch (cause) {
    try {
      return require(platformPackage()) as BindingModule;
    } catch {
      throw cause;
    }
  }
}

function load(root: string): NativeLoad {
  const status = readInstallStatus(root);
  let binding: BindingModule;
  try {
    const require = createRequire(import.meta.url);
    binding = find(root, require);
  } catch (cause) {
    if (status !== null && !status.ok) return { ok: false, reason: status.reason, hint: status.hint };
    if (status === null && !existsSync(join(root, "build", "Release"))) {
      return {
        ok: false,
        reason: "the addon was never built (npm ran no install script)",
        hint: "npx gaussflow build",
      };
    }
    const first = String(cause instanceof Error ? cause.message : cause).split("\n")[0];
    return { ok: false, reason: `the addon does not load: ${first}`, hint: "npx gaussflow build" };
  }
  let selfTest: SelfTest;
  try {
    selfTest = binding.selfTest(SELF_TEST_ORDER);
  } catch (cause) {
    const first = String(cause instanceof Error ? cause.message : cause).split("\n")[0];
    return { ok: false, reason: `the addon is of another version: ${first}`, hint: "npx gaussflow build" };
  }
  if (!selfTest.ok) {
    return { ok: false, reason: `the self-test failed: ${selfTest.message}`, hint: "npx gaussflow doctor" };
  }
  // A call in flight would hold process.exit() up until it ends. A worker's terminate() runs no listener; calls are short.
  process.on("exit", () => binding.cancelAll());
  return { ok: true, binding, selfTest };
}
