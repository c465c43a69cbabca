// Finds the package's own files on the disk: the addon (backend/native/load.ts), the worker script (jobs/thread.ts), the example data
// (experiment/real.ts), uPlot (report/html) and the build script (gaussflow build). A bundler copies the code without them, and then there
// are none.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { GaussflowError } from "./errors.js";

/** What cures a bundle: a sentence for after "To get it:". */
export const KEEP_EXTERNAL =
  'keep gaussflow out of the bundle (esbuild: --external:gaussflow; rolldown, Rollup, Vite, webpack: external: ["gaussflow"]) and install it where the bundle runs: npm install gaussflow';

let known: string | null | undefined;

/** The package's folder, from src/ under a test runner as well as from dist/. Null inside a bundle. */
export function packageRoot(): string | null {
  known ??= search();
  return known;
}

/** The same for what cannot do without. @throws GAUSSFLOW_FILE naming `what` and the cure */
export function requiredPackageRoot(what: string): string {
  const root = packageRoot();
  if (root === null)
    throw new GaussflowError(
      "GAUSSFLOW_FILE",
      `${what} needs files of the gaussflow package, which a bundle does not hold: ${KEEP_EXTERNAL}`,
      { what },
    );
  return root;
}

/** `require` as the package's own files have it. @throws GAUSSFLOW_FILE naming `what` and the cure */
export function packageRequire(what: string): NodeJS.Require {
  return createRequire(join(requiredPackageRoot(what), "package.json"));
}

/**
 * The address of a module beside this file. Null where the code was bundled to CommonJS, which has no import.meta.url.
 *
 * @example moduleAddress("./jobs/worker.js")
 */
export function moduleAddress(path: string): URL | null {
  const here: unknown = import.meta.url;
  return typeof here === "string" && here.startsWith("file:") ? new URL(path, here) : null;
}

function search(): string | null {
  const here = moduleAddress(".");
  if (here === null) return null;
  let folder = fileURLToPath(here);
  for (;;) {
    // The name matters: the first package.json above a bundle is the application's.
    if (nameIn(join(folder, "package.json")) === "gaussflow") return folder;
    const parent = dirname(folder);
    if (parent === folder) return null;
    folder = parent;
  }
}

/** The name that a package.json gives; null where there is no such file or no name in it. */
function nameIn(path: string): unknown {
  try {
    return (JSON.parse(readFileSync(path, "utf8")) as { name?: unknown } | null)?.name ?? null;
  } catch {
    return null;
  }
}
