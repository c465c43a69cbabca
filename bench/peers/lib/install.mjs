// Installs the peers that it can (bench/peers/run.mjs calls prepare before the first run) and returns for each of the others why it is
// missing. Debian's packages need root and apt-get; npm packages go into a cache folder of their own, so that package.json and its lock
// never list them; C++ programs are compiled into it too. run-peer.mjs takes the command line of a peer from commandOf.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageManager } from "../../../scripts/native/tools.mjs";
import { builtFolder, npmFolder, programs } from "./places.mjs";

/** Debian's own: its modules come from apt, and another python3 may stand first on PATH. */
export const PYTHON = "/usr/bin/python3";

const say = (text) => console.error(`peers: ${text}`);

function quietly(program, args, options = {}) {
  const child = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 28, ...options });
  const output = `${child.stdout ?? ""}${child.stderr ?? child.error?.message ?? ""}`.trim();
  return { ok: child.status === 0, why: output.split("\n").at(-1) || `${program} ended with ${child.status}` };
}

/** For a compiled peer: its program, or the compiler's complaint. Built anew when a source changes. */
function build({ source, libraries }) {
  const hash = createHash("sha256").update(libraries.join(" "));
  for (const name of [source, "mlp.h"]) hash.update(readFileSync(join(programs, name)));
  const program = join(builtFolder, `${source.replace(/\.cc$/, "")}-${hash.digest("hex").slice(0, 12)}`);
  if (existsSync(program)) return { ok: true, program };
  mkdirSync(builtFolder, { recursive: true });
  // As a user would who wants speed on this machine: everything the compiler offers.
  const flags = ["-std=c++20", "-O3", "-march=native", "-ffast-math"];
  const args = [...flags, join(programs, source), "-o", program, ...libraries];
  const child = spawnSync(process.env.CXX ?? "c++", args, { encoding: "utf8" });
  if (child.status === 0) return { ok: true, program };
  const complaint = (child.stderr ?? "").split("\n").find((line) => /error|cannot find/.test(line));
  return { ok: false, why: complaint?.trim() ?? child.error?.message ?? "the compiler failed" };
}

const npmVersionIsThere = (wanted) => {
  const [, name, version] = /^(.+)@(.+)$/.exec(wanted);
  const file = join(npmFolder, "node_modules", name, "package.json");
  return existsSync(file) && JSON.parse(readFileSync(file, "utf8")).version === version;
};

/** null where the peer can run, else why not. */
function lacking(peer) {
  if (peer.data) {
    const answer = quietly("dpkg", ["-s", peer.data]);
    return answer.ok ? null : `${peer.data} is not installed`;
  }
  if (peer.compiled) {
    const answer = build(peer.compiled);
    return answer.ok ? null : answer.why;
  }
  if (peer.python) {
    const answer = quietly(PYTHON, ["-c", `import ${peer.modules.join(", ")}`]);
    return answer.ok ? null : answer.why;
  }
  const absent = peer.npm.filter((name) => !npmVersionIsThere(name));
  return absent.length === 0 ? null : `not installed: ${absent.join(", ")}`;
}

function installDebian(packages) {
  if (packageManager() !== "apt") return "no apt-get here; install the packages' like by hand";
  if (process.getuid?.() !== 0) return "not root";
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const args = ["install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", ...packages];
  say(`apt-get ${args.slice(0, 3).join(" ")} ${packages.join(" ")}`);
  if (quietly("apt-get", args, { env }).ok) return null;
  quietly("apt-get", ["update"], { env }); // lists that are absent or too old
  const second = quietly("apt-get", args, { env });
  return second.ok ? null : second.why;
}

function installNpm(packages) {
  mkdirSync(npmFolder, { recursive: true });
  const manifest = join(npmFolder, "package.json");
  if (!existsSync(manifest)) writeFileSync(manifest, '{ "private": true }\n');
  say(`npm install ${packages.join(" ")} (into ${npmFolder})`);
  const args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...packages];
  const answer = quietly("npm", args, { cwd: npmFolder });
  return answer.ok ? null : answer.why;
}

/**
 * Which of `wanted` can run: { ready: peers, missing: [{ id, why }] }. Where `install` is false nothing is installed, only compiled.
 */
export function prepare(wanted, install) {
  const reasons = new Map(wanted.map((peer) => [peer, lacking(peer)]).filter(([, why]) => why !== null));
  if (install && reasons.size > 0) {
    // One peer at a time: a package that cannot be had costs its own peer only.
    for (const peer of reasons.keys()) {
      if (lacking(peer) === null) {
        reasons.delete(peer); // came with another one's packages
        continue;
      }
      const packages = peer.npm ?? peer.apt;
      const failed = peer.npm ? installNpm(packages) : installDebian(packages);
      const why = failed === null ? lacking(peer) : `${failed} (${packages.join(" ")})`;
      if (why === null) reasons.delete(peer);
      else reasons.set(peer, why);
    }
  }
  return {
    ready: wanted.filter((peer) => !reasons.has(peer)),
    missing: [...reasons].map(([{ id, title }, why]) => ({ id, title, why })),
  };
}

/** [program, ...arguments] that runs a peer which is ready. */
export function commandOf(peer, folder, cap, target) {
  const rest = [folder, String(cap), String(target), ...peer.variant];
  if (peer.compiled) return [build(peer.compiled).program, ...rest];
  if (peer.python) return [PYTHON, join(programs, peer.python), ...rest];
  return [process.execPath, join(programs, peer.node), ...rest];
}
