// The package as npm delivers it: packed, installed into an empty folder in every way the addon can be missing, and put to work.
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { platformPackage } from "../../src/backend/native/load.js";
import { buildLibrary } from "../helpers/build.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-package-"));
const script = `
import { network, train } from "gaussflow";
const inputs = Array.from({ length: 30 }, (_, i) => [Math.sin(i), Math.cos(i)]);
const result = await train(network({ layers: [2, 4, 1] }), { inputs, targets: inputs.map(([a, b]) => a * b) });
console.log(result.engine, result.network.predict(inputs).every(Number.isFinite));
`;
let tarball = "";

function call(program: string, args: readonly string[], cwd: string, env: Record<string, string> = {}) {
  // Variables that vitest's own run set must not decide here.
  const { GAUSSFLOW_REQUIRE_NATIVE: _a, GAUSSFLOW_BACKEND: _b, ...rest } = process.env;
  const child = spawnSync(program, args, { cwd, encoding: "utf8", env: { ...rest, ...env }, timeout: 240_000 });
  return { code: child.status, out: child.stdout, err: child.stderr };
}

/** A folder with the package installed. */
function install(name: string, flags: readonly string[], env: Record<string, string> = {}) {
  const at = join(folder, name);
  mkdirSync(at);
  writeFileSync(join(at, "package.json"), '{ "name": "user", "private": true, "type": "module" }');
  writeFileSync(join(at, "use.mjs"), script);
  const installed = call("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...flags, tarball], at, env);
  return { at, installed };
}

/** A copy of the first installation, in which the package's install script runs as npm runs it. */
function installScript(name: string, env: Record<string, string>) {
  const at = join(folder, name);
  cpSync(join(folder, "ignore-scripts"), at, { recursive: true, verbatimSymlinks: true });
  const home = join(at, "node_modules", "gaussflow");
  rmSync(join(home, "build"), { recursive: true });
  return { at, installed: call(process.execPath, [join("scripts", "install.mjs")], home, env) };
}

function use(at: string, env: Record<string, string> = {}) {
  const { code, out, err } = call(process.execPath, ["use.mjs"], at, env);
  return { code, out: out.trim(), warnings: err.match(/GAUSSFLOW_NO_NATIVE[^\n]*/g) ?? [] };
}

beforeAll(() => {
  buildLibrary();
  const { code, err } = call("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], ".");
  expect(code, err).toBe(0);
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "");
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the packed package", () => {
  it("works without any script run, with one warning that names the command", () => {
    const { at, installed } = install("ignore-scripts", ["--ignore-scripts"]);
    expect(installed.code, installed.err).toBe(0);
    const { code, out, warnings } = use(at);
    expect([code, out]).toEqual([0, "reference true"]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/npm ran no install script.*npx gaussflow build/);
    // A file that is no addon: still the TypeScript engine, and the reason.
    const release = join(at, "node_modules", "gaussflow", "build", "Release");
    mkdirSync(release, { recursive: true });
    writeFileSync(join(release, "gaussflow.node"), "not a library");
    const broken = use(at);
    expect([broken.code, broken.out, broken.warnings.length]).toEqual([0, "reference true", 1]);
    expect(broken.warnings[0]).toMatch(/was built for another system or processor, or is damaged/);
    // Asked for by name, the missing engine is an error; told to do without, there is no warning.
    expect(use(at, { GAUSSFLOW_BACKEND: "native" }).code).toBe(1);
    expect(use(at, { GAUSSFLOW_BACKEND: "typescript" })).toEqual({ code: 0, out: "reference true", warnings: [] });
    // The command is on the path.
    const { code: doctor, out: report } = call("npx", ["gaussflow", "doctor"], at);
    expect([doctor, /Remedy/.test(report)]).toEqual([1, true]);
  });

  it("compiles its addon from what the tarball holds, and takes a prebuilt one where no script runs", () => {
    // CI compiles through ccache, which knows an object by the content of its sources and by its paths. With the package's folder as the
    // base its paths are those of CI's own build.
    const base = process.env.CCACHE_BASEDIR === undefined ? {} : { CCACHE_BASEDIR: join(folder, "native") };
    const { at, installed } = install("native", [], { GAUSSFLOW_REQUIRE_NATIVE: "1", ...base });
    expect(installed.code, installed.err).toBe(0);
    expect(use(at)).toEqual({ code: 0, out: "native true", warnings: [] });
    // Stage that addon both ways a prebuilt one can come: inside the package, and as the platform's own package.
    const home = join(at, "node_modules", "gaussflow");
    const addon = join(folder, "gaussflow.node");
    renameSync(join(home, "build", "Release", "gaussflow.node"), addon);
    rmSync(join(home, "build"), { recursive: true });
    const bundled = join(home, "prebuilds", `${process.platform}-${process.arch}`);
    mkdirSync(bundled, { recursive: true });
    copyFileSync(addon, join(bundled, "gaussflow.node"));
    expect(use(at)).toEqual({ code: 0, out: "native true", warnings: [] });
    rmSync(join(home, "prebuilds"), { recursive: true });
    const own = join(at, "node_modules", platformPackage());
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, "package.json"), JSON.stringify({ name: platformPackage(), main: "gaussflow.node" }));
    copyFileSync(addon, join(own, "gaussflow.node"));
    expect(use(at)).toEqual({ code: 0, out: "native true", warnings: [] });
    // The installer trusts it as well, after the self-test in a child process, and compiles nothing.
    const again = call(process.execPath, [join(home, "scripts", "install.mjs")], at);
    expect(again.out).not.toMatch(/compiling/);
    const status = JSON.parse(readFileSync(join(home, "build", "native-status.json"), "utf8"));
    expect([status.ok, status.origin]).toEqual([true, "prebuilt"]);
  }, 300_000); // a whole compilation, on a machine that may be busy

  it.each([
    ["no OpenBLAS", { GAUSSFLOW_BLAS_LIBRARIES: "/nowhere/libblas.so" }, /BLAS/i],
    ["no compiler", { CXX: "/nowhere/c++" }, /compiler/i],
    ["told not to build", { GAUSSFLOW_BACKEND: "typescript" }, /GAUSSFLOW_BACKEND/],
  ] as const)("works with %s, and names what is missing", (name, env, reason) => {
    const { at, installed } = installScript(name.replaceAll(" ", "-"), { ...env, PATH: pathFor(name) });
    expect(installed.code, installed.err).toBe(0);
    const status = JSON.parse(
      readFileSync(join(at, "node_modules", "gaussflow", "build", "native-status.json"), "utf8"),
    );
    expect(status.ok).toBe(false);
    expect(status.reason).toMatch(reason);
    const { code, out, warnings } = use(at);
    expect([code, out, warnings.length]).toEqual([0, "reference true", 1]);
    expect(warnings[0]).toMatch(reason);
  });

  it("a required addon that cannot be built fails the installation", () => {
    const { installed } = installScript("required", {
      GAUSSFLOW_BLAS_LIBRARIES: "/nowhere/libblas.so",
      GAUSSFLOW_REQUIRE_NATIVE: "1",
    });
    expect(installed.code).toBe(1);
    expect(installed.err + installed.out).toMatch(/BLAS/);
  });
});

/** PATH; for "no compiler" one with node, npm and the shell alone. */
function pathFor(name: string): string {
  if (name !== "no compiler") return process.env.PATH ?? "";
  const bare = join(folder, "bin");
  mkdirSync(bare, { recursive: true });
  for (const program of ["node", "npm", "npx", "sh", "env", "uname"]) {
    const found = spawnSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).stdout.trim();
    if (found !== "") symlinkSync(found, join(bare, program));
  }
  return bare;
}
