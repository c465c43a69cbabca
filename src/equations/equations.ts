// Defines the public `equations`: residuals as text at sampled or given points become a JetProblem, which `train` minimizes. It puts together
// the parts of this folder; docs/equations.md explains them by examples.
import { argumentError } from "../errors.js";
import { type Expression, multiply, name as named, number, subtract } from "../expression/expression.js";
import { render } from "../expression/render.js";
import type { Network } from "../network/network.js";
import { checkNonNegative, checkOptionNames, isObject } from "../options.js";
import { Random } from "../random.js";
import { listed } from "../suggest.js";
import { planTerm, readResiduals, type TermPlan } from "./compile-term.js";
import { crowdedPlaces } from "./crowd.js";
import { type FieldDefinition, type ReadDefinition, readDefinition } from "./definition.js";
import { checkDistinct, checkNumbers } from "./derivative-names.js";
import type { EquationProblem, Renewal, ResidualsOf, TermPoints, Unknown } from "./equation-problem.js";
import { Field } from "./field.js";
import type { JetProblem } from "./jet-problem.js";
import { checkPoints, type DrawnPoints, drawPoints, type Points, rangeOf } from "./points.js";
import { termPoints } from "./term-points.js";

/** Residuals that shall be zero at some points. */
export interface EquationTerm {
  /**
   * The left side of an equation "... = 0", or a list of several, in terms of outputs (u), their derivatives (u_x, u_xx, u_xt, laplacian(u),
   * laplacian(u, x, y)), coordinates, constants, unknowns and columns of `points`.
   */
  readonly residual: string | readonly string[];
  /** Where: `sample(...)`, `faces(...)`, or arrays by name, such as measured values with their coordinates. */
  readonly points: Points;
  /** Weight of the mean of squares, one for all residuals of the term or one for each; default 1. */
  readonly weight?: number | readonly number[] | undefined;
}

/** What the terms share. */
export interface EquationsOptions {
  /** Names of the coordinates. Default: those of the boxes, in their order; needed where all points are tables. */
  readonly inputs?: readonly string[] | undefined;
  /** Names of the network's outputs. Default ["u"]. */
  readonly outputs?: readonly string[] | undefined;
  /** What the network sees, as formulas of the coordinates. Default: each coordinate, its range brought to [-1, 1]. */
  readonly features?: readonly string[] | undefined;
  /** Outputs as formulas of coordinates and the network's outputs, so that a condition holds exactly: { u: "x*(1 - x)*u" }. */
  readonly transform?: Readonly<Record<string, string>> | undefined;
  /** Fixed numbers by name. */
  readonly constants?: Readonly<Record<string, number>> | undefined;
  /** Numbers that are trained along with the network, with the values that they start from. */
  readonly unknowns?: Readonly<Record<string, number>> | undefined;
}

interface CompiledTerm {
  readonly name: string;
  readonly plan: TermPlan;
  readonly points: DrawnPoints | ReadonlyMap<string, Float64Array>;
  readonly weights: readonly number[];
}

/**
 * Reads equations. Training minimizes the sum over terms of weight times the mean of squared residuals over the points.
 *
 * @param terms residuals and their points, by name
 * @throws GAUSSFLOW_ARGUMENT that names the wrong formula, its place and what is known there
 * @example
 * const burgers = await equations(
 *   {
 *     inside: { residual: "u_t + u*u_x - nu*u_xx", points: sample({ x: [-1, 1], t: [0, 1] }, 4096), weight: 0.1 },
 *     start: { residual: "u + sin(pi*x)", points: sample({ x: [-1, 1], t: 0 }, 512) },
 *   },
 *   { features: ["cos(pi*x)", "sin(pi*x)", "t"], constants: { nu: 0.01 / Math.PI } },
 * );
 */
export async function equations(
  terms: Readonly<Record<string, EquationTerm>>,
  options: EquationsOptions = {},
): Promise<Equations> {
  checkOptionNames("options", options, ["inputs", "outputs", "features", "transform", "constants", "unknowns"]);
  if (!isObject(terms) || Object.keys(terms).length === 0)
    throw argumentError("terms", "must be an object of at least one term", terms);
  const points = Object.entries(terms).map(([name, term]) => {
    checkOptionNames(`terms.${name}`, term, ["residual", "points", "weight"]);
    return checkPoints(`terms.${name}.points`, term.points);
  });
  const inputs = options.inputs ?? boxNames(points);
  const unknowns = options.unknowns ?? {};
  checkNumbers("options.unknowns", unknowns);
  const definition: FieldDefinition = {
    inputs,
    outputs: options.outputs ?? ["u"],
    features: options.features ?? scaledCoordinates(inputs, points),
    transform: options.transform ?? {},
    constants: options.constants ?? {},
    unknowns: Object.keys(unknowns),
  };
  const read = await readDefinition(definition);
  const compiled: CompiledTerm[] = [];
  for (const [t, [name, term]] of Object.entries(terms).entries())
    compiled.push(await compileTerm(name, term, points[t], read));
  checkUsed(Object.keys(unknowns), compiled);
  return new Equations(
    read,
    compiled,
    Object.entries(unknowns).map(([name, start]) => ({ name, start })),
  );
}

/** @throws GAUSSFLOW_ARGUMENT for an unknown that no residual depends on: nothing could find it */
function checkUsed(unknowns: readonly string[], terms: readonly CompiledTerm[]): void {
  const used = unknowns.map(() => false);
  for (const { residual } of terms.map(({ plan }) => plan)) {
    const first = residual.inputs - unknowns.length;
    const registers = new Set([...residual.code.filter((_, at) => at % 3 > 0), ...residual.outputs]);
    for (const k of unknowns.keys()) if (registers.has(first + k)) used[k] = true;
  }
  const idle = unknowns.filter((_, k) => !used[k]);
  if (idle.length > 0)
    throw argumentError(
      "options.unknowns",
      "must each appear in a residual, for nothing else determines them",
      listed(idle),
    );
}

/** Equations that are read, ready for `train`. */
export class Equations implements EquationProblem<Field> {
  /** Coordinates, outputs, features, transforms and constants: plain JSON. */
  readonly definition: FieldDefinition;
  /** The residuals at the first points. */
  readonly jets: JetProblem;
  /** The unknowns, with where they start. */
  readonly unknowns: readonly Unknown[];
  /** How points are drawn anew, for the terms that ask for it. */
  readonly renewals: readonly Renewal[];
  /** All that it was made from, as text: a checkpoint belongs to the same. */
  readonly description: string;
  readonly #read: ReadDefinition;
  readonly #terms: readonly CompiledTerm[];

  /** Use `equations(...)`. */
  constructor(read: ReadDefinition, terms: readonly CompiledTerm[], unknowns: readonly Unknown[]) {
    this.definition = read.definition;
    this.unknowns = unknowns;
    this.#read = read;
    this.#terms = terms;
    const arrays = terms.map((_, t) => this.#firstPoints(t));
    const rows = terms.reduce((sum, { weights }, t) => sum + weights.length * arrays[t].points, 0);
    this.jets = {
      unknownCount: unknowns.length,
      terms: terms.map(({ name, plan, weights }, t) => ({
        name,
        channels: plan.channels,
        ...arrays[t],
        auxiliaryCount: plan.auxiliary.length,
        residual: plan.residual,
        // The mean over all rows is then the sum of the terms' weighted means.
        factors: weights.map((weight) => Math.sqrt((weight * rows) / arrays[t].points)),
      })),
    };
    this.renewals = terms.flatMap(({ points }, t) =>
      "kind" in points && points.renew > 0 ? [this.#renewal(t, points)] : [],
    );
    this.description = JSON.stringify({
      definition: this.definition,
      unknowns,
      terms: terms.map(({ name, points }) => [name, "kind" in points ? points : "table"]),
    });
  }

  /** Inputs that the network must have: the features. */
  get inputSize(): number {
    return this.definition.features.length;
  }

  /** Outputs that the network must have. */
  get outputSize(): number {
    return this.definition.outputs.length;
  }

  /** @throws GAUSSFLOW_ARGUMENT where the network has other inputs or outputs than the equations need */
  checkNetwork(network: Network): void {
    const { inputSize, outputSize } = this;
    if (network.inputSize === inputSize && network.outputSize === outputSize) return;
    const { features, outputs } = this.definition;
    const layers = [
      inputSize,
      ...network.architecture.layers.slice(0, -1).map((layer) => layer.outputSize),
      outputSize,
    ];
    throw argumentError(
      "network",
      `must have ${inputSize} inputs (${listed(features)}) and ${outputSize} outputs (${listed(outputs)}), such as layers: [${layers.join(", ")}]`,
      `${network.inputSize} inputs and ${network.outputSize} outputs`,
    );
  }

  /** The trained network in the terms of the equations. */
  field(network: Network, unknowns: Float64Array, residuals: ResidualsOf): Field {
    this.checkNetwork(network);
    return new Field(this.#read, network, unknowns, residuals);
  }

  #renewal(term: number, points: DrawnPoints): Renewal {
    return {
      term,
      every: points.renew,
      points: (round) => this.#drawn(term, points, points.crowd * points.count, round),
      choose:
        points.crowd === 1
          ? null
          : (round, sizes) => crowdedPlaces(sizes.map(Math.sqrt), points.count, this.#random(term, points, round, 1)),
    };
  }

  #firstPoints(t: number): TermPoints {
    const { name, plan, points } = this.#terms[t];
    if ("kind" in points) return this.#drawn(t, points, points.count, 0);
    return termPoints(plan, this.definition.inputs, points, `terms.${name}.points`);
  }

  #drawn(t: number, points: DrawnPoints, count: number, round: number): TermPoints {
    const { inputs } = this.definition;
    const table = drawPoints(points, count, inputs, this.#random(t, points, round, 0));
    return termPoints(this.#terms[t].plan, inputs, table, "options.features");
  }

  /** A stream of random numbers of its own for each term, round and use. */
  #random(term: number, { seed }: DrawnPoints, round: number, use: 0 | 1): Random {
    return new Random(seed, 2 * (round * this.#terms.length + term) + use);
  }
}

async function compileTerm(
  name: string,
  { residual, weight = 1 }: EquationTerm,
  points: DrawnPoints | ReadonlyMap<string, Float64Array>,
  { names, features, jets }: ReadDefinition,
): Promise<CompiledTerm> {
  const argument = `terms.${name}.residual`;
  const texts = typeof residual === "string" ? [residual] : residual;
  if (!Array.isArray(texts) || texts.length === 0)
    throw argumentError(argument, "must be a formula, or a list of at least one", residual);
  const weights = typeof weight === "number" ? texts.map(() => weight) : weight;
  if (!Array.isArray(weights) || weights.length !== texts.length)
    throw argumentError(`terms.${name}.weight`, `must be a number, or a list of ${texts.length}`, weight);
  Array.from(weights).forEach((one) => {
    checkNonNegative(`terms.${name}.weight`, one);
  });
  const given = "kind" in points ? Object.keys(points.box) : [...points.keys()];
  const missing = names.coordinates.find((x) => !given.includes(x));
  if (missing !== undefined)
    throw argumentError(`terms.${name}.points`, `must have the coordinate ${missing}`, given.join(", "));
  const columns = given.filter((column) => !names.coordinates.includes(column));
  if ("kind" in points && columns.length > 0)
    throw argumentError(
      `terms.${name}.points`,
      `must have the coordinates ${names.coordinates.join(", ")}`,
      columns[0],
    );
  checkDistinct([
    ...[...names.derivatives.names, ...names.unknowns, ...Object.keys(names.constants)].map(
      (n) => [n, "options"] as const,
    ),
    ...columns.map((column) => [column, `terms.${name}.points`] as const),
  ]);
  const residuals = await readResiduals(texts, names, columns, jets, argument);
  return { name, plan: planTerm(residuals, features, names, argument), points, weights };
}

/** The coordinates of all boxes, each once. */
function boxNames(points: readonly (DrawnPoints | ReadonlyMap<string, Float64Array>)[]): string[] {
  const names = [...new Set(points.flatMap((one) => ("kind" in one ? Object.keys(one.box) : [])))];
  if (names.length === 0)
    throw argumentError(
      "options.inputs",
      "must name the coordinates where no points are sample(...) or faces(...)",
      undefined,
    );
  return names;
}

/** Each coordinate with its range over all points brought to [-1, 1]. */
function scaledCoordinates(
  inputs: readonly string[],
  points: readonly (DrawnPoints | ReadonlyMap<string, Float64Array>)[],
): string[] {
  return inputs.map((x) => {
    const ranges = points.flatMap((one) => [rangeOf(one, x)].filter((range) => range !== null));
    if (ranges.length === 0) return x; // The error of the missing coordinate names the term.
    const low = Math.min(...ranges.map(([least]) => least));
    const high = Math.max(...ranges.map(([, most]) => most));
    const half = high > low ? (high - low) / 2 : 1;
    const centered: Expression = subtract(named(x), number(low / 2 + high / 2));
    return render(multiply(centered, number(1 / half)));
  });
}
