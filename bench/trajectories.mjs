// Hashes whole trajectories: the parameters a run ends with and every number of its records, except seconds. Each case runs with one thread
// and with two, and on the TypeScript engine where it is small. A developer runs it by hand before a change lands that must not change
// results: with --against the same cases run in another built checkout, each case whose hashes differ is named, and the exit code is then
// 1. Equal hashes mean equal bits.
//   node bench/trajectories.mjs [--against FOLDER] [--only TEXT]
import { fork } from "node:child_process";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseOptions } from "./lib/options.mjs";

const usage = "usage: node bench/trajectories.mjs [--against FOLDER] [--only TEXT]";
const root = fileURLToPath(new URL("..", import.meta.url));
const program = fileURLToPath(new URL("./lib/trajectory-process.mjs", import.meta.url));

/** { name: hash } of every case in the built checkout `folder`. */
function hashes(folder, only) {
  return new Promise((done, fail) => {
    const child = fork(program, [join(folder, "dist", "index.js"), only], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    let answer = null;
    child.on("message", (message) => {
      answer = message;
    });
    child.on("exit", (code) =>
      answer === null ? fail(new Error(`${folder}: the run ended with ${code}`)) : done(answer),
    );
  });
}

const { against, only = "" } = parseOptions(usage, { against: { type: "string" }, only: { type: "string" } });
const here = await hashes(root, only);
const there = against === undefined ? null : await hashes(resolve(against), only);
let different = 0;
for (const [name, hash] of Object.entries(here)) {
  const same = there === null || there[name] === hash;
  if (!same) different++;
  console.log(`${name.padEnd(52)}${hash}${same ? "" : `  DIFFERENT, there ${there[name] ?? "missing"}`}`);
}
console.log(`${Object.keys(here).length} trajectories${there === null ? "" : `, ${different} different`}`);
process.exitCode = different > 0 ? 1 : 0;
