// Finds and loads the addon once a thread, for create.ts and doctor.ts: the local build or prebuilds/ through node-gyp-build, else the
// platform's own package. It is used only after a small Cholesky self-test. If there is none, the answer has the reason and the remedy;
// create.ts decides about the fallback.
import { existsSync } from "node:fs";
import { sep } from "node:path";
import { KEEP_EXTERNAL, packageRequire, packageRoot } from "../../package-root.js";
import { addressSpaceProblem, freeAddressSpace, withoutOwnThreads } from "../address-space.js";
import { type BindingModule, FACE, type SelfTest } from "./binding.js";
import { explainLoadFailure, firstLine, type LoadFailure } from "./load-failure.js";
import { readInstallStatus } from "./status.js";
import { thisSystem } from "./system-libraries.js";

/** The outcome of looking for the addon. */
export type NativeLoad =
  | { readonly ok: true; readonly binding: BindingModule; readonly selfTest: SelfTest }
  | ({ readonly ok: false } & LoadFailure);

const SELF_TEST_ORDER = 256;

/** What cures a BLAS that computes nonsense: the kernel that every 64-bit Intel and AMD processor of ten years runs, or another build. */
export const OTHER_KERNEL =
  process.arch === "x64"
    ? "export OPENBLAS_CORETYPE=Haswell"
    : "install another version of OpenBLAS, then npx gaussflow build";
const MORE_SPACE = "ulimit -v unlimited, or a higher limit";

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

/**
 * The first addon that loads. Throws what the local candidate said, unless the platform's own package is there: most machines have
 * none.
 */
function find(root: string, require: NodeJS.Require): BindingModule {
  try {
    return (require("node-gyp-build") as (folder: string) => BindingModule)(root);
  } catch (cause) {
    try {
      return require(platformPackage()) as BindingModule;
    } catch (other) {
      throw wasFound(other) && !wasFound(cause) ? other : cause;
    }
  }
}

/** Whether an addon was there, and the dynamic loader refused it. */
function wasFound(cause: unknown): boolean {
  return /^ERR_DLOPEN/.test(String((cause as { code?: unknown } | null)?.code ?? ""));
}

/** What a person types to build the addon here; scripts/native/paths.mjs has the same. */
function rebuildCommand(root: string): string {
  return root.split(sep).includes("node_modules") ? "npx gaussflow build" : "npm run build:native";
}

/** Why no addon could be loaded, and what cures it. */
function failure(root: string, cause: unknown): LoadFailure {
  const rebuild = rebuildCommand(root);
  const { code, message = String(cause) } = (cause ?? {}) as { code?: unknown; message?: string };
  if (wasFound(cause)) return explainLoadFailure({ code, message, rebuild, system: thisSystem() });
  const status = readInstallStatus(root);
  if (status !== null && !status.ok) return { reason: status.reason, hint: status.hint };
  if (code === "MODULE_NOT_FOUND")
    return { reason: `a package that gaussflow needs is not installed: ${firstLine(message)}`, hint: "npm install" };
  const reason =
    status === null
      ? "the native engine was never built (npm ran no install script)"
      : "the native engine was built, but its file is gone (was the folder build left out of a copy?)";
  return { reason, hint: rebuild };
}

/** Why an addon that was found is not the one of this code, or null. */
export function foreignFace({ face }: { readonly face?: unknown }): string | null {
  if (face === FACE) return null;
  const other = typeof face === "number" ? `version ${face}` : "a version without a number";
  return `the native engine is of another version of gaussflow: its functions are those of ${other}, not of ${FACE}`;
}

function load(root: string | null): NativeLoad {
  if (root === null)
    return {
      ok: false,
      reason: "gaussflow is part of a bundle, which cannot hold the native engine",
      hint: KEEP_EXTERNAL,
    };
  let binding: BindingModule;
  const free = freeAddressSpace();
  const problem = addressSpaceProblem(free);
  if (problem !== null) return { ok: false, reason: problem, hint: MORE_SPACE };
  try {
    binding = withoutOwnThreads(() => find(root, packageRequire("the native engine")), free);
  } catch (cause) {
    return { ok: false, ...failure(root, cause) };
  }
  const foreign = foreignFace(binding);
  if (foreign !== null) return { ok: false, reason: foreign, hint: rebuildCommand(root) };
  let selfTest: SelfTest;
  try {
    selfTest = binding.selfTest(SELF_TEST_ORDER);
  } catch (cause) {
    const first = firstLine(cause instanceof Error ? cause.message : String(cause));
    return { ok: false, reason: `the self-test failed: ${first}`, hint: rebuildCommand(root) };
  }
  if (!selfTest.ok) {
    const hint = selfTest.message.startsWith("there is no memory") ? MORE_SPACE : OTHER_KERNEL;
    return { ok: false, reason: `the self-test failed: ${selfTest.message}`, hint };
  }
  // A call in flight would hold process.exit() up until it ends. A worker's terminate() runs no listener; calls are short.
  process.on("exit", () => binding.cancelAll());
  return { ok: true, binding, selfTest };
}
