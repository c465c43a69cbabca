// One run of one peer: a process of its own, its losses, its peak memory.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { untunedEnvironment } from "../../lib/baseline.mjs";
import { commandOf } from "./install.mjs";
import { parsePeerOutput } from "./protocol.mjs";

/** A peer ends itself at the cap, but only between two iterations, and its imports come before its clock. */
const GRACE_SECONDS = 45;

/** VmHWM in 10^6 bytes; it only grows, so that the last look is as good as the end. */
function peakOf(pid) {
  try {
    const kibibytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kibibytes === undefined ? null : (Number(kibibytes) * 1024) / 1e6;
  } catch {
    return null;
  }
}

/** { version, losses (up to the cap), end, peakMegabytes, failure }; `failure` is null or a sentence. */
export function runPeer(peer, folder, { cap, target, threads }) {
  const [program, ...args] = commandOf(peer, folder, cap, target);
  const count = String(threads);
  const env = untunedEnvironment({
    OPENBLAS_NUM_THREADS: count,
    OMP_NUM_THREADS: count,
    GAUSSFLOW_THREADS: count,
    PYTHONDONTWRITEBYTECODE: "1",
  });
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let [output, complaint, peak, killed] = ["", "", null, false];
    const looking = setInterval(() => {
      peak = peakOf(child.pid) ?? peak;
    }, 50);
    const ending = setTimeout(
      () => {
        killed = true;
        child.kill("SIGKILL");
      },
      (cap + GRACE_SECONDS) * 1000,
    );
    child.stdout.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      complaint = (complaint + text).slice(-2000);
    });
    const finish = (failure) => {
      clearInterval(looking);
      clearTimeout(ending);
      const answer = parsePeerOutput(output);
      const losses = answer.losses.filter(({ seconds }) => seconds <= cap);
      resolve({ ...answer, losses, end: answer.end ?? (killed ? "cap" : null), peakMegabytes: peak, failure });
    };
    child.on("error", (error) => finish(error.message));
    child.on("close", (code, signal) => {
      const bad = killed || code === 0 ? null : `ended with ${signal ?? code}: ${complaint.trim().split("\n").at(-1)}`;
      finish(bad);
    });
  });
}
