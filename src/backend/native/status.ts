// Reads what the installer recorded about the addon (build/native-status.json, written by scripts/install.mjs). load.ts calls it to explain
// why there is no addon.
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface InstallStatus {
  readonly ok: boolean;
  /** What is missing or went wrong, as a phrase. */
  readonly reason: string;
  /** What cures it: a command, or a sentence in the imperative. */
  readonly hint: string;
}

/** What the installer wrote, or null where it never ran (for example with --ignore-scripts). */
export function readInstallStatus(packageRoot: string): InstallStatus | null {
  try {
    const value: unknown = JSON.parse(readFileSync(join(packageRoot, "build", "native-status.json"), "utf8"));
    if (typeof value !== "object" || value === null) return null;
    const { ok, reason, hint } = value as Record<string, unknown>;
    return { ok: ok === true, reason: String(reason ?? ""), hint: String(hint ?? "") };
  } catch {
    return null;
  }
}
