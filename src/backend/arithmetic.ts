// Describes what computes on this machine, for ranks of a run to compare: those with another BLAS or another kernel of it have other bits.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../package-root.js";
import { type Backend, chooseBackend } from "./create.js";
import { loadNative } from "./native/load.js";

/** Names and values. */
export function arithmetic(asked: Backend | undefined): readonly (readonly [string, string])[] {
  const root = packageRoot();
  const version =
    root === null ? "of a bundle" : (JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version as string);
  const native = loadNative();
  const facts = [
    ["the version of gaussflow", version],
    ["the engine", chooseBackend(asked)],
  ] as const;
  if (!native.ok) return facts;
  const { blas, core } = native.selfTest;
  return [...facts, ["the BLAS", blas], ["the kernel of the BLAS (OPENBLAS_CORETYPE)", core]];
}
