// The commands gaussflow doctor and gaussflow build: print the state of the native engine, and compile it by
// scripts/install.mjs, or the addon of MPI by scripts/native/build-mpi.mjs.
// program.ts adds them.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Command } from "commander";
import { doctor } from "../backend/doctor.js";
import { doctorMpi } from "../backend/doctor-mpi.js";
import { mpi } from "../cluster/mpi.js";
import { requiredPackageRoot } from "../package-root.js";
import { jsonLine } from "../report/json-lines.js";
import { EXIT, type ExitCode } from "./exit.js";
import type { Terminal } from "./terminal.js";

/** Adds both commands. */
export function addEngineCommands(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  program
    .command("doctor")
    .description("show the engine, its BLAS and its threads, test the engine, and print the remedy if it is missing")
    .option("--json", "write one JSON object")
    .option("--mpi", "show the MPI addon, the ranks, and how fast they exchange; under mpirun, or alone")
    .action(async ({ json, mpi: ranks }: { json?: true; mpi?: true }) => {
      const { ok, facts, remedy } = ranks ? await doctorMpi(await mpi()) : doctor();
      if (json) terminal.out.write(jsonLine("doctor", { ok, ...Object.fromEntries(facts), remedy }));
      else {
        const lines = facts.map(([name, value]) => `${name.padEnd(11)}${value}`);
        lines.push("", remedy === null ? "All is well." : `Remedy: ${remedy}`);
        terminal.out.write(`${lines.join("\n")}\n`);
      }
      done(ok ? EXIT.ok : EXIT.failure);
    });
  program
    .command("build")
    .description("compile the native engine (needs a C++ compiler, CMake and OpenBLAS)")
    .option("--mpi", "compile the addon of MPI in its place, for runs of mpirun (needs Open MPI or MPICH with mpicxx)")
    .action(({ mpi: addon }: { mpi?: true }) => {
      const scripts = join(requiredPackageRoot("gaussflow build"), "scripts");
      const args = addon ? [join(scripts, "native", "build-mpi.mjs")] : [join(scripts, "install.mjs"), "--force"];
      const child = spawnSync(process.execPath, args, {
        stdio: "inherit",
        env: { ...process.env, GAUSSFLOW_REQUIRE_NATIVE: "1" },
      });
      done(child.status === 0 ? EXIT.ok : EXIT.failure);
    });
}
