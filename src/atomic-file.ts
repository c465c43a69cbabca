// Writes a file whole or not at all: a temporary neighbour, flushed to the disk, then renamed over the target. A crash or a full
// disk leaves the old file as it was.
import { randomBytes } from "node:crypto";
import { open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileError, type GaussflowError } from "./errors.js";

/** A name beside `path` for what is to take its place once it is whole. */
export function neighbour(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`);
}

/** What is said of a file that could not be written. */
export function writeError(path: string, cause: unknown): GaussflowError {
  return fileError(path, `cannot be written: ${cause instanceof Error ? cause.message : cause}`, {}, cause);
}

/**
 * Before work whose result goes to `path`: an hour of it must not end with "no such directory". Makes an empty neighbour and removes it.
 * @throws GAUSSFLOW_FILE as the write would
 */
export async function checkWritable(path: string): Promise<void> {
  const temporary = neighbour(path);
  try {
    if ((await stat(path).catch(() => null))?.isDirectory()) throw new Error("it is a directory");
    const file = await open(temporary, "wx");
    await file.close();
    await rm(temporary);
  } catch (cause) {
    throw writeError(path, cause);
  }
}

/** @throws GAUSSFLOW_FILE naming the path and what the system said */
export async function writeFileAtomic(path: string, text: string): Promise<void> {
  const temporary = neighbour(path);
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    // Where the file could not be made there is none to remove: the first error is what counts.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw writeError(path, cause);
  }
}
