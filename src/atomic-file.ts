// Writes a file completely or not at all, for models, checkpoints, data files and the reports and predictions of the command line: a
// temporary file in the same folder, flushed to the disk, then renamed over the target. A crash or a full disk leaves the old file
// unchanged. Links are followed, mode and owner of the old file are kept, and temporary files of killed processes are removed by the next
// write. Devices, FIFOs and open descriptors are written to directly. Before the work begins, `train` and `flow` call
// checkWritable for the checkpoint, and the command line for every output.
import { createHash, randomBytes } from "node:crypto";
import {
  constants,
  fchmodSync,
  fchownSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFile as writeDescriptorWhole,
} from "node:fs";
import { open } from "node:fs/promises";
import { Socket } from "node:net";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { fileError, type GaussflowError } from "./errors.js";
import { type Target, targetOf } from "./file-target.js";

type FileTarget = Extract<Target, { kind: "file" }>;
type StreamTarget = Extract<Target, { kind: "stream" }>;

/** Makes the error of a file that could not be written. The system's message names the temporary file, which the user does not know. */
export function writeError(path: string, cause: unknown): GaussflowError {
  const said = cause instanceof Error ? cause.message.replace(/, [a-z]+ '.*$/s, "") : String(cause);
  return fileError(path, `cannot be written: ${said}`, {}, cause);
}

/** Temporary files of this process that are not in place yet: none of them outlives it, unless it is killed. */
const unfinished = new Set<string>();

function removeUnfinished(): void {
  for (const path of unfinished) rmSync(path, { force: true });
}

/**
 * Identifies the machine and its process numbers, because a process number has no meaning on another machine that shares the folder, or in
 * another container.
 */
const machine = (() => {
  const read = (action: () => string) => {
    try {
      return action();
    } catch {
      return "";
    }
  };
  const parts = [
    hostname(),
    read(() => readFileSync("/etc/machine-id", "utf8")),
    read(() => readlinkSync("/proc/self/ns/pid")),
  ];
  return createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 8);
})();

/** Bytes that a name may have on every common file system. */
const MOST_BYTES = 255;
const ENDING = `.${"0".repeat(10)}-${"0".repeat(16)}.tmp`.length;

/** What the names of all temporary neighbors of a path begin with. A long name gives way to its digest. */
function beginning(path: string): string {
  const name = basename(path);
  if (Buffer.byteLength(name) + 1 + ENDING <= MOST_BYTES) return `.${name}.`;
  return `.${createHash("sha256").update(name).digest("hex").slice(0, 32)}.`;
}

/** A temporary file that replaces a file once it is complete. */
export interface Replacement {
  /** Where it is written; the caller makes the file, and fails where there is one. */
  readonly temporary: string;
  /** Gives the temporary file the owner and mode of the old one. */
  dress(descriptor: number): void;
  /** Puts it in its place, flushed and closed. */
  commit(): void;
  /** Removes the temporary file, if it is there. */
  abandon(): void;
}

/** Begins to replace a regular file. */
export function replaceFile({ path, status }: FileTarget): Replacement {
  removeLeftovers(path);
  const unique = `${process.pid}-${machine}${randomBytes(4).toString("hex")}`;
  const temporary = join(dirname(path), `${beginning(path)}${unique}.tmp`);
  if (unfinished.size === 0) process.once("exit", removeUnfinished);
  unfinished.add(temporary);
  const forget = () => {
    unfinished.delete(temporary);
    if (unfinished.size === 0) process.off("exit", removeUnfinished);
  };
  return {
    temporary,
    dress(descriptor) {
      if (status !== null) keepOwnerAndMode(descriptor, status);
    },
    commit() {
      renameSync(temporary, path);
      forget();
    },
    abandon() {
      rmSync(temporary, { force: true });
      forget();
    },
  };
}

/** The owner first: changing it clears bits of the mode. Only root may give a file away; others keep what they can. */
function keepOwnerAndMode(descriptor: number, { uid, gid, mode }: Stats): void {
  for (const owner of [uid, process.geteuid?.() ?? uid])
    try {
      fchownSync(descriptor, owner, gid);
      break;
    } catch {
      // Not permitted.
    }
  fchmodSync(descriptor, mode & 0o7777);
}

/** Removes what writes of `path` left behind that were killed. A folder that cannot be listed is left as it is. */
function removeLeftovers(path: string): void {
  const [folder, start] = [dirname(path), beginning(path)];
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return;
  }
  for (const name of names) {
    if (!name.startsWith(start)) continue;
    // A name without the machine's part is that of an earlier version.
    const [, writer, part = machine] =
      /^(\d{1,10})-([0-9a-f]{8})?[0-9a-f]{8}\.tmp$/.exec(name.slice(start.length)) ?? [];
    const leftover = join(folder, name);
    if (writer === undefined || part !== machine || unfinished.has(leftover) || isAlive(Number(writer), leftover))
      continue;
    try {
      rmSync(leftover, { force: true });
    } catch {
      // The file of another user, who will remove it.
    }
  }
}

/** Whether the process that made the file may still write it. The system gives numbers again: this process may have that of a dead one. */
function isAlive(writer: number, file: string): boolean {
  if (writer === process.pid) {
    const made = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
    return made >= Date.now() - 1000 * process.uptime();
  }
  try {
    process.kill(writer, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/**
 * Before work whose result goes to `path`: an hour of it must not end with "no such directory". Makes an empty neighbor and removes it.
 * @throws GAUSSFLOW_FILE as the write would
 */
export async function checkWritable(path: string): Promise<void> {
  try {
    const target = targetOf(path);
    if (target.kind === "stream") return;
    const replacement = replaceFile(target);
    try {
      await (await open(replacement.temporary, "wx")).close();
    } finally {
      replacement.abandon();
    }
  } catch (cause) {
    throw writeError(path, cause);
  }
}

/**
 * @param text one text, or pieces of it, which are written one after the other
 * @throws GAUSSFLOW_FILE naming the path and what the system said
 */
export async function writeFileAtomic(path: string, text: string | Iterable<string>): Promise<void> {
  try {
    const target = targetOf(path);
    const pieces = typeof text === "string" ? [text] : text;
    await (target.kind === "file" ? writeWhole(target, pieces) : writeStream(target, [...pieces].join("")));
  } catch (cause) {
    throw writeError(path, cause);
  }
}

async function writeWhole(target: FileTarget, pieces: Iterable<string>): Promise<void> {
  const replacement = replaceFile(target);
  try {
    const file = await open(replacement.temporary, "wx");
    try {
      for (const piece of pieces) await file.writeFile(piece);
      replacement.dress(file.fd);
      await file.sync();
    } finally {
      await file.close();
    }
    replacement.commit();
  } catch (cause) {
    replacement.abandon();
    throw cause;
  }
}

/** Milliseconds between two attempts to open a FIFO that nobody reads yet. */
const FIFO_PAUSE = 50;

async function writeStream({ path, descriptor, fifo }: StreamTarget, text: string): Promise<void> {
  if (descriptor !== null) return writeDescriptor(descriptor, text);
  const flags = constants.O_WRONLY | constants.O_APPEND;
  if (!fifo) {
    const file = await open(path, flags);
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    return;
  }
  // Opened without waiting: a thread that waits for a reader would keep the process from ending.
  for (;;)
    try {
      return await end(new Socket({ fd: openSync(path, flags | constants.O_NONBLOCK), readable: false }), text);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENXIO") throw error;
      await pause(FIFO_PAUSE);
    }
}

function end(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", (failed) => {
      if (!failed) resolve();
    });
    socket.end(text, () => socket.destroy());
  });
}

/** To the standard streams in order with what the process writes to them otherwise; a reader that went away is no error there. */
async function writeDescriptor(descriptor: number, text: string): Promise<void> {
  const stream = descriptor === 1 ? process.stdout : descriptor === 2 ? process.stderr : null;
  if (stream === null) return promisify(writeDescriptorWhole)(descriptor, text);
  await new Promise<void>((resolve, reject) => {
    stream.write(text, (error) => {
      if (error && (error as NodeJS.ErrnoException).code !== "EPIPE") reject(error);
      else resolve();
    });
  });
}
