// Quotes paths in the commands and flags that messages of convert, train and experiment suggest, so that a suggestion works when it is
// pasted into a shell.

/** The path as one word for a POSIX shell; a leading dash is hidden from option parsing by "./". */
export function shellWord(path: string): string {
  const safe = path.startsWith("-") ? `./${path}` : path;
  return quotedWord(safe);
}

/** A text as one word for a POSIX shell. */
export function quotedWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
