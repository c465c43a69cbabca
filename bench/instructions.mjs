// Builds the C++ program count_instructions (bench/instructions/main.cc), counts the instructions of each kernel by callgrind (Debian:
// valgrind) and compares them with instructions.json, so that a regression shows without a clock and on a busy machine. A developer runs it
// by hand. The exit code is 1 if a kernel takes more than 1.05 times its record; --record writes a new one. Valgrind does not support
// AVX-512: OpenBLAS and the core's loops run their AVX2 code here, so the counts do not measure the fastest code. They hold for one
// compiler and one OpenBLAS, which the record names; with others compare two of your own runs.
//   node bench/instructions.mjs [--record]
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startBaseline } from "./lib/baseline.mjs";
import { parseOptions } from "./lib/options.mjs";

const MOST = 1.05;
const kernels = ["passes", "gram", "kernel", "cholesky", "products", "activations"];
const usage = "usage: node bench/instructions.mjs [--record]";
const { record = false } = parseOptions(usage, { record: { type: "boolean" } });

const root = fileURLToPath(new URL("..", import.meta.url));
const file = fileURLToPath(new URL("./instructions.json", import.meta.url));
const folder = join(root, "node_modules", ".cache", "gaussflow-instructions");

function run(program, args) {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    encoding: "utf8",
    env: { ...process.env, OPENBLAS_NUM_THREADS: "1" },
  });
  if (error) throw new Error(`${program} cannot be run: ${error.message}`);
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} failed:\n${stdout}${stderr}`);
  return stdout + stderr;
}

function count(program, kernel) {
  const out = join(tmpdir(), `gaussflow-callgrind-${process.pid}`);
  const options = ["--tool=callgrind", `--callgrind-out-file=${out}`, "--toggle-collect=Measured"];
  const text = run("valgrind", [...options, program, kernel]);
  const found = /Collected : (\d+)/.exec(text);
  if (found === null) throw new Error(`callgrind told no count:\n${text}`);
  return Number(found[1]);
}

mkdirSync(folder, { recursive: true });
run("cmake", ["-S", root, "-B", folder, "-DGAUSSFLOW_CORE_TESTS=ON", "-DCMAKE_BUILD_TYPE=Release"]);
run("cmake", ["--build", folder, "--target", "count_instructions"]);
const program = join(folder, "native", "test", "count_instructions");

const baseline = startBaseline();
const { config } = await baseline.ask("config");
baseline.close();
const compiler = execFileSync("c++", ["--version"], { encoding: "utf8" }).split("\n")[0];
const now = { compiler, blas: config.trim(), instructions: {} };
const recorded = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : null;
if (recorded !== null && (recorded.compiler !== compiler || recorded.blas !== now.blas))
  console.log(`recorded with ${recorded.compiler} and ${recorded.blas}; now ${compiler} and ${now.blas}`);
console.log(`${"kernel".padEnd(14)}${"now".padStart(16)}${"recorded".padStart(16)}${"ratio".padStart(8)}`);
for (const kernel of kernels) {
  const instructions = count(program, kernel);
  now.instructions[kernel] = instructions;
  const before = recorded?.instructions[kernel];
  const ratio = before === undefined ? Number.NaN : instructions / before;
  console.log(
    kernel.padEnd(14) +
      String(instructions).padStart(16) +
      String(before ?? "-").padStart(16) +
      (before === undefined ? "-" : ratio.toFixed(3)).padStart(8),
  );
  if (!record && !(ratio <= MOST)) process.exitCode = 1;
}
if (record) writeFileSync(file, `${JSON.stringify(now, null, 2)}\n`);
