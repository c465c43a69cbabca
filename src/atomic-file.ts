// Writes a file whole or not at all: a temporary neighbour, flushed to the disk, then renamed over the target. A crash or a full
// disk leaves the old file as it was.
import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { GaussflowError } from "./errors.js";

/** @throws GAUSSFLOW_FILE naming the path and what the system said */
export async function writeFileAtomic(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`);
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
    await rm(temporary, { force: true });
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new GaussflowError("GAUSSFLOW_FILE", `${path} cannot be written: ${why}`, { path }, { cause });
  }
}
