// Renews the points of equations between iterations, as the loop asks for it (renewal.ts): drawn anew by the round, or chosen among more of them
// by the size of their residuals. A resumed run has the same points: they follow from the round and, where they were chosen, from the
// parameters at that time, which checkpoints hold.

import type { JetEngine } from "../backend/jet-engine.js";
import type { EquationProblem, Renewal, TermPoints } from "../equations/equation-problem.js";
import type { JetProblem } from "../equations/jet-problem.js";
import { GaussflowError } from "../errors.js";
import type { DataRenewal } from "./renewal.js";

/** Makes an engine for another problem of the same network. */
type EngineMaker = (problem: JetProblem) => JetEngine;

export class RenewedPoints implements DataRenewal {
  readonly #problem: EquationProblem;
  readonly #engine: JetEngine;
  readonly #make: EngineMaker;
  /** For each renewal that chooses its points the parameters at its last one. */
  #held: Float64Array;

  /** @param engine whose points are replaced   @param make for the residuals at points to choose from */
  constructor(problem: EquationProblem, engine: JetEngine, make: EngineMaker) {
    this.#problem = problem;
    this.#engine = engine;
    this.#make = make;
    this.#held = new Float64Array(heldLength(problem, engine.parameterCount));
  }

  get held(): Float64Array {
    return this.#held;
  }

  due(iteration: number): boolean {
    return iteration > 0 && this.#problem.renewals.some(({ every }) => iteration % every === 0);
  }

  async renew(iteration: number, parameters: Float64Array, signal: AbortSignal): Promise<void> {
    const held = this.#held.slice();
    let place = 0;
    for (const renewal of this.#problem.renewals) {
      const due = iteration % renewal.every === 0;
      if (renewal.choose !== null) {
        if (due) held.set(parameters, place);
        place += parameters.length;
      }
      if (due) await this.#load(renewal, iteration / renewal.every, parameters, signal);
    }
    this.#held = held;
  }

  /** The points as they were at this boundary of an iteration, before a renewal that is due there. `held`: of the snapshot. */
  async restore(iteration: number, held: Float64Array, signal: AbortSignal | undefined): Promise<void> {
    const p = this.#engine.parameterCount;
    let place = 0;
    for (const renewal of this.#problem.renewals) {
      const parameters = held.subarray(place, place + p);
      if (renewal.choose !== null) place += p;
      const round = Math.floor(Math.max(0, iteration - 1) / renewal.every);
      if (round > 0) await this.#load(renewal, round, parameters, signal);
    }
    this.#held = held;
  }

  async #load(
    renewal: Renewal,
    round: number,
    parameters: Float64Array,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const term = this.#problem.jets.terms[renewal.term];
    const given = renewal.points(round);
    if (renewal.choose === null) {
      this.#engine.loadTerm(renewal.term, given.inputs, given.auxiliary);
      return;
    }
    const sizes = await this.#sizes(renewal.term, given, parameters, signal);
    const chosen = renewal.choose(round, sizes);
    if (chosen.length !== term.points)
      throw new GaussflowError("GAUSSFLOW_INTERNAL", `${chosen.length} points were chosen in place of ${term.points}`);
    const inputWidth = given.inputs.length / given.points;
    const inputs = rowsOf(given.inputs, inputWidth, chosen);
    this.#engine.loadTerm(renewal.term, inputs, rowsOf(given.auxiliary, term.auxiliaryCount, chosen));
  }

  /** Sum of the squares of the residuals of each point; where one is not finite 0, so that it is not chosen for its size. */
  async #sizes(
    place: number,
    given: TermPoints,
    parameters: Float64Array,
    signal: AbortSignal | undefined,
  ): Promise<Float64Array> {
    const { terms, unknownCount } = this.#problem.jets;
    const engine = this.#make({ terms: [{ ...terms[place], ...given }], unknownCount });
    try {
      const residuals = await engine.residuals(parameters, signal);
      const width = residuals.length / given.points;
      return Float64Array.from({ length: given.points }, (_, i) => {
        let sum = 0;
        for (let r = 0; r < width; r++) sum += residuals[i * width + r] ** 2;
        return Number.isFinite(sum) ? sum : 0;
      });
    } finally {
      engine.dispose();
    }
  }
}

/** Numbers of `held` for p parameters. */
export function heldLength({ renewals }: EquationProblem, p: number): number {
  return p * renewals.filter(({ choose }) => choose !== null).length;
}

function rowsOf(table: Float64Array, width: number, rows: Uint32Array): Float64Array {
  const out = new Float64Array(rows.length * width);
  rows.forEach((row, i) => {
    out.set(table.subarray(row * width, (row + 1) * width), i * width);
  });
  return out;
}
