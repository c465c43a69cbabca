// Part of npm run check: fails if the repository contains paths of a developer's machine or a lock file that names registries, and checks
// the package with publint.
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../native/paths.mjs";

const PATHS = String.raw`(^|[^.\w])/(home|root|work|Users|tmp/[a-z])/`;
let bad = 0;
if (spawnSync("git", ["rev-parse"], { cwd: root }).status === 0) {
  const found = spawnSync(
    "git",
    ["grep", "-nIE", PATHS, "--", ".", ":!package-lock.json", ":!scripts/check/repository.mjs"],
    {
      cwd: root,
      encoding: "utf8",
    },
  ).stdout;
  if (found) {
    bad++;
    console.error(`paths of a machine:\n${found}`);
  }
}
const lock = readFileSync(join(root, "package-lock.json"), "utf8");
if (lock.includes('"resolved"')) {
  bad++;
  console.error('package-lock.json has "resolved" addresses: npm config set omit-lockfile-registry-resolved true');
}
try {
  execFileSync(process.execPath, [join(root, "node_modules", "publint", "src", "cli.js"), "--strict"], {
    cwd: root,
    stdio: "inherit",
  });
} catch {
  bad++;
}
process.exit(bad > 0 ? 1 : 0);
