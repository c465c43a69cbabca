// Part of npm run check and npm run format: checks the format of the C++ sources with clang-format, or rewrites them with --write. Prints a
// note and skips if clang-format is not installed.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "../native/paths.mjs";

const files = ["native", "bench"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((name) => /\.(h|cc)$/.test(name)),
);
if (spawnSync("clang-format", ["--version"]).error) {
  console.log("skipped: clang-format is not installed");
  process.exit(0);
}
const mode = process.argv.includes("--write") ? ["-i"] : ["--dry-run", "--Werror"];
process.exit(spawnSync("clang-format", [...mode, ...files], { cwd: root, stdio: "inherit" }).status ?? 1);
