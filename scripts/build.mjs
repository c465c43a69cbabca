// npm run build: compiles src to dist, and joins the modules of the command line into a few files. The new dist replaces the old one in one
// step, and only if it compiled without an error, so that no file of a deleted source remains and no program that runs from dist loads a
// partial one. prepare.mjs, setup.mjs and a test helper import its functions; check/all.mjs runs it.
//   node scripts/build.mjs             always
//   node scripts/build.mjs --if-stale  only when a source is newer than dist
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { writeCommonjsEntry } from "./commonjs-entry.mjs";
import { joinModules } from "./join-modules.mjs";
import { newest, root } from "./native/paths.mjs";

const dist = join(root, "dist");
const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
const SCRIPTS = ["scripts/build.mjs", "scripts/commonjs-entry.mjs", "scripts/join-modules.mjs"];

/** Whether dist is there and newer than every source. */
export function distIsFresh() {
  const entry = join(dist, "index.js");
  return (
    existsSync(entry) && statSync(entry).mtimeMs > newest(["src", ...SCRIPTS, "tsconfig.json", "tsconfig.build.json"])
  );
}

/** Resolves with true when dist is good afterwards; the compiler speaks for itself otherwise. */
export async function buildDist() {
  const fresh = join(root, `dist.${process.pid}.tmp`);
  const old = `${fresh}.old`;
  const start = Date.now() / 1000;
  try {
    const args = [compiler, "-p", join(root, "tsconfig.build.json"), "--outDir", fresh];
    if (spawnSync(process.execPath, args, { stdio: "inherit", cwd: root }).status !== 0) return false;
    const main = join(fresh, "cli", "main.js");
    if (existsSync(main)) chmodSync(main, 0o755);
    await writeCommonjsEntry(fresh);
    await joinModules(fresh);
    // As old as the start: a source that is saved while the compiler runs counts as newer.
    utimesSync(join(fresh, "index.js"), start, start);
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
    return true;
  } finally {
    for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === join(root, "scripts", "build.mjs")) {
  const needed = !process.argv.includes("--if-stale") || !distIsFresh();
  if (needed && !(await buildDist())) process.exitCode = 1;
}
