// Output paths are checked before the work starts: an hour of training must not end with "no such directory".
import { access, constants, mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { checkWritable } from "../atomic-file.js";
import { fileError, type GaussflowError } from "../errors.js";

/**
 * Throws GAUSSFLOW_FILE unless a file can be made at `path`. Missing directories are made.
 *
 * @param what what the file is to hold, for the message
 */
export async function checkOutputFile(path: string, what: string): Promise<void> {
  const fail = (why: string, cause?: unknown) =>
    fileError(path === "" ? '""' : path, `${what} cannot be written there: ${why}`, {}, cause);
  if (path === "" || path.endsWith("/")) throw fail("a file name is needed");
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw fail(reasonOf(error), error);
  });
  if (found?.isDirectory()) throw fail("it is a directory");
  const directory = dirname(resolve(path));
  await makeDirectories(directory).catch((error: NodeJS.ErrnoException) => {
    throw fail(error.code === "EEXIST" ? `"${directory}" is not a directory` : reasonOf(error), error);
  });
  await checkWritable(path).catch(({ cause }: GaussflowError) => {
    throw fail(reasonOf(cause as NodeJS.ErrnoException), cause);
  });
  if (found !== null)
    await access(path, constants.W_OK).catch((error) => {
      throw fail("the file is there and not writable", error);
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
