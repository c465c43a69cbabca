// Programs that use the packed package, in every way TypeScript resolves modules and in both kinds of modules: they compile, run,
// and see one set of classes. The package's declarations are checked too.
import { cpSync, existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PackedApp, packedApp, run } from "../helpers/packed-app.js";

const typed = `
import { type CsvOptions, GaussflowError, Network, network, type Plan, readCsv, train, type TrainOptions, type TrainResult } from "gaussflow";
const options: TrainOptions = { stop: { iterations: 3 }, backend: "typescript" };
const reading: CsvOptions = { target: "y" };
class Own extends GaussflowError {}
async function main(): Promise<void> {
  const net: Network = network({ layers: [1, 2, 1] });
  const result: TrainResult = await train(net, { inputs: [[1], [2]], targets: [1, 2] }, options);
  const plan: Plan = result.plan;
  const error = await readCsv("missing.csv", reading).catch((thrown: unknown) => thrown);
  const own = new Own("GAUSSFLOW_DATA", "mine");
  console.log(result.reason.code, plan.route, net instanceof Network, error instanceof GaussflowError, own.code);
}
void main();
`;
const PRINTED = "iterations dual true true GAUSSFLOW_DATA";

const both = `
const required = require("gaussflow");
import("gaussflow").then((imported) => {
  const names = (face) => Object.keys(face).filter((name) => name !== "default" && name !== "module.exports").sort();
  const same = names(imported).every((name) => imported[name] === required[name]);
  console.log(same, String(names(imported)) === String(names(required)), required.network({ layers: [1, 1] }) instanceof imported.Network);
});
`;

/** Module, resolution, the sources, and what runs of them. */
const WAYS = [
  ["commonjs", "node10", ["use.ts"], ["use.js"]],
  ["node16", "node16", ["use.ts", "c.cts", "m.mts"], ["use.js", "c.cjs", "m.mjs"]],
  ["nodenext", "nodenext", ["use.ts", "c.cts", "m.mts"], ["use.js", "c.cjs", "m.mjs"]],
  ["esnext", "bundler", ["use.ts", "m.mts"], ["m.mjs"]],
] as const;

describe("the packed package", () => {
  let app: PackedApp;

  beforeAll(() => {
    app = packedApp("commonjs");
    for (const name of ["use.ts", "c.cts", "m.mts"]) app.write(name, typed);
    app.write("both.cjs", both);
  }, 300_000); // may compile dist, on a machine that may be busy

  afterAll(() => app.remove());

  it("is refused under mpirun without the addon of MPI", () => {
    const file = app.write("ranks.mjs", 'import { mpi } from "gaussflow"; console.log((await mpi()).size);');
    expect(app.node([file])).toMatchObject({ code: 0, out: "1" });
    process.env.OMPI_COMM_WORLD_SIZE = "2";
    try {
      const { code, out, err } = app.node([file]);
      expect([code, out]).toEqual([1, ""]);
      expect(err).toContain("mpirun has started 2 processes, and the addon by which they work together is not built");
      expect(err).toContain("Remedy: npx gaussflow build --mpi");
      // The command line as well, whatever the command, and one process of the launch says so.
      process.env.OMPI_COMM_WORLD_RANK = "0";
      const main = join(app.home, "dist", "cli", "main.js");
      for (const command of ["doctor", "build"])
        expect(app.node([main, command])).toMatchObject({
          code: 1,
          out: "",
          err: expect.stringContaining("Remedy: npx"),
        });
      process.env.OMPI_COMM_WORLD_RANK = "1";
      expect(app.node([main, "doctor"])).toEqual({ code: 1, out: "", err: "" });
    } finally {
      delete process.env.OMPI_COMM_WORLD_SIZE;
      delete process.env.OMPI_COMM_WORLD_RANK;
    }
  });

  it.runIf(run("mpicxx", ["-show"], ".").code === 0)("compiles the addon of MPI from what the tarball holds", () => {
    const { code, out, err } = app.node([join(app.home, "dist", "cli", "main.js"), "build", "--mpi"]);
    expect(code, err).toBe(0);
    expect(out).toMatch(/gaussflow: the addon of MPI is ready \(.+\)$/);
    expect(existsSync(join(app.home, "build", "mpi", "gaussflow_mpi.node"))).toBe(true);
  });

  it("has a command line and worker threads in a few joined files, which need no other of its modules", () => {
    const dist = join(app.home, "dist");
    const kept = join(app.folder, "kept");
    for (const name of [
      "cli/main.js",
      "cli/run.js",
      "cli/signals.js",
      "cli/exit-codes.js",
      "cluster/launch.js",
      "jobs/worker.js",
      "shared-modules.js",
    ])
      cpSync(join(dist, name), join(kept, name));
    renameSync(dist, join(app.folder, "whole"));
    renameSync(kept, dist);
    app.write("line.csv", "x,y\n0,1\n1,3\n2,5\n3,7\n4,9\n5,11\n");
    const runs = ["--restarts", "2", "--threads", "2", "--iterations", "3", "--hidden", "2", "--json"];
    const { code, out, err } = app.node([join(dist, "cli", "main.js"), "train", "line.csv", "--target", "y", ...runs]);
    rmSync(dist, { recursive: true });
    renameSync(join(app.folder, "whole"), dist);
    expect(code, err).toBe(0);
    // A thread whose script does not load is a warning.
    expect(err).not.toContain("GAUSSFLOW_NO_WORKER");
    expect(out.match(/"type":"run"/g)).toHaveLength(2);
  });

  it.each(WAYS)(
    "compiles and runs with module %s and moduleResolution %s",
    (module, moduleResolution, sources, programs) => {
      const compiler = join("node_modules", "typescript", "bin", "tsc");
      const settings = { module, moduleResolution, target: "es2023", types: "node", outDir: moduleResolution };
      const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
      // nodenext reads the declarations of both kinds of modules, and checks them too; the others would check the same files again.
      const library = module === "nodenext" ? [] : ["--skipLibCheck"];
      const args = [join(process.cwd(), compiler), "--strict", ...library, ...flags, ...sources];
      expect(run(process.execPath, args, app.folder)).toMatchObject({ code: 0, out: "" });
      for (const program of programs) {
        const { code, out, err } = app.node([join(moduleResolution, program)]);
        expect([program, code, out], err).toEqual([program, 0, PRINTED]);
        expect(err).toBe("");
      }
    },
    300_000,
  );

  it("gives require and import the same functions and classes", () => {
    const { out, err } = app.node(["both.cjs"]);
    expect([out, err]).toEqual(["true true true", ""]);
  });
});
