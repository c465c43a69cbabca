// Installs packages of the system for the scripts that prepare a checkout (setup.mjs, setup-mpi.mjs): where this user may, and without
// questions.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { root } from "./paths.mjs";
import { installCommand, packageManager, runs } from "./tools.mjs";

/** Runs quietly; on failure shows the end of what the command said. */
export function quietly(command, env = {}) {
  const [program, ...args] = command;
  const options = { cwd: root, encoding: "utf8", env: { ...process.env, ...env }, maxBuffer: 1 << 28 };
  const child = spawnSync(program, args, { ...options, stdio: ["inherit", "pipe", "pipe"] });
  if (child.status === 0) return true;
  console.error(
    `${child.stdout ?? ""}${child.stderr ?? child.error ?? ""}`.trimEnd().split("\n").slice(-15).join("\n"),
  );
  return false;
}

/** ["sudo", "-n"] or [] where this user may install system packages, else null. */
function privilege(manager) {
  if (manager === "brew" || process.getuid?.() === 0) return [];
  return runs("sudo", ["-n", "true"]) ? ["sudo", "-n"] : null;
}

function aptListsAreEmpty() {
  const lists = "/var/lib/apt/lists";
  return (
    !existsSync(lists) || !readdirSync(lists).some((name) => name.endsWith("_Packages") || name.includes("_Packages."))
  );
}

/**
 * Installs what it may; the build that follows says what is still missing, and the command.
 * @param missing keys of `pieces` (tools.mjs)
 * @param say is told the command before it runs
 */
export function installSystemPackages(missing, say) {
  const manager = packageManager();
  const command = installCommand(missing, manager);
  const prefix = command === null ? null : privilege(manager);
  if (prefix === null) return;
  say(`installing: ${[...prefix, ...command].join(" ")}`);
  const environment = { DEBIAN_FRONTEND: "noninteractive" };
  if (manager !== "apt") {
    quietly([...prefix, ...command], environment);
    return;
  }
  const update = () => quietly([...prefix, "apt-get", "update"], environment);
  const install = () => quietly([...prefix, ...command, "-o", "DPkg::Lock::Timeout=120"], environment);
  if (aptListsAreEmpty()) update();
  if (!install() && update()) install(); // lists that are too old name packages that are gone
}
