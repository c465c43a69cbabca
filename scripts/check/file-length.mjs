// Part of npm run check: fails if a source file has more than 400 lines, because it then holds two concepts.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../native/paths.mjs";

const MOST = 400;
const list = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.ts", "*.mjs", "*.cc", "*.h", "*.py"], {
  cwd: root,
  encoding: "utf8",
});
let bad = 0;
for (const file of list.split("\n").filter((name) => name && existsSync(join(root, name)))) {
  const lines = readFileSync(join(root, file), "utf8").split("\n").length - 1;
  if (lines <= MOST) continue;
  bad++;
  console.error(`${file} has ${lines} lines; at most ${MOST}`);
}
process.exit(bad > 0 ? 1 : 0);
