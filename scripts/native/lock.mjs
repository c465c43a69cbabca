// withLock runs a function while this process alone holds the lock file build/install.lock. install.mjs calls it around the whole
// installation, because two installations in one folder would write over each other's objects.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildFolder } from "./paths.mjs";

const lockFile = join(buildFolder, "install.lock");
const WAIT_MS = 10 * 60_000;
const EMPTY_MS = 5_000;

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Runs `work` while this process alone holds the lock; waits for another holder that is alive. */
export function withLock(work) {
  mkdirSync(buildFolder, { recursive: true });
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const holder = readHolder();
    // An empty lock is one that is just being written, or was left by a crash: a few seconds tell.
    const stale = holder === null ? ageOf(lockFile) > EMPTY_MS : !alive(holder);
    if (stale || Date.now() > deadline) rmSync(lockFile, { force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
  try {
    return work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

/** Milliseconds since a file was written; 0 where it has just gone. */
function ageOf(path) {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

/** The pid in the lock file; null when it has just gone or is just being written. */
function readHolder() {
  try {
    const pid = Number.parseInt(readFileSync(lockFile, "utf8"), 10);
    return Number.isNaN(pid) ? null : pid;
  } catch {
    return null;
  }
}
