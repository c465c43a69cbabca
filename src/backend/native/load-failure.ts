// Explains why an addon that was found does not load, and how to fix it, from the message of the dynamic loader. load.ts calls it when
// loading fails.
import { installLibrary, type System } from "./system-libraries.js";

export interface LoadFailure {
  /** A phrase that follows "because". */
  readonly reason: string;
  /** A command, or a sentence in the imperative. */
  readonly hint: string;
}

/** What the loader threw, and the command that builds the addon here. */
export interface FailedLoad {
  readonly code: unknown;
  readonly message: string;
  readonly rebuild: string;
  readonly system: System;
}

/** A cause by its words: `null` where the words are others. */
type Reading = (failed: FailedLoad) => LoadFailure | null;

/** glibc, musl and dyld, in this order. */
const MISSING_LIBRARY = [
  /^(\S+): cannot open shared object file/m,
  /Error loading shared library (\S+): No such file/,
  /Library not loaded: (\S+)/,
];

const disabled: Reading = ({ code }) =>
  code === "ERR_DLOPEN_DISABLED"
    ? {
        reason: "this Node may not load addons: it was started with --no-addons, or with --permission alone",
        hint: "start Node without --no-addons (where --permission is wanted: with --allow-addons too)",
      }
    : null;

const library: Reading = ({ message, rebuild, system }) => {
  const name = MISSING_LIBRARY.map((words) => words.exec(message)?.[1]).find((found) => found !== undefined);
  if (name === undefined) return null;
  // glibc says this of the addon itself where it is for another processor; musl, of glibc's loader.
  if (name.endsWith(".node")) return elsewhere("was built for another processor", rebuild);
  if (/^ld-linux/.test(name)) return elsewhere("was built for glibc, and this system has musl", rebuild);
  return {
    reason: `the shared library ${name}, which the native engine needs, is not installed`,
    hint: installLibrary(name, system),
  };
};

const symbolVersion: Reading = ({ message, rebuild }) => {
  const version = /version [`'"]((?:GLIBC|GLIBCXX|CXXABI|OPENBLAS)[_A-Z0-9.]*)['"] not found/.exec(message)?.[1];
  return version === undefined
    ? null
    : elsewhere(`was built on a system with newer libraries (this one has no ${version})`, rebuild);
};

const otherSystem: Reading = ({ message, rebuild }) =>
  /invalid ELF header|wrong ELF class|not a mach-o file|incompatible architecture|not a valid Win32|file too short|Exec format/i.test(
    message,
  )
    ? elsewhere("was built for another system or processor, or is damaged", rebuild)
    : null;

const symbol: Reading = ({ message, rebuild }) => {
  const name = /undefined symbol: (\S+)|symbol not found.*?['"]?_?(\w+)|(\w+): symbol not found/i
    .exec(message)
    ?.slice(1)
    .find(Boolean);
  if (name === undefined) return null;
  return /^napi_/.test(name)
    ? { reason: `this Node is too old for the native engine (no ${name})`, hint: "update Node" }
    : elsewhere(`was linked with another BLAS or compiler than this system has (no ${name})`, rebuild);
};

/** One line of a message of several. */
export function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? message;
}

/** Never without an answer: words that are not known are repeated. */
export function explainLoadFailure(failed: FailedLoad): LoadFailure {
  for (const reading of [disabled, library, symbolVersion, otherSystem, symbol]) {
    const found = reading(failed);
    if (found !== null) return found;
  }
  return { reason: `the native engine does not load: ${firstLine(failed.message)}`, hint: failed.rebuild };
}

function elsewhere(how: string, rebuild: string): LoadFailure {
  return { reason: `the native engine ${how}`, hint: rebuild };
}
