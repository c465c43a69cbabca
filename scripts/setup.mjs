// Prepares a checkout: installs npm packages, compiler, CMake and OpenBLAS, and builds the native addon and dist. `npm run demo`, `npm
// test` and CI run it first. It prints what it is going to install, installs it where it may (root or sudo without a password) and
// continues with the TypeScript engine where it may not. A second run finds everything and prints one line.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { binary, binaryIsFresh, root } from "./native/paths.mjs";
import { installSystemPackages, quietly } from "./native/system-packages.mjs";
import { missingTools } from "./native/tools.mjs";
import { verify } from "./native/verify.mjs";

const say = (text) => console.log(`setup: ${text}`);

function fail(text) {
  console.error(`setup: ${text}`);
  process.exit(1);
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const good = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;
  if (!good) fail(`gaussflow needs Node.js 20.19, 22.12 or newer; this is ${process.version}`);
}

function installPackages() {
  const installed = join(root, "node_modules", ".package-lock.json");
  const lock = join(root, "package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  say("installing npm packages into node_modules (npm ci) ...");
  // Our own install script follows below, where its messages are seen.
  if (!quietly(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"])) fail("npm ci failed");
}

/** A link test as quick as can be; CMake's own search has the last word. */
function openblasLinks() {
  if (process.platform === "darwin" || process.env.GAUSSFLOW_BLAS_LIBRARIES) return true;
  const source = 'extern "C" void dpotrf_(); int main() { dpotrf_(); }';
  const compilers = process.env.CXX ? [process.env.CXX] : ["c++", "g++", "clang++"];
  const args = ["-x", "c++", "-", "-o", "/dev/null", "-lopenblas"];
  return compilers.some(
    (name) => spawnSync(name, args, { input: source, stdio: ["pipe", "ignore", "ignore"] }).status === 0,
  );
}

function ensureNative() {
  if (process.env.GAUSSFLOW_BACKEND === "typescript") return "TypeScript engine, as GAUSSFLOW_BACKEND asks";
  if (binaryIsFresh() && verify(binary).ok) return "native engine";
  const missing = missingTools();
  if (missing.includes("compiler") || !openblasLinks()) missing.push("blas");
  if (missing.length > 0) installSystemPackages(missing, say);
  const script = join(root, "scripts", "install.mjs");
  const child = spawnSync(process.execPath, [script], { cwd: root, stdio: "inherit" });
  if (child.status !== 0) fail("the native engine is required and did not build");
  return existsSync(binary) ? "native engine" : "TypeScript engine";
}

async function ensureDist() {
  const { buildDist, distIsFresh } = await import("./build.mjs");
  if (distIsFresh()) return;
  say("compiling src to dist ...");
  if (!(await buildDist())) fail("the TypeScript sources did not compile");
}

checkNode();
installPackages();
const engine = ensureNative();
await ensureDist();
say(`ready (${engine})`);
