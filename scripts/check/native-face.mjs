// Part of npm run check: compares the exports of the built addon with their types, src/backend/native/binding.ts, and fails if a name is
// missing on one side. It prints a note and skips if the addon is not built.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { binary, root } from "../native/paths.mjs";

if (!existsSync(binary)) {
  console.log("skipped: the addon is not built");
  process.exit(0);
}
const face = readFileSync(join(root, "src", "backend", "native", "binding.ts"), "utf8");
const members = (name) => {
  const body = face.slice(face.indexOf(`interface ${name} {`)).split("\n}")[0];
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm)].map(([, member]) => member).sort();
};
const addon = createRequire(import.meta.url)(binary);
const pairs = [
  ["BindingModule", Object.keys(addon).sort()],
  [
    "NativeEngineObject",
    Object.getOwnPropertyNames(addon.NativeEngine.prototype)
      .filter((name) => name !== "constructor")
      .sort(),
  ],
];
let bad = 0;
for (const [name, exported] of pairs) {
  const declared = members(name);
  if (declared.join() === exported.join()) continue;
  bad++;
  console.error(`${name}: declared ${declared.join(", ")}; the binary has ${exported.join(", ")}`);
}
process.exit(bad > 0 ? 1 : 0);
