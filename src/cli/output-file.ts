// Checks the output paths of the commands train, convert, predict and experiment, which call it before the work starts: an hour of training
// must not end with "no such directory", and a command must not replace a file that it reads.
import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { checkWritable } from "../atomic-file.js";
import { fileError, type GaussflowError } from "../errors.js";
import { checkDistinct } from "../file-target.js";
import { UsageError } from "./exit.js";

/** A file that a command writes. */
export interface Output {
  /** The flag or argument that names it. */
  readonly flag: string;
  /** undefined where the flag was not given. */
  readonly path: string | undefined;
  /** What the file is to hold, for the message. */
  readonly what: string;
  /** The one input that may be the same file. */
  readonly mayShare?: string;
}

/**
 * Checks all paths of a command before anything runs. Missing directories of outputs are made.
 *
 * @param inputs files that are read, by flag or argument; "-" is standard input
 * @throws UsageError for a path that is none, GAUSSFLOW_ARGUMENT for two that lead to one file, GAUSSFLOW_FILE where no file can be made
 */
export async function checkOutputs(
  inputs: Readonly<Record<string, string | undefined>>,
  outputs: readonly Output[],
): Promise<void> {
  for (const [name, path] of Object.entries(inputs))
    if (path?.includes("\0"))
      throw new UsageError(`${name} must be the name of a file; received ${JSON.stringify(path)}`);
  for (const { flag, path } of outputs) {
    if (path === "" || path?.includes("\0") || path?.endsWith("/"))
      throw new UsageError(`${flag} must be the name of a file; received ${JSON.stringify(path)}`);
    if (path === "-")
      throw new UsageError(
        `${flag} must be the name of a file: standard output is /dev/stdout, a file of the name "-" is ./-`,
      );
  }
  checkDistinct([
    ...Object.entries(inputs).map(([name, path]) => ({
      name,
      path: path === "-" ? "/dev/stdin" : path,
      written: false,
    })),
    ...outputs.map(({ flag, path, mayShare }) => ({
      name: flag,
      path,
      written: true,
      ...(mayShare === undefined ? {} : { mayShare }),
    })),
  ]);
  for (const { path, what } of outputs) if (path !== undefined) await checkOutput(path, what);
}

/** Makes the directory, and tries out that a file can be made in it. */
async function checkOutput(path: string, what: string): Promise<void> {
  const fail = (why: string, cause: unknown) => fileError(path, `${what} cannot be written there: ${why}`, {}, cause);
  const directory = dirname(resolve(path));
  await makeDirectories(directory).catch((error: NodeJS.ErrnoException) => {
    throw fail(error.code === "EEXIST" ? `"${directory}" is not a directory` : reasonOf(error), error);
  });
  await checkWritable(path).catch(({ cause }: GaussflowError) => {
    throw fail(reasonOf(cause as NodeJS.ErrnoException), cause);
  });
}

/**
 * mkdir -p. Node's own (`recursive: true`) never returns where a file system answers "no such file" below a directory that is there, as
 * /proc does.
 */
async function makeDirectories(directory: string): Promise<void> {
  try {
    await mkdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await stat(directory)).isDirectory()) return;
    const parent = dirname(directory);
    if (code !== "ENOENT" || (await stat(parent).catch(() => null)) !== null) throw error;
    await makeDirectories(parent);
    await mkdir(directory);
  }
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ENOTDIR":
      return "a part of its path is not a directory";
    case "ENOENT":
      return "no directory can be made there";
    case "EACCES":
      return "permission denied";
    case "EROFS":
      return "the file system is read-only";
    case "ENAMETOOLONG":
      return "the name is too long";
    default:
      return error.message;
  }
}
