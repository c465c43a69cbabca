// Joins the modules of the command line and of the worker threads into three files of a compiled dist; build.mjs calls it after the
// compilation. To load 350 small modules takes Node half a second of processor time, and to load their joined files a tenth of that, at
// every command and in every worker thread. The library's own entry stays in small modules, so that the bundler of an application can
// leave out what the application does not use.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./native/paths.mjs";

/** cli/main.js listens by this module before it loads the rest: a second copy would know of no signal. */
const SIGNALS = "./signals.js";

/** @param dist the folder that holds cli/run.js and jobs/worker.js, which the joined files replace */
export async function joinModules(dist) {
  // Loaded here because most calls of build.mjs find a fresh dist.
  const { rolldown } = await import("rolldown");
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const packages = Object.keys({ ...dependencies, ...peerDependencies });
  const bundle = await rolldown({
    input: { "cli/run": join(dist, "cli", "run.js"), "jobs/worker": join(dist, "jobs", "worker.js") },
    platform: "node",
    external: (id) => packages.some((name) => id === name || id.startsWith(`${name}/`)) || id === SIGNALS,
  });
  // The modules that both share lie in dist itself, because src/package-root.ts looks for jobs/worker.js from its own folder.
  await bundle.write({ dir: dist, format: "esm", entryFileNames: "[name].js", chunkFileNames: "shared-modules.js" });
  await bundle.close();
}
