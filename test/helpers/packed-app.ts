// An application in a folder of its own with gaussflow in its node_modules as npm would deliver it: packed, not linked. The packages that
// gaussflow needs are links to those of this checkout, so that nothing is downloaded or compiled.
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildLibrary } from "./build.js";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const addon = join(checkout, "build", "Release", "gaussflow.node");

/** Whether this checkout has an addon to give to an application. */
export const hasAddon = existsSync(addon);

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a program without the variables that vitest's own run set. The code of a program that is not there is null, and `err` says so. */
export function run(program: string, args: readonly string[], cwd: string): Ran {
  const { GAUSSFLOW_REQUIRE_NATIVE: _a, GAUSSFLOW_BACKEND: _b, NODE_OPTIONS: _c, ...env } = process.env;
  const child = spawnSync(program, args, { cwd, encoding: "utf8", env, timeout: 280_000 });
  if (child.error !== undefined && child.stdout === null) return { code: null, out: "", err: child.error.message };
  return { code: child.status, out: child.stdout.trim(), err: child.stderr };
}

export interface PackedApp {
  /** The application's folder; its package.json says `type`. */
  readonly folder: string;
  /** The installed package. */
  readonly home: string;
  /** Where the addon lies in it, whether it is there or not. */
  readonly addon: string;
  write(name: string, text: string): string;
  /** Runs a file of the application by this Node. */
  node(args: readonly string[]): Ran;
  remove(): void;
}

export function packedApp(type: "module" | "commonjs"): PackedApp {
  buildLibrary();
  const folder = mkdtempSync(join(tmpdir(), "gaussflow-app-"));
  const { code, err } = run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], checkout);
  if (code !== 0) throw new Error(`npm pack failed: ${err}`);
  const modules = join(folder, "node_modules");
  const home = join(modules, "gaussflow");
  mkdirSync(home, { recursive: true });
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "";
  const unpacked = run("tar", ["-xzf", tarball, "-C", home, "--strip-components=1"], folder);
  if (unpacked.code !== 0) throw new Error(`tar failed: ${unpacked.err}`);
  const { dependencies } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as { dependencies: object };
  for (const name of [...Object.keys(dependencies), "@types/node", "undici-types"]) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(checkout, "node_modules", name), join(modules, name));
  }
  const at = join(home, "build", "Release", "gaussflow.node");
  mkdirSync(dirname(at), { recursive: true });
  if (hasAddon) copyFileSync(addon, at);
  const write = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  write("package.json", JSON.stringify({ name: "user", private: true, type }));
  return {
    folder,
    home,
    addon: at,
    write,
    node: (args) => run(process.execPath, args, folder),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
