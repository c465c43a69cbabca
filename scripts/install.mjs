// Compiles or finds the native addon, or reports why there is none. npm runs it as the package's install script; `npm run build:native`,
// `npx gaussflow build` (both with --force) and scripts/setup.mjs run it too. Needs nothing but Node until it has decided to build.
//   GAUSSFLOW_BACKEND=typescript       do nothing
//   npm_config_build_from_source       ignore prebuilt addons
//   GAUSSFLOW_REQUIRE_NATIVE=1         fail the installation when there is no addon in the end
// Ends with 0 otherwise: gaussflow works without the addon, only slower, and says so at its first use. npm hides the output of a
// dependency's script, hence build/native-status.json { ok, missing, reason, hint }.
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { build } from "./native/build.mjs";
import { withLock } from "./native/lock.mjs";
import { binary, binaryIsFresh, buildFolder, rebuildCommand, statusFile } from "./native/paths.mjs";
import { verify } from "./native/verify.mjs";

const force = process.argv.includes("--force");
const fromSource = force || !["", "false", undefined].includes(process.env.npm_config_build_from_source);

function decide() {
  if (process.env.GAUSSFLOW_BACKEND === "typescript") {
    const reason = "the addon was left out because GAUSSFLOW_BACKEND=typescript was set at installation";
    return { ok: false, missing: ["skipped"], reason, hint: rebuildCommand };
  }
  if (!force && binaryIsFresh()) {
    const selfTest = verify(binary);
    if (selfTest.ok) return { ok: true, origin: "build", selfTest, fresh: true };
  }
  if (!fromSource) {
    const selfTest = verify("--prebuilt");
    if (selfTest.ok) {
      // node-gyp-build prefers a local build: an older one must not hide the prebuilt addon that was just proven.
      rmSync(binary, { force: true });
      return { ok: true, origin: "prebuilt", selfTest };
    }
  }
  const status = build();
  // A binary of older sources must not meet a newer face.
  if (!status.ok && !binaryIsFresh()) rmSync(binary, { force: true });
  return status.ok ? { origin: "build", ...status } : { ...status, hint: `${status.hint} && ${rebuildCommand}` };
}

function writeStatus({ fresh, ...status }) {
  mkdirSync(buildFolder, { recursive: true });
  const staged = `${statusFile}.${process.pid}`;
  writeFileSync(staged, `${JSON.stringify({ reason: "", hint: "", ...status }, null, 2)}\n`);
  renameSync(staged, statusFile);
}

function run() {
  try {
    const status = withLock(decide);
    writeStatus(status);
    return status;
  } catch (error) {
    // A read-only folder, a full disk: no reason to fail somebody's installation.
    return { ok: false, reason: error.message, hint: "" };
  }
}

const status = run();
if (status.ok) {
  const { blas = "BLAS", core = "" } = status.selfTest;
  if (!status.fresh) console.log(`gaussflow: native engine ready (${[blas, core].filter(Boolean).join(", ")})`);
} else {
  console.log(`gaussflow: no native engine, the TypeScript engine will be used: ${status.reason}.`);
  if (status.hint) console.log(`gaussflow: remedy: ${status.hint}`);
  if (process.env.GAUSSFLOW_REQUIRE_NATIVE === "1") process.exitCode = 1;
}
