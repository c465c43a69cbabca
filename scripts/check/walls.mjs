// Part of npm run check: enforces the walls of docs/architecture.md. A folder of src imports only from folders to its left; one file
// includes napi.h, one folder mpi.h; the core does not depend on Node.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { root } from "../native/paths.mjs";

/** Left to right. Files directly in src (errors, random, ...) stand left of all; index.ts right of all but the CLI. */
const ROOMS = [
  "data",
  "network",
  "loss",
  "algebra",
  "expression",
  "equations",
  "cluster",
  "backend",
  "plan",
  "linearize",
  "spectrum",
  "step",
  "uncertainty",
  "method",
  "run",
  "train",
  "jobs",
  "search",
  "fit",
  "game",
  "ode",
  "flow",
  "monitor",
  "experiment",
  "report",
  "cli",
];

/** Rooms that stand beside each other, not one behind the other: each imports nothing of those in its list. */
const BESIDE = {
  ode: ["network", "step", "method", "run", "train", "jobs", "search", "fit", "game"],
  flow: ["train", "jobs", "search", "fit", "game"],
};
const problems = [];

const files = (folder, ending) =>
  readdirSync(join(root, folder), { recursive: true })
    .map((name) => join(root, folder, String(name)))
    .filter((name) => ending.test(name));

for (const file of files("src", /\.ts$/)) {
  const [from, ...rest] = relative(join(root, "src"), file).split("/");
  if (rest.length === 0) continue; // a file at the top
  if (!ROOMS.includes(from)) problems.push(`src/${from} is no room of the architecture`);
  for (const [, path] of readFileSync(file, "utf8").matchAll(/from "(\.[^"]+)"/g)) {
    const [to, ...inside] = relative(join(root, "src"), join(file, "..", path)).split("/");
    if (inside.length > 0 && ROOMS.indexOf(to) > ROOMS.indexOf(from))
      problems.push(`${relative(root, file)} imports from ${to}, which stands to its right`);
    if (BESIDE[from]?.includes(to)) problems.push(`${relative(root, file)} imports from ${to}, which stands beside it`);
    if (from !== "backend" && to === "backend" && inside.length > 1 && from !== "cli")
      problems.push(
        `${relative(root, file)} imports from backend/${inside[0]}: the engines have one door, backend/create.ts`,
      );
    if (inside.length === 0 && to === "index.js") problems.push(`${relative(root, file)} imports the public face`);
  }
}
for (const file of files("native", /\.(h|cc)$/)) {
  const name = relative(root, file);
  const text = readFileSync(file, "utf8");
  if (/#include [<"]napi\.h/.test(text) && name !== "native/binding/napi_setup.h")
    problems.push(`${name} includes napi.h: only native/binding/napi_setup.h may`);
  if (/#include [<"]mpi\.h/.test(text) && !name.startsWith("native/mpi/"))
    problems.push(`${name} includes mpi.h: only native/mpi may`);
  if (name.startsWith("native/core/") && /node_api|napi|binding\//.test(text))
    problems.push(`${name}: the core must not know Node`);
}
for (const problem of problems) console.error(problem);
process.exit(problems.length > 0 ? 1 : 0);
