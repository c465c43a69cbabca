// The names by which residuals ask for derivatives of outputs: u, u_x, u_xx, u_xt, laplacian(u), laplacian(u, x, y). compile-term.ts reads
// residuals with them.
import { argumentError } from "../errors.js";
import { isObject } from "../options.js";

/** A derivative of an output: along no coordinate (its value), one, two, or the sum of the second derivatives along several. */
export interface Derivative {
  readonly output: number;
  readonly kind: "value" | "first" | "second" | "laplacian";
  /** The coordinates, by place: in order of their places for "second". */
  readonly along: readonly number[];
}

/** All names of derivatives, each with what it means. */
export class DerivativeNames {
  readonly #meanings = new Map<string, Derivative>();

  constructor(
    readonly outputs: readonly string[],
    readonly coordinates: readonly string[],
  ) {
    for (const [o, output] of outputs.entries()) {
      this.#add(output, { output: o, kind: "value", along: [] });
      for (const [i, x] of coordinates.entries()) {
        this.#add(`${output}_${x}`, { output: o, kind: "first", along: [i] });
        for (const [j, y] of coordinates.entries()) {
          // u_xt of one-letter coordinates, u_x_time where one is longer.
          const joint = x.length === 1 && y.length === 1 ? "" : "_";
          this.#add(`${output}_${x}${joint}${y}`, { output: o, kind: "second", along: [i, j].sort((a, b) => a - b) });
        }
      }
    }
  }

  /** The names, but for Laplacians. */
  get names(): string[] {
    return [...this.#meanings.keys()];
  }

  /** Examples of Laplacians. */
  get laplacians(): string[] {
    return this.outputs.flatMap((u) => [`laplacian(${u})`, `laplacian(${u}, ${this.coordinates.join(", ")})`]);
  }

  /** What to do about an unknown name that looks like a derivative; null for others. */
  advice(name: string): string | null {
    const output = this.outputs.find((u) => name.startsWith(`${u}_`));
    if (output === undefined) return null;
    const [x] = this.coordinates;
    const twice = x.length === 1 ? `${output}_${x}${x}` : `${output}_${x}_${x}`;
    return `derivatives of ${output} are named like ${output}_${x} and ${twice}, by ${this.coordinates.join(", ")}; for third ones name a second derivative as an output of its own`;
  }

  /** What a name means; null where it is none. */
  meaning(name: string): Derivative | null {
    return this.#meanings.get(name) ?? this.#laplacian(name);
  }

  #add(name: string, meaning: Derivative): void {
    const other = this.#meanings.get(name);
    if (other !== undefined)
      throw argumentError(
        "outputs",
        `and coordinates must not make one name of two derivatives: rename one of ${this.outputs} or ${this.coordinates}`,
        name,
      );
    this.#meanings.set(name, meaning);
  }

  /** "laplacian(u)" over all coordinates, "laplacian(u, x, y)" over some. */
  #laplacian(name: string): Derivative | null {
    const [, list] = /^laplacian\((.+)\)$/.exec(name) ?? [];
    const [output, ...along] = (list ?? "").split(",").map((part) => part.trim());
    const o = this.outputs.indexOf(output);
    const places =
      along.length === 0 ? this.coordinates.map((_, i) => i) : along.map((x) => this.coordinates.indexOf(x));
    if (o < 0 || places.includes(-1) || new Set(places).size < places.length) return null;
    return { output: o, kind: "laplacian", along: places.sort((a, b) => a - b) };
  }
}

/** Tests that no two things have one name. @throws GAUSSFLOW_ARGUMENT */
export function checkDistinct(names: readonly (readonly [name: string, what: string])[]): void {
  const seen = new Map<string, string>();
  for (const [name, what] of names) {
    const other = seen.get(name);
    if (other !== undefined)
      throw argumentError(what, `must have a name of its own: ${JSON.stringify(name)} is also of ${other}`, name);
    seen.set(name, what);
  }
}

/** A list of names, at least one. @throws GAUSSFLOW_ARGUMENT */
export function checkNameList(argument: string, names: unknown): asserts names is readonly string[] {
  if (!Array.isArray(names) || names.length === 0 || !Array.from(names).every((name) => typeof name === "string"))
    throw argumentError(argument, 'must be a list of names, such as ["u"]', names);
}

/** An object of finite numbers. @throws GAUSSFLOW_ARGUMENT */
export function checkNumbers(argument: string, numbers: unknown): asserts numbers is Readonly<Record<string, number>> {
  if (!isObject(numbers)) throw argumentError(argument, "must be an object of numbers by name", numbers);
  for (const [name, value] of Object.entries(numbers))
    if (typeof value !== "number" || !Number.isFinite(value))
      throw argumentError(`${argument}.${name}`, "must be a finite number", value);
}
