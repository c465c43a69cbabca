// Runs one peer once on one problem folder, in a process of its own, and returns its losses over time, its peak memory and its failure if
// it has one. Called by bench/peers/run.mjs (common case) and uci-comparison.mjs for every run.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { untunedEnvironment } from "../../lib/baseline.mjs";
import { commandOf } from "./install.mjs";
import { latestSeconds, parsePeerOutput } from "./protocol.mjs";

/** A peer ends itself at the cap, but only between two iterations, and its imports come before its clock. */
const GRACE_SECONDS = 45;

/** More characters than a whole line of the protocol and the beginning of the next one have. */
const LINE = 300;

/** VmHWM in 10^6 bytes; it only grows, so that the last look is as good as the end. */
function peakOf(pid) {
  try {
    const kibibytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kibibytes === undefined ? null : (Number(kibibytes) * 1024) / 1e6;
  } catch {
    return null;
  }
}

/**
 * { version, losses (up to `cap` and `stop`), end, peakMegabytes, failure }; `failure` is null or a sentence. The program is told of the
 * cap, over which Adam's rate falls, and not of `stop` seconds: there it is ended, as "behind".
 */
export function runPeer(peer, folder, { cap, target, threads, stop = Number.POSITIVE_INFINITY }) {
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
    const last = Math.min(cap, stop);
    let [output, latest, complaint, peak, killed] = ["", "", "", null, false];
    const kill = () => {
      killed = true;
      child.kill("SIGKILL");
    };
    const looking = setInterval(() => {
      peak = peakOf(child.pid) ?? peak;
    }, 50);
    const ending = setTimeout(kill, (last + GRACE_SECONDS) * 1000);
    child.stdout.setEncoding("utf8").on("data", (text) => {
      output += text;
      if (stop >= cap) return;
      latest = (latest + text).slice(-LINE);
      if (latestSeconds(latest) > stop) kill();
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      complaint = (complaint + text).slice(-2000);
    });
    const finish = (failure) => {
      clearInterval(looking);
      clearTimeout(ending);
      const answer = parsePeerOutput(output);
      const losses = answer.losses.filter(({ seconds }) => seconds <= last);
      const behind = stop < cap && (killed || losses.length < answer.losses.length);
      const end = behind ? "behind" : (answer.end ?? (killed ? "cap" : null));
      resolve({ ...answer, losses, end, peakMegabytes: peak, failure });
    };
    child.on("error", (error) => finish(error.message));
    child.on("close", (code, signal) => {
      const bad = killed || code === 0 ? null : `ended with ${signal ?? code}: ${complaint.trim().split("\n").at(-1)}`;
      finish(bad);
    });
  });
}
