// Builds bench/baseline (a C++ program that times bare OpenBLAS) if there is no build of the same sources yet, and runs its commands.
// Called by bench/run.mjs for the cases and by bench/instructions.mjs and bench/peers/run.mjs for OpenBLAS's description;
// bench/peers/lib/run-peer.mjs uses untunedEnvironment for its children.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LineProcess } from "./line-process.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const source = join(root, "bench", "baseline");

/** The environment of every program we compare with: OpenBLAS as installed, no tuning variable inherited from ours. */
export function untunedEnvironment(extra = {}) {
  const tuned = /^(OPENBLAS|GOTO|OMP)_/;
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !tuned.test(name))), ...extra };
}

/** Path of the program, built if need be (a few seconds, once). */
export function buildBaseline() {
  const hash = createHash("sha256");
  for (const file of ["CMakeLists.txt", "main.cc"]) hash.update(readFileSync(join(source, file)));
  const folder = join(root, "node_modules", ".cache", "gaussflow-bench", hash.digest("hex").slice(0, 16));
  const program = join(folder, process.platform === "win32" ? "blas_baseline.exe" : "blas_baseline");
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const run = (args) => {
    try {
      execFileSync("cmake", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    } catch (error) {
      const output = `${error.stdout ?? ""}${error.stderr ?? ""}`.trim() || error.message;
      throw new Error(`the OpenBLAS baseline cannot be built (cmake ${args.join(" ")}):\n${output}`);
    }
  };
  run(["-S", source, "-B", folder, "-DCMAKE_BUILD_TYPE=Release"]);
  run(["--build", folder]);
  return program;
}

/** A running baseline; call close() at the end. */
export function startBaseline() {
  return new LineProcess(buildBaseline(), [], { name: "the OpenBLAS baseline", env: untunedEnvironment() });
}
