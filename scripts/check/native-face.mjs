// Part of npm run check: compares the exports of the built addon with their types, src/backend/native/binding.ts, and fails if a name is
// missing on one side, or if the types have changed and the number of the face has not. It prints a note and skips if the addon is not built.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { binary, root } from "../native/paths.mjs";

if (!existsSync(binary)) {
  console.log("skipped: the addon is not built");
  process.exit(0);
}
const face = readFileSync(join(root, "src", "backend", "native", "binding.ts"), "utf8");

/** The face that was last given a number, and the digest of its types. A change of the types gets the next number, here and in addon.cc. */
const NUMBERED = { number: 5, digest: "8285b052392c25c5" };
const types = face.replace(/\/\*\*[\s\S]*?\*\//g, "").replace(/\/\/.*|export const FACE = \d+;|\s+/g, "");
const now = {
  number: Number(/export const FACE = (\d+);/.exec(face)?.[1]),
  digest: createHash("sha256").update(types).digest("hex").slice(0, 16),
};

const members = (name) => {
  const body = face.slice(face.indexOf(`interface ${name} {`)).split("\n}")[0];
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm)].map(([, member]) => member).sort();
};
const addon = createRequire(import.meta.url)(binary);
const pairs = [
  ["BindingModule", Object.keys(addon).sort()],
  ...["NativeEngine", "NativeJetEngine"].map((name) => [
    `${name}Object`,
    Object.getOwnPropertyNames(addon[name].prototype)
      .filter((member) => member !== "constructor")
      .sort(),
  ]),
];
let bad = 0;
if (now.digest !== NUMBERED.digest || now.number !== NUMBERED.number) {
  bad++;
  console.error(
    `the types of the addon have changed: raise FACE in binding.ts and kFace in native/binding/addon.cc to ${NUMBERED.number + 1}, and put { number: ${NUMBERED.number + 1}, digest: "${now.digest}" } into this script`,
  );
}
if (addon.face !== now.number) {
  bad++;
  console.error(`the binary has the face ${addon.face}, binding.ts ${now.number}: npm run build:native`);
}
for (const [name, exported] of pairs) {
  const declared = members(name);
  if (declared.join() === exported.join()) continue;
  bad++;
  console.error(`${name}: declared ${declared.join(", ")}; the binary has ${exported.join(", ")}`);
}
process.exit(bad > 0 ? 1 : 0);
