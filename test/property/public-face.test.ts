// The whole public face with arguments of the wrong kind, swapped, huge, missing: every function works or refuses with a GaussflowError.
// The functions are read off the module itself: a new export without an entry fails.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { describe as shown } from "../../src/errors.js";
import * as face from "../../src/index.js";
import { FACE_CALLS, type FaceCall } from "../helpers/face-calls.js";
import { fc, SEED as seed } from "../helpers/property.js";
import { type Change, change, changed, outcomeOf } from "../helpers/wrong.js";

const CALLS = Number(process.env.GAUSSFLOW_FUZZ_CALLS ?? 4500);

const CODES = ["ARGUMENT", "DATA", "FILE", "NO_NATIVE", "MEMORY", "BUSY", "STATE"].map((code) => `GAUSSFLOW_${code}`);

type Callable = (...args: unknown[]) => unknown;

const isClass = (value: unknown): value is Callable & { readonly prototype: object } =>
  typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));

const exported = new Map<string, unknown>(Object.entries(face));

/** Functions, constructors and methods of the public face. */
const names = [...exported].flatMap(([name, value]) => {
  if (!isClass(value)) return typeof value === "function" ? [name] : [];
  const methods = (holder: object) =>
    Object.entries(Object.getOwnPropertyDescriptors(holder))
      .filter(([key, { value: member }]) => key !== "constructor" && typeof member === "function")
      .map(([key]) => `${name}.${key}`);
  return [name, ...methods(value), ...methods(value.prototype)];
});

const runOf = (name: string, { of }: FaceCall) => {
  const [holder = "", method] = name.split(".");
  const value = exported.get(holder) as Callable;
  if (method === undefined)
    return (args: unknown[]) => (isClass(value) ? Reflect.construct(value, args) : value(...args));
  return (args: unknown[]) => {
    const receiver = of?.() as Record<string, Callable>;
    return receiver[method]!(...args);
  };
};

/** The reason of the signal that the calls are given. */
const isTimeout = (error: unknown) => error instanceof DOMException && error.name === "TimeoutError";

const complaint = (error: unknown): string | null => {
  if (error === null) return null;
  if (isTimeout(error)) return null;
  if (error instanceof face.GaussflowError && CODES.includes(error.code)) return null;
  return error instanceof Error ? `${error.stack?.split("\n").slice(0, 4).join(" ")}` : String(error);
};

/** Objects whose names are the caller's own, not options. */
const FREE = [
  "Network.withSummary.0",
  "equations.0",
  "equations.1.transform",
  "equations.1.constants",
  "equations.1.unknowns",
  "faces.0",
  "sample.0",
  "GaussflowError",
  "createEngine.0",
  // What crossValidate resolved with.
  "crossConformal.0",
];
/** What is wrong inside of the options of a job is that job's own error, in its result. */
const OF_A_JOB = /^(crossVal|restarts|sweep|trainMany).*\.options\../;
const isOptions = (value: unknown): value is object =>
  typeof value === "object" &&
  value !== null &&
  Object.getPrototypeOf(value) === Object.prototype &&
  !Object.isFrozen(value);

/** Paths to the plain objects in a list of arguments. */
function optionsIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (!isOptions(value) && !Array.isArray(value)) return [];
  const inner = Object.entries(value).flatMap(([key, one]) => optionsIn(one, [...path, key]));
  return isOptions(value) ? [path, ...inner] : inner;
}

beforeAll(() => process.chdir(mkdtempSync(join(tmpdir(), "gaussflow-fuzz-"))));

describe(`the public face, seed ${seed} (GAUSSFLOW_FUZZ_SEED)`, () => {
  it("is known here name by name", () => {
    expect(Object.keys(FACE_CALLS).sort()).toEqual([...names].sort());
  });

  it.each(names)("%s works with right arguments", async (name) => {
    const entry = FACE_CALLS[name]!;
    const error = await outcomeOf(() => runOf(name, entry)(entry.args()));
    if (entry.internal) expect(error).toMatchObject({ code: "GAUSSFLOW_ARGUMENT" });
    else if (!isTimeout(error)) expect(error).toBeNull();
  });

  it.each(names)("%s refuses an option that there is none of, in every object of options", async (name) => {
    const entry = FACE_CALLS[name]!;
    for (const path of optionsIn(entry.args())) {
      if (FREE.some((free) => `${name}.${path.join(".")}`.startsWith(free))) continue;
      if (OF_A_JOB.test(`${name}.${path.join(".")}`)) continue;
      const args = entry.args();
      let holder = args as unknown as Record<string, Record<string, unknown>>;
      for (const key of path) holder = holder[key] as typeof holder;
      (holder as Record<string, unknown>).foreign = 1;
      const error = await outcomeOf(() => runOf(name, entry)(args));
      expect(error, `${name}: ${path.join(".")}.foreign`).toMatchObject({ code: "GAUSSFLOW_ARGUMENT" });
    }
  });

  it.each(names)("%s refuses wrong kinds with a GaussflowError", async (name) => {
    const entry = FACE_CALLS[name]!;
    const found = new Set<string>();
    const each = Math.ceil(CALLS / names.length);
    for (const how of fc.sample(change, { seed, numRuns: each })) {
      const args = changed(entry.args(), how as Change);
      const error = complaint(await outcomeOf(() => runOf(name, entry)(args)));
      if (error !== null) found.add(`${name}(${args.map(shown).join(", ")}), ${JSON.stringify(how)}: ${error}`);
    }
    expect([...found]).toEqual([]);
  });
});
