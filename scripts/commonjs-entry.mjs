// Writes the CommonJS entry into a compiled dist: index.cjs and index.d.cts; build.mjs calls it after the compilation. Code and types stay
// those of the ES modules, so that `require` and `import` in one program give the same classes and `instanceof` holds.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const WHOLE = 'import("./index.js", { with: { "resolution-mode": "import" } })';

const CODE = `// require("gaussflow"): the ES modules themselves, by Node's require(esm).
try {
  module.exports = require("./index.js");
} catch (error) {
  // Node 20 under a loader in a thread of its own (tsx) hands a .cts file a require that cannot link ES modules. This one can.
  if (error?.code !== "ERR_VM_MODULE_LINK_FAILURE") throw error;
  module.exports = require("node:module").createRequire(__filename)("./index.js");
}
`;

/** Types by one line; values one by one, since a CommonJS declaration file may import nothing but types from an ES module. */
function declarations(face) {
  const lines = ['export type * from "./index.js" with { "resolution-mode": "import" };'];
  for (const [name, value] of Object.entries(face)) {
    lines.push(`export declare const ${name}: typeof ${WHOLE}.${name};`);
    // A class is a type as well, which the constant hides.
    if (typeof value === "function" && /^class\b/.test(String(value)))
      lines.push(`export type ${name} = ${WHOLE}.${name};`);
  }
  return `${lines.join("\n")}\n`;
}

/** @param dist the folder that holds index.js and index.d.ts */
export async function writeCommonjsEntry(dist) {
  const face = await import(pathToFileURL(join(dist, "index.js")).href);
  writeFileSync(join(dist, "index.cjs"), CODE);
  writeFileSync(join(dist, "index.d.cts"), declarations(face));
}
