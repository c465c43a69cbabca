// Implements the JetEngine interface by the addon: turns requests into calls of its NativeJetEngine and failures of those into `Failure`
// values. create-jets.ts creates it.
import { channelCount, type JetChannels, type JetProblem } from "../../equations/jet-problem.js";
import { argumentError, GaussflowError } from "../../errors.js";
import { squaredError } from "../../loss/squared-error.js";
import type { Architecture } from "../../network/architecture.js";
import { checkChannels, checkJetProblem, checkTermPoints } from "../check-jets.js";
import type {
  Accelerated,
  Evaluation,
  Failure,
  Linearized,
  LinearizeRequest,
  Solved,
  SolveRequest,
} from "../engine.js";
import { NO_FACTOR } from "../engine.js";
import { checkJetRequest, type JetEngine, type JetEngineFactory, nonFiniteResidual, rowCount } from "../jet-engine.js";
import { checkCorrection } from "../low-rank.js";
import type { Eigen } from "../network-engine.js";
import { failureOf, nonFiniteOf } from "./answers.js";
import { isFailure, type NativeFailure, type NativeJetEngineObject } from "./binding.js";
import { NativeCalls } from "./calls.js";
import { unlessMisused, withCode } from "./coded-error.js";
import { nativeChannels, nativeJetTerm, nativeNetwork } from "./description.js";
import { loadNative } from "./load.js";

/** A jet engine on the addon. @throws GAUSSFLOW_NO_NATIVE where that cannot be loaded, GAUSSFLOW_ARGUMENT as `checkJetProblem` */
export const createNativeJetEngine: JetEngineFactory = (architecture, problem, options = {}) => {
  checkJetProblem(architecture, problem);
  return new NativeJetEngine(architecture, problem, options.threads ?? 1);
};

class NativeJetEngine implements JetEngine {
  readonly kind = "native";
  readonly outputSize = 1;
  readonly exactOnly = true;
  readonly sampleCount: number;
  readonly parameterCount: number;
  readonly layerCount: number;
  readonly threads: number;
  readonly #architecture: Architecture;
  /** Without points of its own: those of the terms may change. */
  readonly #problem: JetProblem;
  readonly #object: NativeJetEngineObject;
  readonly #calls: NativeCalls<NativeJetEngineObject>;
  #held: "none" | "primal" = "none";
  readonly #linearizedAt = () => this.#plain(withCode(() => this.#object.parameters()));

  constructor(architecture: Architecture, problem: JetProblem, threads: number) {
    const native = loadNative();
    if (!native.ok)
      throw new GaussflowError("GAUSSFLOW_NO_NATIVE", `the native engine is not available: ${native.reason}`);
    const none = new Float64Array(0);
    this.#architecture = architecture;
    this.#problem = { ...problem, terms: problem.terms.map((term) => ({ ...term, inputs: none, auxiliary: none })) };
    this.sampleCount = rowCount(problem);
    this.parameterCount = architecture.parameterCount + problem.unknownCount;
    this.layerCount = architecture.layers.length;
    this.threads = threads;
    this.#object = withCode(
      () =>
        new native.binding.NativeJetEngine(
          nativeNetwork(architecture, squaredError(), 1),
          problem.terms.map(nativeJetTerm),
          problem.unknownCount,
          threads,
        ),
    );
    this.#calls = new NativeCalls(this.#object);
  }

  get held(): "none" | "primal" {
    return this.#held;
  }

  async evaluate(parameters: Float64Array, signal?: AbortSignal): Promise<Evaluation | Failure> {
    const answer = await this.#calls.run((native) => native.evaluate(parameters), signal);
    return typeof answer === "number" ? { ok: true, loss: answer } : this.#failure(answer, () => parameters, signal);
  }

  async linearize(
    parameters: Float64Array,
    request: LinearizeRequest,
    signal?: AbortSignal,
  ): Promise<Linearized | Failure> {
    checkJetRequest(request);
    const { curvature, decay, scaling, gradient = null } = request;
    const answer = await this.#calls.run((native) => {
      const state = curvature === "none" ? null : scaling;
      const running = native.linearize(parameters, curvature === "none" ? 0 : 1, decay, state, gradient);
      // The call was not refused: from here on the curvature of before is gone.
      this.#held = "none";
      return running;
    }, signal);
    if (isFailure(answer)) return this.#failure(answer, () => parameters, signal);
    this.#held = curvature === "none" ? "none" : "primal";
    if (answer.scaling !== null) scaling?.set(answer.scaling);
    const { loss, gradientCosine, passSeconds: passes } = answer;
    const seconds = { passes, curvature: answer.curvatureSeconds };
    return { ok: true, loss, gradient: answer.gradient, gradientCosine, seconds };
  }

  async solve(request: SolveRequest, signal?: AbortSignal): Promise<Solved | Failure> {
    const start = performance.now();
    const { damping, decay, scaling, condition, correction = null } = request;
    checkCorrection(correction, this.#held, "double", condition === true, this.parameterCount);
    const { left = null, right = null } = correction ?? {};
    const answer = await this.#calls.run(
      (native) => native.solve(damping, decay, scaling, condition === true, left, right, request.step ?? null),
      signal,
    );
    if (isFailure(answer)) return this.#failure(answer, this.#linearizedAt, signal);
    return { ok: true, ...answer, seconds: (performance.now() - start) / 1000 };
  }

  async accelerate(
    velocity: Float64Array,
    _scaling: Float64Array | null,
    signal?: AbortSignal,
    into?: Float64Array,
  ): Promise<Accelerated | Failure> {
    const start = performance.now();
    const answer = await this.#calls.run((native) => native.accelerate(velocity, into ?? null), signal);
    if (isFailure(answer)) return this.#failure(answer, this.#linearizedAt, signal);
    return { ok: true, acceleration: answer, seconds: (performance.now() - start) / 1000 };
  }

  async residuals(parameters: Float64Array, signal?: AbortSignal): Promise<Float64Array> {
    return this.#plain(await this.#calls.run((native) => native.residuals(parameters), signal));
  }

  async jacobian(parameters: Float64Array, first: number, count: number, signal?: AbortSignal): Promise<Float64Array> {
    return this.#plain(await this.#calls.run((native) => native.jacobian(parameters, first, count), signal));
  }

  async outputJets(
    parameters: Float64Array,
    channels: JetChannels,
    inputs: Float64Array,
    signal?: AbortSignal,
  ): Promise<Float64Array> {
    checkChannels("channels", channels);
    const width = channelCount(channels) * this.#architecture.inputSize;
    if (!(inputs instanceof Float64Array) || inputs.length === 0 || inputs.length % width !== 0)
      throw argumentError("inputs", `must be a Float64Array of one or more points of ${width} numbers`, inputs);
    return this.#plain(
      await this.#calls.run((native) => native.outputJets(parameters, nativeChannels(channels), inputs), signal),
    );
  }

  loadTerm(term: number, inputs: Float64Array, auxiliary: Float64Array): void {
    this.#calls.refuseBusy();
    const known = this.#problem.terms[term];
    if (known === undefined)
      throw argumentError("term", `must be a whole number from 0 to ${this.#problem.terms.length - 1}`, term);
    checkTermPoints("term", known, this.#architecture.inputSize, { inputs, auxiliary });
    const failure = withCode(() => this.#object.loadTerm(term, inputs, auxiliary));
    this.#held = "none";
    if (failure !== undefined) this.#refused(this.#plainFailure(failure));
  }

  async curvature(into?: Float64Array): Promise<Float64Array> {
    return this.#plain(await this.#calls.run((native) => native.curvature(into ?? null), undefined));
  }

  async eigen(vectors: boolean, signal?: AbortSignal): Promise<Eigen> {
    const answer = await this.#calls.run((native) => native.eigen(vectors), signal);
    return isFailure(answer) ? this.#refused(await this.#failure(answer, this.#linearizedAt)) : answer;
  }

  async curvatureProduct(vectors: Float64Array, signal?: AbortSignal): Promise<Float64Array> {
    return this.#plain(await this.#calls.run((native) => native.curvatureProduct(vectors), signal));
  }

  async curvatureInverse(vector: Float64Array, shift: number, signal?: AbortSignal): Promise<Float64Array | Failure> {
    const answer = await this.#calls.run((native) => native.curvatureInverse(vector, shift), signal);
    return isFailure(answer) ? this.#failure(answer, this.#linearizedAt, signal) : answer;
  }

  async dampedInverse(vector: Float64Array, signal?: AbortSignal): Promise<Float64Array | Failure> {
    const answer = unlessMisused(await this.#calls.run((native) => native.dampedInverse(vector), signal), NO_FACTOR);
    return isFailure(answer) ? this.#failure(answer, this.#linearizedAt, signal) : answer;
  }

  bytes(): number {
    return this.#object.bytes();
  }

  dispose(): void {
    this.#object.dispose();
  }

  /** A number that is not finite: the residuals of that point say whether it is one of theirs. */
  async #failure(answer: NativeFailure, at: () => Float64Array, signal?: AbortSignal): Promise<Failure> {
    if (answer.failure !== "nonFinite") return this.#plainFailure(answer);
    const parameters = at();
    const residuals = await this.residuals(parameters, signal);
    return nonFiniteResidual(this.#problem, parameters, residuals, nonFiniteOf(answer));
  }

  #plain(answer: Float64Array | NativeFailure): Float64Array {
    return isFailure(answer) ? this.#refused(this.#plainFailure(answer)) : answer;
  }

  #plainFailure(failure: NativeFailure): Failure {
    return failureOf(failure, { held: this.#held, tolerance: 0, file: undefined });
  }

  /** A failure where the interface has no place for one: memory that cannot be had, or LAPACK without convergence. */
  #refused(failure: Failure): never {
    if (failure.code !== "memory") throw new GaussflowError("GAUSSFLOW_INTERNAL", failure.message);
    throw new GaussflowError("GAUSSFLOW_MEMORY", failure.message, { bytes: failure.bytes });
  }
}
