// Little address space (`ulimit -v`, usual on clusters): OpenBLAS asks for its work buffers for ever where they are refused, so the addon
// must see to them first. A command ends with a result, or with a reason; none hangs.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { addressSpaceProblem, freeAddressSpace } from "../../src/backend/address-space.js";
import { buildLibrary } from "../helpers/build.js";

const MEBIBYTE = 2 ** 20;
const shell = process.platform === "linux" && spawnSync("bash", ["-c", "ulimit -v 4000000"]).status === 0;
let library = "";

beforeAll(() => {
  library = buildLibrary();
});

/** Node under a limit of so many kB, or its own end where that is too little for Node itself. */
function underLimit(kilobytes: number, args: readonly string[], threads: number) {
  const words = ["-c", 'ulimit -v "$1"; shift; exec "$@"', "bash", String(kilobytes), process.execPath, ...args];
  const env: NodeJS.ProcessEnv = { ...process.env, GAUSSFLOW_THREADS: String(threads) };
  delete env.GAUSSFLOW_BACKEND;
  delete env.NODE_OPTIONS;
  const child = spawnSync("bash", words, { encoding: "utf8", timeout: 100_000, env, killSignal: "SIGKILL" });
  // The timeout's own signal: it hung.
  expect(child.signal, child.stdout + child.stderr).not.toBe("SIGKILL");
  return { ...child, text: child.stdout + child.stderr };
}

/** Node could not start, or ended for want of memory: its own words. */
const NODE_ENDED =
  /out of memory|allocation failed|Fatal|# Fatal|oom|pthread_create|Cannot allocate|uv_thread_create|Assertion|Trace/i;

describe.skipIf(!shell)("under a limit on address space", () => {
  const limits = [1_000_000, 1_200_000, 1_300_000, 1_400_000, 1_600_000];

  it.each(limits)("of %i kB doctor ends with an engine and the reason for it", { timeout: 120_000 }, (limit) => {
    const main = library.replace(/index\.js$/, "cli/main.js");
    const { status, text } = underLimit(limit, [main, "doctor"], 2);
    if (status === 0) expect(text).toMatch(/engine\s+native/);
    else expect(text).toMatch(/limit on address space \(ulimit -v\)|there is no memory|OpenBLAS/);
  });

  it.each(limits)("of %i kB a training ends with a result", { timeout: 120_000 }, (limit) => {
    const scene = fileURLToPath(new URL("scenes/train-once.mjs", import.meta.url));
    const { status, text } = underLimit(limit, [scene, library], 4);
    if (status === 0) expect(text).toMatch(/^(iterations|reduction|gradient|memory): /m);
    else expect(text).toMatch(NODE_ENDED);
  });

  it.each([1_000_000, 1_200_000])("of %i kB a comparison of networks ends with a model or a remedy", (limit) => {
    const main = library.replace(/index\.js$/, "cli/main.js");
    const flags = ["--target", "mpg", "--ignore", "name", "--missing", "drop", "--iterations", "5"];
    const { status, text } = underLimit(limit, [main, "train", "examples/data/auto-mpg.csv", ...flags], 2);
    if (status === 0) expect(text).toMatch(/iterations? in /);
    else {
      expect(status, text).toBe(1);
      expect(text).toMatch(/ulimit -v.*train one network, with values for --hidden and --decay/s);
    }
  });

  it.each(limits)("of %i kB trainings in worker threads end", { timeout: 120_000 }, (limit) => {
    const scene = fileURLToPath(new URL("scenes/train-lanes.mjs", import.meta.url));
    const { status, text } = underLimit(limit, [scene, library], 2);
    if (status === 0) expect(text).toMatch(/^states: /m);
    else expect(text).toMatch(NODE_ENDED);
  });
});

describe("what the addon needs of the address space", () => {
  it("is one work buffer beside the libraries, and there is no limit on most machines", () => {
    expect(addressSpaceProblem(Number.POSITIVE_INFINITY)).toBeNull();
    expect(addressSpaceProblem(1024 * MEBIBYTE * 1024)).toBeNull();
    expect(addressSpaceProblem(100 * MEBIBYTE)).toMatch(/ulimit -v\) leaves 100 MiB, and the addon needs \d+ MiB/);
    expect(addressSpaceProblem(-5)).toMatch(/leaves 0/);
    expect(freeAddressSpace()).toBeGreaterThan(0);
  });
});
