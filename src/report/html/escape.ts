// Escapes text for the report: as markup, embedded JSON, ids and file names. html-report.ts and the other files of this folder pass
// everything that a user, a data file or an experiment wrote through one of these functions.

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  // HTML forbids the character of code 0.
  "\0": "\ufffd",
};

/** Text fit for an element's content and for a quoted attribute. */
export function escapeHtml(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the character of code 0 is one of those we are after
  return text.replace(/[&<>"'\u0000]/g, (character) => ENTITIES[character]!);
}

/** JSON fit for a script element: no text in it can end the element, open a comment or end a line. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Text as a part of an id and of a file name: letters, digits, "_" and "-". */
export function slug(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^-+|-+$/g, "") || "unnamed";
}
