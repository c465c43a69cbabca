// Names the package of this system that holds a shared library which the addon needs, as a command to copy; load-failure.ts puts it into
// its explanation. The commands that install what a build needs are in scripts/native/tools.mjs, which runs before anything is compiled.
import { existsSync, readFileSync } from "node:fs";

/** What the commands depend on. */
export interface System {
  readonly platform: string;
  /** The text of /etc/os-release; "" where there is none. */
  readonly release: string;
  readonly root: boolean;
}

export function thisSystem(): System {
  const file = "/etc/os-release";
  return {
    platform: process.platform,
    release: existsSync(file) ? readFileSync(file, "utf8") : "",
    root: process.getuid?.() === 0,
  };
}

interface Known {
  readonly library: RegExp;
  readonly apt: string;
  readonly apk: string;
  readonly pacman: string;
  readonly brew: string;
}

const KNOWN: readonly Known[] = [
  { library: /openbla|blas|lapack/i, apt: "libopenblas0", apk: "openblas", pacman: "openblas", brew: "openblas" },
  { library: /stdc\+\+/, apt: "libstdc++6", apk: "libstdc++", pacman: "gcc-libs", brew: "gcc" },
  { library: /gcc_s/, apt: "libgcc-s1", apk: "libgcc", pacman: "gcc-libs", brew: "gcc" },
  { library: /gfortran/, apt: "libgfortran5", apk: "libgfortran", pacman: "gcc-libs", brew: "gcc" },
  { library: /gomp/, apt: "libgomp1", apk: "libgomp", pacman: "gcc-libs", brew: "gcc" },
];

/** The command that installs the library's package, or a sentence where the system or the library is not known. */
export function installLibrary(library: string, { platform, release, root }: System): string {
  const name = library.split("/").at(-1) ?? library;
  const known = KNOWN.find((entry) => entry.library.test(name));
  const sentence = `install the system package that holds ${name}`;
  if (platform === "darwin") return known === undefined ? sentence : `brew install ${known.brew}`;
  const sudo = root ? "" : "sudo ";
  const ids = (release.match(/^ID(_LIKE)?=.*$/gm) ?? []).join(" ");
  // dnf finds a package by the library itself.
  if (/fedora|rhel|centos/.test(ids)) return `${sudo}dnf install '${name}()(64bit)'`;
  if (known === undefined) return sentence;
  if (/debian|ubuntu/.test(ids)) return `${sudo}apt-get install ${known.apt}`;
  if (/alpine/.test(ids)) return `${sudo}apk add ${known.apk}`;
  if (/arch/.test(ids)) return `${sudo}pacman -S ${known.pacman}`;
  return `${sentence} (Debian: ${known.apt}, Alpine: ${known.apk}, Arch: ${known.pacman})`;
}
