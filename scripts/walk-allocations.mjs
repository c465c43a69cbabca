// npm run walk:allocations, by hand: makes every allocation of the native engine fail once, one after the other, and counts wrong outcomes.
// test/lifecycle/allocations.test.ts runs it with a stride.
//   node scripts/walk-allocations.mjs [--core] [--binding] [--stride N]      default: both walks, every allocation
// --core: the C++ test core_allocations (native/test/allocations_test.cc). --binding: every call from JavaScript, and trainings, under a
// preloaded library (Linux, g++). Ends with 1 where a result is wrong, an engine is left busy or a process dies.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { core: { type: "boolean" }, binding: { type: "boolean" }, stride: { type: "string", default: "1" } },
});
const both = !values.core && !values.binding;
const root = fileURLToPath(new URL("..", import.meta.url));

function run(command, args, env = {}) {
  const child = spawnSync(command, args, { cwd: root, encoding: "utf8", env: { ...process.env, ...env } });
  if (child.status === 0) return child.stdout;
  process.stdout.write(`${child.stdout ?? ""}${child.stderr ?? ""}`);
  console.log(`${command} ${args.join(" ")}: ended with ${child.signal ?? child.status ?? child.error}`);
  process.exit(1);
}

function walkCore() {
  run("cmake", ["-S", ".", "-B", "build/core", "-DGAUSSFLOW_CORE_TESTS=ON"]);
  run("cmake", ["--build", "build/core", "--target", "test_allocations", "-j2"]);
  process.stdout.write(run("build/core/native/test/test_allocations", []));
}

function walkBinding() {
  run(process.execPath, ["scripts/build.mjs", "--if-stale"]);
  const folder = mkdtempSync(join(tmpdir(), "gaussflow-walk-"));
  try {
    const [library, control] = [join(folder, "refuse-memory.so"), join(folder, "control")];
    writeFileSync(control, Buffer.alloc(4096));
    const scenes = "test/lifecycle/scenes/refuse-memory";
    run("g++", ["-std=c++17", "-O1", "-fPIC", "-shared", "-o", library, `${scenes}.cc`, "-ldl"]);
    const environment = { LD_PRELOAD: library, REFUSE_MEMORY: control };
    return JSON.parse(
      run(process.execPath, [`${scenes}.mjs`, join(root, "dist", "index.js"), values.stride], environment),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (values.core || both) walkCore();
if (values.binding || both) {
  const tally = walkBinding();
  const { points, refused, wrong, busy, examples } = tally;
  for (const example of examples) console.log(example);
  console.log(
    `binding: ${points} points, 0 crashes, ${refused} refused, ${wrong} wrong results, ${busy} engines left busy`,
  );
  if (wrong + busy > 0) process.exitCode = 1;
}
