// Part of npm run check: fails if a C++ function has more than 60 lines, because an object is then missing. It relies on clang-format: a
// function of a namespace or a class begins with a line that ends in "{" and ends with the first "}" at the same depth.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { root } from "../native/paths.mjs";

const MOST = 60;
/** What opens a brace and holds functions, or is data. */
const NO_FUNCTION = /^\s*(?:template <.*> )?(?:class|struct|enum|union|namespace|extern)\b|= \{$|\[\] = \{$/;

/** Line counts of the functions of a file, without blank lines and comments. */
function* functions(text) {
  const lines = text.split("\n");
  for (let first = 0; first < lines.length; first++) {
    const indent = /^( {0,8})\S.*\{$/.exec(lines[first])?.[1];
    // The initializers of a constructor stand four columns in.
    const depth = lines[first].trimStart().startsWith(":") ? indent?.slice(4) : indent;
    if (depth === undefined || depth.length > 4 || NO_FUNCTION.test(lines[first]) || !isSignature(lines, first))
      continue;
    const last = lines.findIndex((line, k) => k > first && line.startsWith(`${depth}}`));
    const body = lines.slice(first, last + 1).filter((line) => !/^\s*(\/\/.*)?$/.test(line));
    yield { line: first + 1, count: body.length };
    first = last;
  }
}

/** Whether the brace at the end of this line ends the head of a function: a parenthesis closed there, and no statement before it. */
function isSignature(lines, at) {
  const head = lines[at];
  return (
    /\)(?: const| noexcept| override| final)*(?: ->.*)? \{$/.test(head) &&
    !/^\s*(?:if|for|while|switch|\}|else|do)\b/.test(head)
  );
}

let bad = 0;
let seen = 0;
for (const folder of ["core", "binding", "mpi"].map((name) => join(root, "native", name)))
  for (const name of readdirSync(folder, { recursive: true }).filter((entry) => /\.(cc|h)$/.test(String(entry)))) {
    const path = join(folder, String(name));
    for (const { line, count } of functions(readFileSync(path, "utf8"))) {
      seen++;
      if (count <= MOST) continue;
      bad++;
      console.error(`${relative(root, path)}:${line}: a function of ${count} lines; at most ${MOST}`);
    }
  }
// A check that finds no function has lost its way.
if (seen < 100) console.error(`only ${seen} functions found`);
process.exit(bad > 0 || seen < 100 ? 1 : 0);
