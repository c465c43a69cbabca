// Colors text for terminals: a painter that colors, or one that leaves text unchanged. cli/terminal.ts chooses one for each stream, and the
// tables and charts of this folder take it. It respects NO_COLOR and FORCE_COLOR (https://no-color.org); dumb terminals get plain text.

/** Styles the reports use, by meaning. */
export type Tone = "title" | "muted" | "good" | "bad" | "first" | "second";

/** Wraps text in the codes of a tone, or returns it unchanged. */
export type Painter = (tone: Tone, text: string) => string;

// ANSI "select graphic rendition": the code that switches each style on and the one that switches it off again. Not
// util.styleText: from Node 22 on that looks at stdout even where we paint for stderr.
const CODES: Readonly<Record<Tone, readonly [number, number]>> = {
  title: [1, 22],
  muted: [2, 22],
  good: [32, 39],
  bad: [31, 39],
  first: [36, 39],
  second: [33, 39],
};

/** Colors nothing. */
export const plain: Painter = (_tone, text) => text;

const colored: Painter = (tone, text) => `\x1b[${CODES[tone][0]}m${text}\x1b[${CODES[tone][1]}m`;

/** The environment variables that decide about color. */
export interface ColorEnvironment {
  readonly NO_COLOR?: string | undefined;
  readonly FORCE_COLOR?: string | undefined;
  readonly TERM?: string | undefined;
}

/** The painter fit for a stream: colors on a terminal, nothing in a file or a pipe. */
export function painterFor(
  stream: { readonly isTTY?: boolean | undefined },
  env: ColorEnvironment = process.env,
): Painter {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== "") return plain;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== "0") return colored;
  return stream.isTTY === true && env.TERM !== "dumb" ? colored : plain;
}
