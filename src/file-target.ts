// Resolves the path of a write to its target: atomic-file.ts and the writer of data files call targetOf, and the checks before a run
// (train, trainMany, convert, the command line) call checkDistinct. A regular file, found through links, is replaced as a whole. A device,
// a FIFO or an open descriptor (/dev/stdout) cannot be replaced and is written to.
import { accessSync, constants, fstatSync, lstatSync, readlinkSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { argumentError, describe } from "./errors.js";

export type Target =
  /** `status` is null where no file is there yet. */
  | { readonly kind: "file"; readonly path: string; readonly status: Stats | null }
  /** `descriptor` is that of this process which the path names, or null. */
  | { readonly kind: "stream"; readonly path: string; readonly descriptor: number | null; readonly fifo: boolean };

/** As many as Linux follows. */
const MOST_LINKS = 40;

/**
 * @throws the system's error: a link that leads to itself, a descriptor that is not open, a directory, a file without write permission
 */
export function targetOf(path: string): Target {
  const at = followLinks(path);
  const descriptor = descriptorOf(at);
  if (descriptor !== null) {
    fstatSync(descriptor);
    return { kind: "stream", path: at, descriptor, fifo: false };
  }
  const status = statSync(at, { throwIfNoEntry: false }) ?? null;
  if (status === null) return { kind: "file", path: at, status };
  if (status.isDirectory()) throw new Error("it is a directory");
  accessSync(at, constants.W_OK);
  if (status.isFile() && !isForeignDescriptor(at)) return { kind: "file", path: at, status };
  return { kind: "stream", path: at, descriptor: null, fifo: status.isFIFO() };
}

/** The path at the end of all links, also where nothing is there yet. Descriptors are links too, and are not followed. */
function followLinks(path: string): string {
  let at = resolve(path);
  for (let hops = 0; hops <= MOST_LINKS; hops++) {
    at = join(realFolder(dirname(at)), basename(at));
    const isLink = lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink() === true;
    if (!isLink || descriptorOf(at) !== null || isForeignDescriptor(at)) return at;
    at = resolve(dirname(at), readlinkSync(at));
  }
  throw new Error("too many links lead to one another");
}

/** The real path of a folder. Of one that is not there, that of the part which is, and the rest as it is written. */
function realFolder(folder: string): string {
  try {
    return realpathSync(folder);
  } catch (error) {
    const parent = dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || parent === folder) throw error;
    return join(realFolder(parent), basename(folder));
  }
}

/** The descriptor of this process that a real path names: /dev/stdout and /dev/fd/1 lead to /proc/PID/fd/1 on Linux. */
function descriptorOf(real: string): number | null {
  const [, process_, linux, other] = /^\/proc\/(\d+)\/(?:task\/\d+\/)?fd\/(\d+)$|^\/dev\/fd\/(\d+)$/.exec(real) ?? [];
  if (other !== undefined) return Number(other);
  return linux !== undefined && Number(process_) === process.pid ? Number(linux) : null;
}

/** An open descriptor of another process: its file is written to, not replaced. */
function isForeignDescriptor(real: string): boolean {
  return /^\/proc\/\d+\/(?:task\/\d+\/)?fd\/\d+$/.test(real) && descriptorOf(real) === null;
}

/** A key that is the same for all names of one regular file, or of the place for one; null for anything else and if it is unknown. */
function identityOf(path: string): string | null {
  try {
    const at = followLinks(path);
    const descriptor = descriptorOf(at);
    const status =
      descriptor === null
        ? statSync(at, { bigint: true, throwIfNoEntry: false })
        : fstatSync(descriptor, { bigint: true });
    if (status === undefined) return at;
    return status.isFile() ? `${status.dev}:${status.ino}` : null;
  } catch {
    // Whoever reads or writes the path next says why it cannot be used.
    return null;
  }
}

/** A path of a call or a command, and how an error calls it. */
export interface NamedPath {
  readonly name: string;
  /** undefined where the option was not given. */
  readonly path: string | undefined;
  /** The path is written to: what stood there before is gone. */
  readonly written: boolean;
  /** The one path, by name, that this one may share its file with. */
  readonly mayShare?: string;
}

/**
 * Refuses a path to be written that leads to the file of another path: through links, under another name (hard links), or as standard
 * input. Devices and FIFOs may be named twice.
 * @throws GAUSSFLOW_ARGUMENT naming both
 */
export function checkDistinct(paths: readonly NamedPath[]): void {
  const seen: { readonly named: NamedPath; readonly identity: string }[] = [];
  for (const named of paths) {
    const identity = named.path === undefined ? null : identityOf(named.path);
    if (identity === null) continue;
    const other = seen.find(
      (one) =>
        one.identity === identity &&
        (one.named.written || named.written) &&
        named.mayShare !== one.named.name &&
        one.named.mayShare !== named.name,
    );
    if (other !== undefined) {
      const [writing, kept] = named.written ? [named, other.named] : [other.named, named];
      throw argumentError(
        writing.name,
        `must be another file than ${kept.name} (${describe(kept.path)}), which it would replace`,
        writing.path,
      );
    }
    seen.push({ named, identity });
  }
}
