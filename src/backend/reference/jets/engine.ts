// The reference jet engine: residuals with derivatives of a network by its inputs, in plain TypeScript on one thread. It is the oracle for
// tests of the native jet engine, and the fallback if that is missing. create.ts makes it.
//
// With r the residuals, factors in:   loss |r|^2 / 2      gradient J^T r      G = J^T J      acceleration by J^T r_vv

import { channelCount, type JetChannels, type JetProblem } from "../../../equations/jet-problem.js";
import { argumentError, GaussflowError } from "../../../errors.js";
import type { Pace } from "../../../event-loop-yield.js";
import type { Architecture } from "../../../network/architecture.js";
import { checkChannels, checkJetProblem, checkTermPoints } from "../../check-jets.js";
import type {
  Accelerated,
  Evaluation,
  Failure,
  Linearized,
  LinearizeRequest,
  NonFinite,
  Solved,
  SolveRequest,
} from "../../engine.js";
import {
  checkJetRequest,
  type JetEngine,
  type JetEngineFactory,
  nonFiniteResidual,
  rowCount,
} from "../../jet-engine.js";
import type { Eigen } from "../../network-engine.js";
import { raiseFinite } from "../accumulate.js";
import { Calls } from "../calls.js";
import { checkArray, checkNonNegative, checkScaling, checkSpan } from "../checks.js";
import { cosine } from "../measure.js";
import { JetGram } from "./gram.js";
import { bentGradient, jacobianRows, jetsAt, linearizeJets, pointOf, residualsOf } from "./sums.js";
import { TermBlocks } from "./term.js";

/** A jet engine on the plain TypeScript passes. @throws GAUSSFLOW_ARGUMENT as `checkJetProblem` */
export const createReferenceJetEngine: JetEngineFactory = (architecture, problem) => {
  checkJetProblem(architecture, problem);
  return new ReferenceJetEngine(architecture, problem);
};

/** Where the engine linearized. */
interface Held {
  readonly parameters: Float64Array;
  readonly gradient: Float64Array;
}

class ReferenceJetEngine implements JetEngine {
  readonly kind = "reference";
  readonly threads = 1;
  readonly outputSize = 1;
  readonly exactOnly = true;
  readonly sampleCount: number;
  readonly parameterCount: number;
  readonly layerCount: number;
  readonly #architecture: Architecture;
  readonly #problem: JetProblem;
  readonly #terms: readonly TermBlocks[];
  readonly #gram: JetGram;
  readonly #calls = new Calls();
  #held: Held | null = null;

  constructor(architecture: Architecture, problem: JetProblem) {
    const { terms, unknownCount } = problem;
    this.#architecture = architecture;
    this.#problem = problem;
    this.#terms = terms.map((term) => new TermBlocks(architecture, term, unknownCount));
    this.sampleCount = rowCount(problem);
    this.parameterCount = architecture.parameterCount + unknownCount;
    this.layerCount = architecture.layers.length;
    this.#gram = new JetGram(this.parameterCount);
  }

  get held() {
    return this.#held === null ? ("none" as const) : ("primal" as const);
  }

  evaluate(parameters: Float64Array, signal?: AbortSignal): Promise<Evaluation | Failure> {
    return this.#calls.run(signal, async (pace) => {
      const own = this.#checked(parameters);
      const residuals = await this.#residuals(own, pace);
      const loss = halfSquare(residuals);
      return Number.isFinite(loss) ? { ok: true, loss } : this.#nonFinite(own, residuals, "loss");
    });
  }

  residuals(parameters: Float64Array, signal?: AbortSignal): Promise<Float64Array> {
    return this.#calls.run(signal, (pace) => this.#residuals(this.#checked(parameters), pace));
  }

  linearize(parameters: Float64Array, request: LinearizeRequest, signal?: AbortSignal): Promise<Linearized | Failure> {
    return this.#calls.run(signal, (pace) => this.#linearize(this.#checked(parameters), request, pace));
  }

  async #linearize(parameters: Float64Array, request: LinearizeRequest, pace: Pace): Promise<Linearized | Failure> {
    checkJetRequest(request);
    const { curvature, decay, scaling } = request; // the caller may write to his while the event loop turns
    checkNonNegative("decay", decay);
    checkScaling(scaling, curvature === "none" ? 0 : this.parameterCount);
    const start = performance.now();
    this.#held = null;
    const matrix = curvature === "none" ? null : this.#gram.begin();
    if (matrix !== null && "code" in matrix) return matrix;
    const sizes = { rows: this.sampleCount, parameters: this.parameterCount };
    const sums = await linearizeJets(this.#terms, pointOf(this.#architecture, parameters), sizes, matrix, pace);
    const { residuals, gradient, diagonal, curvatureSeconds } = sums;
    const loss = halfSquare(residuals);
    if (!Number.isFinite(loss)) return this.#nonFinite(parameters, residuals, "loss");
    if (!gradient.every(Number.isFinite)) return this.#nonFinite(parameters, residuals, "gradient");
    if (matrix !== null && !raiseFinite(scaling, diagonal)) return this.#nonFinite(parameters, residuals, "curvature");
    const gradientCosine = matrix === null ? Number.NaN : cosine(gradient, diagonal, Math.sqrt(2 * loss));
    if (decay > 0) for (let j = 0; j < gradient.length; j++) gradient[j] += decay * parameters[j];
    if (matrix !== null) this.#held = { parameters, gradient: gradient.slice() };
    const passes = (performance.now() - start) / 1000 - curvatureSeconds;
    return { ok: true, loss, gradient, gradientCosine, seconds: { passes, curvature: curvatureSeconds } };
  }

  solve(request: SolveRequest, signal?: AbortSignal): Promise<Solved | Failure> {
    return this.#calls.run(signal, async (pace) => {
      const start = performance.now();
      const solved = await this.#gram.solve(request, this.#linearized().gradient, pace);
      if ("code" in solved) return solved;
      if (!solved.step.every(Number.isFinite)) return notFinite("step");
      return { ...solved, seconds: (performance.now() - start) / 1000 };
    });
  }

  accelerate(
    velocity: Float64Array,
    _scaling: Float64Array | null,
    signal?: AbortSignal,
  ): Promise<Accelerated | Failure> {
    return this.#calls.run(signal, async (pace) => {
      const start = performance.now();
      checkArray("velocity", velocity, this.parameterCount);
      const { parameters } = this.#linearized();
      const [at, along] = [parameters, velocity].map((vector) => pointOf(this.#architecture, vector));
      const right = await bentGradient(this.#terms, at, along, this.parameterCount, pace);
      for (let j = 0; j < right.length; j++) right[j] = -right[j];
      const acceleration = await this.#gram.solveAgain(right, pace);
      if (!acceleration.every(Number.isFinite)) return notFinite("step");
      return { ok: true, acceleration, seconds: (performance.now() - start) / 1000 };
    });
  }

  curvatureProduct(vectors: Float64Array, signal?: AbortSignal): Promise<Float64Array> {
    return this.#calls.run(signal, async () => {
      this.#linearized();
      return this.#gram.multiply(vectors);
    });
  }

  dampedInverse(vector: Float64Array, signal?: AbortSignal): Promise<Float64Array | Failure> {
    return this.#calls.run(signal, async () => finiteOr(this.#gram.applyInverse(vector)));
  }

  curvatureInverse(vector: Float64Array, shift: number, signal?: AbortSignal): Promise<Float64Array | Failure> {
    return this.#calls.run(signal, async (pace) => {
      this.#linearized();
      checkNonNegative("shift", shift);
      return finiteOr(await this.#gram.inverse(vector, shift, pace));
    });
  }

  async curvature(into?: Float64Array): Promise<Float64Array> {
    this.#calls.idle();
    this.#linearized();
    return this.#gram.dense(into);
  }

  eigen(vectors: boolean, signal?: AbortSignal): Promise<Eigen> {
    return this.#calls.run(signal, (pace) => {
      this.#linearized();
      return this.#gram.eigen(vectors, pace);
    });
  }

  jacobian(parameters: Float64Array, first: number, count: number, signal?: AbortSignal): Promise<Float64Array> {
    return this.#calls.run(signal, (pace) => {
      checkSpan(first, count, this.sampleCount);
      const point = pointOf(this.#architecture, this.#checked(parameters));
      return jacobianRows(this.#terms, point, { first, count, parameters: this.parameterCount }, pace);
    });
  }

  outputJets(
    parameters: Float64Array,
    channels: JetChannels,
    inputs: Float64Array,
    signal?: AbortSignal,
  ): Promise<Float64Array> {
    return this.#calls.run(signal, (pace) => {
      checkChannels("channels", channels);
      const width = channelCount(channels) * this.#architecture.inputSize;
      if (!(inputs instanceof Float64Array) || inputs.length === 0 || inputs.length % width !== 0)
        throw argumentError("inputs", `must be a Float64Array of one or more points of ${width} numbers`, inputs);
      return jetsAt(this.#architecture, this.#checked(parameters), channels, inputs.slice(), pace);
    });
  }

  loadTerm(term: number, inputs: Float64Array, auxiliary: Float64Array): void {
    this.#calls.idle();
    const blocks = this.#terms[term];
    if (blocks === undefined)
      throw argumentError("term", `must be a whole number from 0 to ${this.#terms.length - 1}`, term);
    checkTermPoints("term", blocks.term, this.#architecture.inputSize, { inputs, auxiliary });
    this.#held = null;
    blocks.load(inputs, auxiliary);
  }

  bytes(): number {
    return this.#terms.reduce((sum, { bytes }) => sum + bytes, this.#gram.bytes);
  }

  dispose(): void {
    this.#calls.dispose();
    this.#held = null;
    this.#gram.release();
  }

  #residuals(parameters: Float64Array, pace: Pace): Promise<Float64Array> {
    return residualsOf(this.#terms, pointOf(this.#architecture, parameters), this.sampleCount, pace);
  }

  #nonFinite(parameters: Float64Array, residuals: Float64Array, what: NonFinite["what"]): Failure {
    return nonFiniteResidual(this.#problem, parameters, residuals, what);
  }

  #linearized(): Held {
    if (this.#held === null)
      throw new GaussflowError("GAUSSFLOW_STATE", "there is no curvature: linearize with primal first");
    return this.#held;
  }

  #checked(parameters: Float64Array): Float64Array {
    checkArray("parameters", parameters, this.parameterCount);
    return parameters.slice();
  }
}

function halfSquare(residuals: Float64Array): number {
  let sum = 0;
  for (const value of residuals) sum += value * value;
  return sum / 2;
}

function notFinite(what: NonFinite["what"]): Failure {
  return { code: "non-finite", where: { what }, message: `the ${what} is not finite` };
}

function finiteOr(x: Float64Array | Failure): Float64Array | Failure {
  return "code" in x || x.every(Number.isFinite) ? x : notFinite("step");
}
