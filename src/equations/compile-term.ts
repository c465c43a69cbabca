// Compiles the residuals of one term: which channels the jets need, the tape over them, and the tape that makes the jets of the network's
// inputs from coordinates. equations.ts calls it for every term, and field.ts for the derivatives of a field.
import { argumentError } from "../errors.js";
import { compile } from "../expression/compile.js";
import { derivative } from "../expression/derivative.js";
import { add, type Expression, multiply, namesIn, number, substitute } from "../expression/expression.js";
import { parseExpression } from "../expression/parse.js";
import type { Tape } from "../expression/tape.js";
import type { DerivativeNames } from "./derivative-names.js";
import type { JetChannels } from "./jet-problem.js";
import { mergeSeconds } from "./merge-seconds.js";
import { type Product, type RawChannel, type RawJets, rawChannel, rawName } from "./raw-jets.js";

/** What formulas of equations may refer to. */
export interface EquationNames {
  readonly coordinates: readonly string[];
  readonly derivatives: DerivativeNames;
  readonly constants: Readonly<Record<string, number>>;
  readonly unknowns: readonly string[];
}

/** A term without its points. */
export interface TermPlan {
  readonly channels: JetChannels;
  readonly residual: Tape;
  /** From the coordinates to the jets of the network's inputs: Q x d numbers. */
  readonly inputs: Tape;
  /** Names of the auxiliary numbers: coordinates and columns of the term's table. */
  readonly auxiliary: readonly string[];
}

/** Reads residuals in terms of raw channels, coordinates, columns and unknowns. */
export async function readResiduals(
  texts: readonly string[],
  names: EquationNames,
  columns: readonly string[],
  jets: RawJets,
  argument: string,
): Promise<Expression[]> {
  const { coordinates, derivatives, constants, unknowns } = names;
  const vocabulary = {
    names: [...derivatives.names, ...coordinates, ...columns, ...unknowns],
    calls: { isName: (text: string) => derivatives.meaning(text) !== null, examples: derivatives.laplacians },
    advice: (name: string) => derivatives.advice(name),
    declare: "declare it in options.constants or options.unknowns, or give it as a column of the term's points",
    constants,
  };
  for (const text of texts) checkResidual(text, argument);
  const read = await Promise.all(Array.from(texts, (text) => parseExpression(text, vocabulary, argument)));
  const meanings = [...namesIn(...read)].flatMap((called) => {
    const meaning = derivatives.meaning(called);
    return meaning === null ? [] : [[called, jets.formula(meaning)] as const];
  });
  const raw = new Map(meanings);
  return mergeSeconds(read.map((e) => substitute(e, raw)));
}

/** @throws GAUSSFLOW_ARGUMENT for an equation, which has two sides where a residual has one */
function checkResidual(text: unknown, argument: string): void {
  const sides = typeof text === "string" ? /^([^=<>!]+)=([^=]+)$/.exec(text) : null;
  if (sides === null) return;
  const [, left, right] = sides.map((side) => side.trim());
  throw argumentError(argument, `must be what shall be 0: write ${JSON.stringify(`${left} - (${right})`)}`, text);
}

/** The plan of a term with these residuals. */
export function planTerm(
  residuals: readonly Expression[],
  features: readonly Expression[],
  names: EquationNames,
  argument: string,
): TermPlan {
  const used = [...namesIn(...residuals)];
  const { list, channels } = channelsOf(used);
  const outputs = names.derivatives.outputs.flatMap((_, o) => list.map((channel) => rawName(o, channel)));
  const auxiliary = used.filter((called) => rawChannel(called) === null && !names.unknowns.includes(called)).sort();
  return {
    channels,
    residual: compile(residuals, [...outputs, ...auxiliary, ...names.unknowns], argument),
    inputs: compile(
      list.flatMap((channel) => features.map((feature) => ofFeature(feature, channel, names.coordinates))),
      names.coordinates,
      "options.features",
    ),
    auxiliary,
  };
}

/** The channels that some raw names need, each once: the value, first derivatives (also those behind second ones), and second-order channels. */
function channelsOf(used: readonly string[]): { list: readonly RawChannel[]; channels: JetChannels } {
  const raw = used.flatMap((called) => rawChannel(called)?.channel ?? []);
  const seconds = new Map<string, readonly Product[]>();
  const firsts = new Set<number>();
  for (const channel of raw) {
    if (channel.kind === "first") firsts.add(channel.along);
    if (channel.kind !== "second") continue;
    seconds.set(JSON.stringify(channel.products), channel.products);
    for (const [i, j] of channel.products) firsts.add(i).add(j);
  }
  const order = [...firsts].sort((a, b) => a - b);
  const place = (i: number) => order.indexOf(i);
  const list: RawChannel[] = [
    { kind: "value" },
    ...order.map((along) => ({ kind: "first", along }) as const),
    ...[...seconds.values()].map((products) => ({ kind: "second", products }) as const),
  ];
  const channels = {
    firsts: order.length,
    seconds: [...seconds.values()].map((products) => products.map(([i, j, c]) => [place(i), place(j), c] as const)),
  };
  return { list, channels };
}

/** A channel of an input of the network. */
function ofFeature(feature: Expression, channel: RawChannel, coordinates: readonly string[]): Expression {
  switch (channel.kind) {
    case "value":
      return feature;
    case "first":
      return derivative(feature, coordinates[channel.along]);
    case "second":
      return channel.products
        .map(([i, j, c]) => multiply(number(c), derivative(derivative(feature, coordinates[i]), coordinates[j])))
        .reduce(add);
    default:
      return channel satisfies never;
  }
}
