// npm run pictures, by hand: runs all experiments by the command line and copies those of their pictures that docs/theory.md shows into
// docs/theory. Needs playwright-core (a development dependency) and Chromium.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./native/paths.mjs";

const PICTURES = [
  "conditioning-loss-003",
  "damping-weakest-03",
  "scaling-drift",
  "discrete-damped-factor",
  "stiffness-time",
  "real-under",
  "loss-rates-excess-3",
];

const made = mkdtempSync(join(tmpdir(), "gaussflow-pictures-"));
const target = join(root, "docs", "theory");
const args = [join(root, "dist", "cli", "main.js"), "experiment", "all", "--png", "--out", made];
const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
if (status === 0) {
  mkdirSync(target, { recursive: true });
  for (const name of PICTURES) copyFileSync(join(made, `${name}.png`), join(target, `${name}.png`));
}
rmSync(made, { recursive: true, force: true });
process.exitCode = status ?? 1;
