// Compiles dist in a checkout. npm runs it as the script `prepare`: at `npm install`, for a git dependency, and at `npm pack`. An installed
// package has its dist already, and neither sources nor compiler.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./native/paths.mjs";

const compiler = join(root, "node_modules", "typescript");
if (existsSync(join(root, "src", "index.ts")) && existsSync(compiler)) {
  const { buildDist, distIsFresh } = await import("./build.mjs");
  if (!distIsFresh() && !(await buildDist())) process.exitCode = 1;
}
