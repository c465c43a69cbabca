// Derivatives of an equation's outputs in terms of the network's own: where a transform makes u of the coordinates and the network's outputs,
// u_x and u_xx follow by the chain rule, as formulas. compile-term.ts puts them into residuals.
import { GaussflowError } from "../errors.js";
import { derivative } from "../expression/derivative.js";
import { add, type Expression, multiply, name, namesIn, number, substitute } from "../expression/expression.js";
import type { Derivative } from "./derivative-names.js";

/** A product of derivatives along coordinates: coefficient * d2 / dx_i dx_j with i <= j. */
export type Product = readonly [i: number, j: number, coefficient: number];

/** A number of a network's output jet. */
export type RawChannel =
  | { readonly kind: "value" }
  | { readonly kind: "first"; readonly along: number }
  | { readonly kind: "second"; readonly products: readonly Product[] };

/** The name, in expressions, of a channel of an output; no name of a user has a "~". */
export function rawName(output: number, channel: RawChannel): string {
  switch (channel.kind) {
    case "value":
      return `~${output}`;
    case "first":
      return `~${output} ${channel.along}`;
    case "second":
      return `~${output} ${JSON.stringify(channel.products)}`;
    default:
      return channel satisfies never;
  }
}

/** The output and channel of a name; null where it is none. */
export function rawChannel(called: string): { readonly output: number; readonly channel: RawChannel } | null {
  const [, output, rest] = /^~(\d+)(?: (.+))?$/.exec(called) ?? [];
  if (output === undefined) return null;
  if (rest === undefined) return { output: Number(output), channel: { kind: "value" } };
  const parsed = JSON.parse(rest) as number | Product[];
  const channel: RawChannel =
    typeof parsed === "number" ? { kind: "first", along: parsed } : { kind: "second", products: parsed };
  return { output: Number(output), channel };
}

/** The outputs as formulas: name and transform of each. */
export class RawJets {
  /** Each output in terms of coordinates and the raw values of the network's outputs. */
  readonly #values: readonly Expression[];

  /** @param transforms right sides in terms of the outputs' names, null for none */
  constructor(
    readonly coordinates: readonly string[],
    outputs: readonly string[],
    transforms: readonly (Expression | null)[],
  ) {
    const raw = new Map(outputs.map((output, o) => [output, name(rawName(o, { kind: "value" }))]));
    this.#values = outputs.map((output, o) => {
      const transform = transforms[o];
      return transform === null ? raw.get(output)! : substitute(transform, raw);
    });
  }

  /** A derivative of an output by raw channels, coordinates and whatever else its transform has. */
  formula({ output, kind, along }: Derivative): Expression {
    const value = this.#values[output];
    switch (kind) {
      case "value":
        return value;
      case "first":
        return this.#along(value, along[0]);
      case "second":
        return this.#along(this.#along(value, along[0]), along[1]);
      case "laplacian":
        return this.#laplacian(value, along);
      default:
        return kind satisfies never;
    }
  }

  /** The total derivative along a coordinate. */
  #along(e: Expression, i: number): Expression {
    let sum = number(0);
    for (const called of namesIn(e)) sum = add(sum, multiply(derivative(e, called), this.#ofName(called, i)));
    return sum;
  }

  #ofName(called: string, i: number): Expression {
    if (called === this.coordinates[i]) return number(1);
    const raw = rawChannel(called);
    if (raw === null) return number(0);
    const { output, channel } = raw;
    if (channel.kind === "value") return name(rawName(output, { kind: "first", along: i }));
    if (channel.kind !== "first") throw new GaussflowError("GAUSSFLOW_INTERNAL", "third derivatives are not formed");
    const [a, b] = [channel.along, i].sort((p, q) => p - q);
    return name(rawName(output, { kind: "second", products: [[a, b, 1]] }));
  }

  /**
   * The sum of second derivatives. Every d2/dx_i^2 of a raw output has the same factor, the derivative of the transform by that output, so that
   * its Laplacian is one channel.
   */
  #laplacian(value: Expression, along: readonly number[]): Expression {
    let sum = number(0);
    for (const i of along) {
      const second = this.#along(this.#along(value, i), i);
      const own = [...namesIn(second)].filter((called) => rawChannel(called)?.channel.kind === "second");
      sum = add(sum, substitute(second, new Map(own.map((called) => [called, number(0)]))));
    }
    for (const called of namesIn(value)) {
      const raw = rawChannel(called);
      if (raw === null) continue;
      const products = along.map((i) => [i, i, 1] as const);
      const channel = name(rawName(raw.output, { kind: "second", products }));
      sum = add(sum, multiply(derivative(value, called), channel));
    }
    return sum;
  }
}
