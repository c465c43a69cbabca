// Finds the tools that the build needs (compiler, CMake, BLAS), and the command that installs them on each kind of system. setup.mjs calls
// it to install them, native/build.mjs and build-mpi.mjs to report what is missing, and bench/peers for the package manager.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/** Missing pieces by key: a sentence, and the packages by package manager. */
export const pieces = {
  cmake: {
    reason: "CMake was not found",
    packages: { apt: ["cmake"], dnf: ["cmake"], apk: ["cmake"], pacman: ["cmake"], brew: ["cmake"] },
  },
  compiler: {
    reason: "a C++ compiler was not found",
    packages: { apt: ["g++"], dnf: ["gcc-c++"], apk: ["g++"], pacman: ["gcc"], brew: ["gcc"] },
  },
  make: {
    reason: "neither make nor ninja was found",
    packages: { apt: ["make"], dnf: ["make"], apk: ["make"], pacman: ["make"], brew: ["make"] },
  },
  blas: {
    reason: "OpenBLAS (BLAS and LAPACK) was not found",
    packages: {
      apt: ["libopenblas-dev"],
      dnf: ["openblas-devel"],
      apk: ["openblas-dev"],
      pacman: ["openblas"],
      brew: ["openblas"],
    },
  },
  mpi: {
    reason: "MPI was not found (no compiler wrapper mpicxx, mpic++ or mpicc)",
    packages: {
      apt: ["openmpi-bin", "libopenmpi-dev"],
      dnf: ["openmpi-devel"],
      apk: ["openmpi-dev"],
      pacman: ["openmpi"],
      brew: ["open-mpi"],
    },
  },
  // Optional beside MPI, each for its own.
  scalapack: {
    reason: "ScaLAPACK was not found",
    packages: {
      apt: ["libscalapack-openmpi-dev"],
      dnf: ["scalapack-openmpi-devel"],
      apk: [],
      pacman: ["scalapack"],
      brew: ["scalapack"],
    },
  },
  scalapackOfMpich: {
    reason: "ScaLAPACK was not found",
    packages: { apt: ["libscalapack-mpich-dev"], dnf: ["scalapack-mpich-devel"], apk: [], pacman: [], brew: [] },
  },
  lapack: {
    reason: "a BLAS without LAPACK was found",
    packages: {
      apt: ["libopenblas-dev"],
      dnf: ["openblas-devel"],
      apk: ["openblas-dev"],
      pacman: ["openblas"],
      brew: ["openblas"],
    },
  },
};

const managers = {
  apt: { program: "apt-get", install: ["apt-get", "install", "-y", "--no-install-recommends"] },
  dnf: { program: "dnf", install: ["dnf", "install", "-y"] },
  apk: { program: "apk", install: ["apk", "add"] },
  pacman: { program: "pacman", install: ["pacman", "-S", "--needed", "--noconfirm"] },
  brew: { program: "brew", install: ["brew", "install"] },
};

/** Whether a program of this name answers to --version (or to another harmless argument). */
export function runs(program, args = ["--version"]) {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}

/** The keys of the programs that are missing, by looking at PATH only (BLAS shows when CMake configures). */
export function missingTools() {
  const compilers = process.env.CXX ? [process.env.CXX.split(" ")[0]] : ["c++", "g++", "clang++"];
  const missing = [];
  if (!runs("cmake")) missing.push("cmake");
  if (!compilers.some((name) => runs(name))) missing.push("compiler");
  if (!runs("ninja") && !runs("make")) missing.push("make");
  return missing;
}

/** Whether a compiler wrapper of MPI answers. Those of Open MPI, MPICH and Intel MPI know these names. */
export function hasMpi() {
  return ["mpicxx", "mpic++", "mpicc"].some((name) => runs(name, ["-show"]));
}

/** The key of the ScaLAPACK that belongs to the MPI of the compiler wrapper and is missing, or null. */
export function missingScalapack() {
  const shown = spawnSync("mpicxx", ["-show"], { encoding: "utf8" }).stdout ?? "";
  const known = spawnSync("ldconfig", ["-p"], { encoding: "utf8" }).stdout ?? "";
  if (/mpich/i.test(shown)) return /libscalapack(-mpich)?\.so /.test(known) ? null : "scalapackOfMpich";
  return /libscalapack(-openmpi)?\.so /.test(known) ? null : "scalapack";
}

/** "apt", "dnf", "apk", "pacman", "brew" or null: by the system's own description, then by what is installed. */
export function packageManager() {
  if (process.platform === "darwin") return "brew";
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  const ids = (release.match(/^ID(_LIKE)?=.*$/gm) ?? []).join(" ");
  if (/debian|ubuntu/.test(ids)) return "apt";
  if (/fedora|rhel|centos/.test(ids)) return "dnf";
  if (/alpine/.test(ids)) return "apk";
  if (/arch/.test(ids)) return "pacman";
  return Object.keys(managers).find((name) => runs(managers[name].program)) ?? null;
}

/** The install command for the missing pieces as an argument list, without sudo; null on an unknown system. */
export function installCommand(missing, manager = packageManager()) {
  if (manager === null || missing.length === 0) return null;
  const packages = new Set(missing.flatMap((piece) => pieces[piece].packages[manager]));
  return [...managers[manager].install, ...packages];
}

/** The same as one line to copy, with sudo where a user needs it. */
export function hint(missing) {
  const manager = packageManager();
  const command = installCommand(missing, manager);
  if (command === null) return "install CMake, a C++ compiler and OpenBLAS";
  const asRoot = manager === "brew" || process.getuid?.() === 0;
  // What a person types may ask before it installs, and may bring recommended packages: shorter to read and to trust.
  const words = command.filter((word) => !["-y", "--no-install-recommends", "--noconfirm"].includes(word));
  return `${asRoot ? "" : "sudo "}${words.join(" ")}`;
}
