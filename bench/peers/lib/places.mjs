// Names the folders in which the comparison with other programs keeps its programs and what it installs and builds, outside of package.json
// and of the package. install.mjs writes them, and programs/peer.mjs loads npm peers from there.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const programs = fileURLToPath(new URL("../programs", import.meta.url));
const cache = join(
  dirname(fileURLToPath(import.meta.url)),
  "..",
  "..",
  "..",
  "node_modules",
  ".cache",
  "gaussflow-bench",
);
export const npmFolder = join(cache, "npm");
export const builtFolder = join(cache, "peers");
