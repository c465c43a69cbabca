// Implements the Engine interface by the addon: turns requests into addon calls, addon failures into `Failure` values, and an AbortSignal
// into the addon's cancellation flag. create.ts creates it; every call of a run on the native engine passes through it.
import type { VectorOperations } from "../../algebra/vectors.js";
import type { ColumnScaling } from "../../data/column-moments.js";
import { scaleColumns } from "../../data/scaling.js";
import { argumentError, GaussflowError } from "../../errors.js";
import { finish, Pace, type Steps } from "../../event-loop-yield.js";
import { lossRule } from "../../loss/rules.js";
import { squaredError } from "../../loss/squared-error.js";
import { labelScaling, targetCount } from "../../loss/target-rules.js";
import type { Architecture } from "../../network/architecture.js";
import { checkRequest } from "../check-request.js";
import type { Curvature, Eigen, Precision } from "../curvature.js";
import type {
  Accelerated,
  EngineData,
  Evaluation,
  Failure,
  LayerFactors,
  Linearized,
  LinearizeRequest,
  Solved,
  SolveRequest,
} from "../engine.js";
import { NO_FACTOR, NO_LINEARIZATION, PRODUCTS_ONLY } from "../engine.js";
import { splitFactors } from "../layer-factors.js";
import { locateNonFinite, nonFiniteElsewhere } from "../locate.js";
import { checkCorrection } from "../low-rank.js";
import { refuseMatrix } from "../memory.js";
import { checkSymmetric } from "../moving-average.js";
import type { EngineFactory, NetworkEngine } from "../network-engine.js";
import { type RowRange, refuseRanked, rowsHere } from "../ranks.js";
import { checkEngineRows, type EngineRows, ROWS_OF_A_FILE, type RowSizes } from "../rows.js";
import { checkSampledSolve, NO_SAMPLED_ACCELERATION, partsOf } from "../sampled.js";
import { checkTolerance, singleTolerance } from "../single.js";
import { failureOf, linearizedOf, nonFiniteOf, solvedOf } from "./answers.js";
import type { NativeAnswer, NativeEngineObject, NativeFailure } from "./binding.js";
import { isFailure } from "./binding.js";
import { NativeCalls } from "./calls.js";
import { unlessMisused, withCode } from "./coded-error.js";
import { CURVATURE_CODES, nativeFile, nativeNetwork } from "./description.js";
import { fillSteps } from "./fill.js";
import { loadNative } from "./load.js";
import { nativeVectors } from "./vectors.js";

/** An engine on the addon. Throws GAUSSFLOW_NO_NATIVE where that cannot be loaded. */
export const createNativeEngine: EngineFactory = (architecture, data, options = {}) =>
  finish(nativeEngineSteps(architecture, data, options.threads ?? 1));

/** The same in pieces: the samples are copied. */
export function* nativeEngineSteps(net: Architecture, data: EngineData, threads: number): Steps<NetworkEngine> {
  const engine = new NativeEngine(net, data, threads);
  try {
    yield* engine.fill(data);
    return engine;
  } catch (error) {
    engine.dispose();
    throw error;
  }
}

class NativeEngine implements NetworkEngine {
  readonly kind = "native";
  readonly sampleCount: number;
  readonly outputSize: number;
  readonly parameterCount: number;
  readonly layerCount: number;
  readonly threads: number;
  readonly slots: number;
  readonly distributed: boolean;
  /** Whether other processes have a part of the samples: those that are not in `#here`. */
  readonly ranked: boolean;
  readonly vectors: VectorOperations;
  readonly #here: RowRange;
  readonly #architecture: Architecture;
  readonly #squares: boolean;
  /** Where the samples are; of those in memory the addon's copy is the only one that an engine needs. */
  readonly #file: string | undefined;
  readonly #sizes: RowSizes;
  /** Of smoothed labels; null without smoothing. */
  readonly #labels: ColumnScaling | null;
  readonly #object: NativeEngineObject;
  #held: Curvature = "none";
  #precision: Precision = "double";
  /** Damping and decay of the last solve. */
  #tolerance = singleTolerance;
  readonly #calls: NativeCalls<NativeEngineObject>;
  /** Parameters of the last linearization, for the diagnosis of a failure. */
  readonly #linearizedAt = () => this.#plain(withCode(() => this.#object.parameters()));

  constructor(architecture: Architecture, data: EngineData, threads: number) {
    const native = loadNative();
    if (!native.ok)
      throw new GaussflowError("GAUSSFLOW_NO_NATIVE", `the native engine is not available: ${native.reason}`);
    this.#architecture = architecture;
    this.#squares = lossRule(data.loss ?? squaredError()).sumOfSquares;
    this.#file = data.file?.layout.path;
    const [{ inputSize, outputSize }, { sampleCount, loss, weights }] = [architecture, data];
    const targetSize = targetCount(loss, outputSize);
    this.#sizes = { sampleCount, inputSize, targetSize, weighted: weights !== undefined };
    this.#labels = labelScaling(data.loss, architecture.outputSize);
    this.slots = data.slots ?? 1;
    this.distributed = data.ranks?.distributed === true;
    this.ranked = data.ranks !== undefined;
    this.#here = rowsHere(data.ranks, data.sampleCount);
    this.sampleCount = data.sampleCount;
    this.outputSize = architecture.outputSize;
    this.parameterCount = architecture.parameterCount;
    this.layerCount = architecture.layers.length;
    this.threads = threads;
    this.vectors = nativeVectors(native.binding, threads);
    this.#object = withCode(
      () =>
        new native.binding.NativeEngine(
          nativeNetwork(architecture, data.loss ?? squaredError(), this.slots),
          data.sampleCount,
          data.file === undefined ? null : nativeFile(data.file, data.loss),
          data.weights !== undefined,
          threads,
          data.ranks ?? null,
        ),
      this.#file,
    );
    this.#calls = new NativeCalls(this.#object);
  }

  /** Gives the addon the samples that the engine was made for, once and before the first call. */
  fill(data: EngineData): Steps<void> {
    return fillSteps(this.#object, this.#architecture, data, (failure) => this.#refused(this.#plainFailure(failure)));
  }

  get held(): Curvature {
    return this.#held;
  }

  async forward(parameters: Float64Array, signal?: AbortSignal): Promise<Float64Array> {
    refuseRanked(this, "forward");
    return this.#sure(await this.#call((native) => native.forward(parameters), signal));
  }

  async evaluate(parameters: Float64Array, signal?: AbortSignal): Promise<Evaluation | Failure> {
    const answer = await this.#call((native) => native.evaluate(parameters), signal);
    return typeof answer === "number" ? { ok: true, loss: answer } : this.#failure(answer, () => parameters, signal);
  }

  async linearize(
    parameters: Float64Array,
    request: LinearizeRequest,
    signal?: AbortSignal,
  ): Promise<Linearized | Failure> {
    const refused = refuseMatrix(request.curvature, this);
    if (refused !== null) return refused;
    const { curvature, decay, scaling, precision = "double", subset = null, accumulate } = request;
    checkRequest(request, this);
    const { signs, rows, gradient } = partsOf(request.sampled);
    const answer = await this.#call((native) => {
      const state = curvature === "none" ? null : scaling;
      const running = native.linearize(
        parameters,
        CURVATURE_CODES[curvature],
        decay,
        state,
        precision === "single" ? 1 : 0,
        request.exactMeasureBelow ?? Number.POSITIVE_INFINITY,
        subset,
        request.gradient ?? null,
        signs,
        rows,
        gradient,
        accumulate === undefined ? null : Float64Array.of(accumulate.keep, accumulate.add),
      );
      // The call was not refused: from here on the curvature of before is gone.
      this.#held = "none";
      return running;
    }, signal);
    if ("failure" in answer) return this.#failure(answer, () => parameters, signal);
    this.#held = curvature;
    this.#precision = precision;
    if (answer.scaling !== null) scaling?.set(answer.scaling);
    return linearizedOf(answer);
  }

  async solve(request: SolveRequest, signal?: AbortSignal): Promise<Solved | Failure> {
    const start = performance.now();
    const { damping, decay, scaling, condition, tolerance = singleTolerance } = request;
    const { correction = null } = request;
    checkTolerance(tolerance);
    checkSampledSolve(this.#held, request);
    checkCorrection(correction, this.#held, this.#precision, condition === true, this.parameterCount);
    this.#tolerance = tolerance;
    const { left = null, right = null } = correction ?? {};
    const answer = await this.#call(
      (native) =>
        native.solve(damping, decay, scaling, condition === true, tolerance, left, right, request.step ?? null),
      signal,
    );
    if ("failure" in answer) {
      if (answer.failure === "misuse" && this.#held === "matrix-free")
        throw new GaussflowError("GAUSSFLOW_STATE", PRODUCTS_ONLY);
      if (answer.failure === "misuse" && this.#held === "dual" && scaling !== null && decay > 0)
        throw argumentError("decay", "must be 0 with layer factors in the dual route", decay);
      return this.#failure(answer, this.#linearizedAt, signal);
    }
    return solvedOf(answer, (performance.now() - start) / 1000);
  }

  async accelerate(
    velocity: Float64Array,
    scaling: Float64Array | null,
    signal?: AbortSignal,
    into?: Float64Array,
  ): Promise<Accelerated | Failure> {
    const start = performance.now();
    if (this.#held === "sampled") throw new GaussflowError("GAUSSFLOW_STATE", NO_SAMPLED_ACCELERATION);
    const answer = await this.#call((native) => native.accelerate(velocity, scaling, into ?? null), signal);
    if (isFailure(answer)) return this.#failure(answer, this.#linearizedAt, signal);
    return { ok: true, acceleration: answer, seconds: (performance.now() - start) / 1000 };
  }

  async jacobianProduct(parameters: Float64Array, vectors: Float64Array, signal?: AbortSignal): Promise<Float64Array> {
    refuseRanked(this, "jacobianProduct");
    return this.#elsewhere((native) => native.jacobianProduct(parameters, vectors), signal);
  }

  async transposeProduct(parameters: Float64Array, vectors: Float64Array, signal?: AbortSignal): Promise<Float64Array> {
    return this.#elsewhere((native) => native.transposeProduct(parameters, vectors), signal);
  }

  async jacobian(parameters: Float64Array, first: number, count: number, signal?: AbortSignal): Promise<Float64Array> {
    refuseRanked(this, "jacobian");
    return this.#elsewhere((native) => native.jacobian(parameters, first, count), signal);
  }

  async curvature(into?: Float64Array): Promise<Float64Array> {
    return this.#sure(await this.#call((native) => native.curvature(into ?? null), undefined));
  }

  async eigen(vectors: boolean, signal?: AbortSignal): Promise<Eigen> {
    const answer = await this.#call((native) => native.eigen(vectors), signal);
    return "failure" in answer ? this.#refused(await this.#failure(answer, this.#linearizedAt)) : answer;
  }

  async eigenvaluesBelow(bound: number, signal?: AbortSignal): Promise<number> {
    const answer = await this.#call((native) => native.eigenvaluesBelow(bound), signal);
    return isFailure(answer) ? this.#refused(await this.#failure(answer, this.#linearizedAt)) : answer;
  }

  async curvatureProduct(vectors: Float64Array, signal?: AbortSignal): Promise<Float64Array> {
    return this.#sure(await this.#call((native) => native.curvatureProduct(vectors), signal));
  }

  async hessianProduct(vectors: Float64Array, signal?: AbortSignal): Promise<Float64Array> {
    const answer = await this.#call((native) => native.hessianProduct(vectors), signal);
    return this.#sure(unlessMisused(answer, NO_LINEARIZATION));
  }

  async dampedInverse(vector: Float64Array, signal?: AbortSignal): Promise<Float64Array | Failure> {
    const answer = unlessMisused(await this.#call((native) => native.dampedInverse(vector), signal), NO_FACTOR);
    return isFailure(answer) ? this.#failure(answer, this.#linearizedAt, signal) : answer;
  }

  async layerFactors(signal?: AbortSignal): Promise<readonly LayerFactors[]> {
    return splitFactors(
      this.#architecture,
      await this.#sure(await this.#call((native) => native.layerFactors(), signal)),
    );
  }

  async curvatureInverse(vector: Float64Array, shift: number, signal?: AbortSignal): Promise<Float64Array | Failure> {
    const answer = await this.#call((native) => native.curvatureInverse(vector, shift), signal);
    return isFailure(answer) ? this.#failure(answer, this.#linearizedAt, signal) : answer;
  }

  restoreCurvature(matrix: Float64Array): void {
    this.#calls.refuseBusy();
    checkSymmetric("matrix", matrix, this.parameterCount);
    this.#done(withCode(() => this.#object.restoreCurvature(matrix)));
  }

  load(rows: EngineRows): void {
    this.#calls.refuseBusy();
    refuseRanked(this, "load");
    if (this.#file !== undefined) throw new GaussflowError("GAUSSFLOW_STATE", ROWS_OF_A_FILE);
    checkEngineRows(rows, this.#sizes);
    const { inputs, targets, weights = null } = rows;
    const given = this.#labels === null ? targets : scaleColumns(targets, this.#labels);
    this.#done(withCode(() => this.#object.load(this.sampleCount, inputs, given, weights)));
    this.#held = "none";
  }

  bytes(): number {
    return this.#object.bytes();
  }

  dispose(): void {
    this.#object.dispose();
  }

  #call<T>(start: (native: NativeEngineObject) => NativeAnswer<T>, signal: AbortSignal | undefined): T | Promise<T> {
    return this.#calls.run(start, signal);
  }

  async #failure(answer: NativeFailure, parameters: () => Float64Array, signal?: AbortSignal): Promise<Failure> {
    if (answer.failure !== "nonFinite") return this.#plainFailure(answer);
    const what = nonFiniteOf(answer);
    if (answer.rank !== undefined) return nonFiniteElsewhere(what, answer.rank);
    return this.#calls.diagnose(() => {
      const inputs = (first: number, count: number) => this.#plain(withCode(() => this.#object.inputs(first, count)));
      const [net, met] = [this.#architecture, { what, squares: this.#squares }];
      return locateNonFinite(net, parameters(), inputs, this.#here, met, new Pace(signal));
    });
  }

  #plain(answer: Float64Array | NativeFailure): Float64Array {
    return isFailure(answer) ? this.#refused(this.#plainFailure(answer)) : answer;
  }

  #plainFailure(failure: NativeFailure): Failure {
    return failureOf(failure, { held: this.#held, tolerance: this.#tolerance, file: this.#file });
  }

  /** A call with panels of other parameters: it ends the curvature, unless its arguments were refused. */
  async #elsewhere(
    start: (native: NativeEngineObject) => NativeAnswer<Float64Array | NativeFailure>,
    signal: AbortSignal | undefined,
  ): Promise<Float64Array> {
    return this.#sure(
      await this.#call((native) => {
        const running = start(native);
        this.#held = "none";
        return running;
      }, signal),
    );
  }

  async #sure(answer: Float64Array | NativeFailure): Promise<Float64Array> {
    return isFailure(answer) ? this.#refused(await this.#failure(answer, this.#linearizedAt)) : answer;
  }

  #done(failure: NativeFailure | undefined): void {
    if (failure !== undefined) this.#refused(this.#plainFailure(failure));
  }

  /** A failure where the interface has no place for one: memory that cannot be had, or LAPACK without convergence. */
  #refused(failure: Failure): never {
    if (failure.code !== "memory") throw new GaussflowError("GAUSSFLOW_INTERNAL", failure.message);
    throw new GaussflowError("GAUSSFLOW_MEMORY", failure.message, { bytes: failure.bytes });
  }
}
