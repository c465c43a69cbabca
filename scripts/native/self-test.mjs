// A child process of verify.mjs: loads one candidate addon and lets it factor a matrix. A broken file, a missing library or a BLAS that
// computes nonsense then costs this process only.
//   node self-test.mjs FILE SIZE        one file
//   node self-test.mjs --prebuilt SIZE  whatever prebuilt addon node-gyp-build or a platform package offers
// Prints one JSON line: { file, ok, message, blas, core, threads, parallel }.
import { createRequire } from "node:module";
import { root } from "./paths.mjs";
import { platformPackage } from "./platform.mjs";

const require = createRequire(`${root}/package.json`);
const [, , file, size] = process.argv;

/** The order of src/backend/native/load.ts. */
function prebuilt() {
  try {
    return require("node-gyp-build").resolve(root); // the caller sets PREBUILDS_ONLY
  } catch {
    return require.resolve(platformPackage());
  }
}

let answer;
let path = file;
try {
  if (file === "--prebuilt") path = prebuilt();
  answer = require(path).selfTest(Number(size));
} catch (error) {
  answer = { ok: false, message: String(error?.message ?? error).split("\n", 1)[0] };
}
process.stdout.write(`${JSON.stringify({ file: path, ...answer })}\n`);
