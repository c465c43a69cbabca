// Joins second derivatives that enter residuals in one fixed combination, as u_xx + u_yy does, to one channel: a channel less is less work in
// every layer of the network. compile-term.ts calls it.
import { derivative } from "../expression/derivative.js";
import { type Expression, name, namesIn, number, substitute } from "../expression/expression.js";
import { type Product, rawChannel, rawName } from "./raw-jets.js";

/** A second-order channel with the factor that it has in each residual. */
interface Linear {
  readonly called: string;
  readonly output: number;
  readonly products: readonly Product[];
  readonly factors: readonly number[];
}

/** The same residuals with fewer second-order channels. */
export function mergeSeconds(residuals: readonly Expression[]): Expression[] {
  const groups: Linear[][] = [];
  for (const linear of linearSeconds(residuals)) {
    const alike = groups.find(([first]) => first.output === linear.output && ratio(linear, first) !== null);
    if (alike === undefined) groups.push([linear]);
    else alike.push(linear);
  }
  const replacements = new Map<string, Expression>();
  for (const group of groups) {
    if (group.length === 1) continue;
    const [first, ...others] = group;
    const products = group.flatMap((linear) =>
      linear.products.map(([i, j, c]) => [i, j, c * ratio(linear, first)!] as const),
    );
    replacements.set(first.called, name(rawName(first.output, { kind: "second", products })));
    for (const { called } of others) replacements.set(called, number(0));
  }
  return replacements.size === 0 ? [...residuals] : residuals.map((e) => substitute(e, replacements));
}

/** The channels by which every residual has a constant derivative. */
function linearSeconds(residuals: readonly Expression[]): Linear[] {
  return [...namesIn(...residuals)].flatMap((called) => {
    const raw = rawChannel(called);
    if (raw?.channel.kind !== "second") return [];
    const slopes = residuals.map((e) => derivative(e, called));
    if (!slopes.every((slope) => slope.kind === "number")) return [];
    const { products } = raw.channel;
    return [{ called, output: raw.output, products, factors: slopes.map(({ value }) => value) }];
  });
}

/** How often `one` enters where `first` enters once; null where that differs between residuals. */
function ratio(one: Linear, first: Linear): number | null {
  const at = first.factors.findIndex((factor) => factor !== 0);
  const value = one.factors[at] / first.factors[at];
  return one.factors.every((factor, r) => factor === value * first.factors[r]) ? value : null;
}
