// Paths in the commands we propose: what is printed must work when it is pasted into a shell.

/** The path as one word for a POSIX shell; a leading dash is hidden from option parsing by "./". */
export function shellWord(path: string): string {
  const safe = path.startsWith("-") ? `./${path}` : path;
  return /^[\w@%+=:,./-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", "'\\''")}'`;
}
