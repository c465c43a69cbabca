// Reads uPlot's script, style sheet and license from its package, which html-report.ts embeds in the report.
import { readFileSync } from "node:fs";
import { packageRequire } from "../../package-root.js";

/** The parts of uPlot that the page needs. */
export interface UplotFiles {
  /** Declares the global variable uPlot. */
  readonly script: string;
  readonly style: string;
  readonly license: string;
  readonly version: string;
}

/** Reads uPlot from node_modules. @throws GAUSSFLOW_FILE inside a bundle */
export function uplotFiles(): UplotFiles {
  const require = packageRequire("the report");
  const read = (path: string): string => readFileSync(require.resolve(`uplot/${path}`), "utf8").trim();
  const { version } = JSON.parse(read("package.json")) as { version: string };
  return {
    // The leading comment is an address: the report holds none, so that a search for one finds nothing. The license names uPlot.
    script: read("dist/uPlot.iife.min.js").replace(/^\/\*!.*?\*\/\s*/s, ""),
    style: read("dist/uPlot.min.css"),
    license: read("LICENSE"),
    version,
  };
}
