// The reference engine: the Engine interface in plain TypeScript, written to be read. It is the oracle for tests of the native engine, the
// fallback if that is missing, and the JavaScript baseline of the benchmarks. It uses one thread, and between blocks it lets the event loop
// run and checks the abort signal. create.ts makes it.
import { reserve } from "../../bytes.js";
import { GaussflowError } from "../../errors.js";
import { finish, type Pace, type Steps } from "../../event-loop-yield.js";
import { lossRule } from "../../loss/rules.js";
import { squaredError } from "../../loss/squared-error.js";
import type { Architecture } from "../../network/architecture.js";
import { PASS_BLOCK, workspace, workspaceBytes } from "../../network/forward.js";
import type { Curvature, Eigen } from "../curvature.js";
import type {
  Accelerated,
  EngineData,
  Evaluation,
  Failure,
  LayerFactors,
  Linearized,
  LinearizeRequest,
  NonFinite,
  Solved,
  SolveRequest,
} from "../engine.js";
import { locateNonFinite } from "../locate.js";
import { checkSymmetric } from "../moving-average.js";
import type { EngineFactory, NetworkEngine } from "../network-engine.js";
import { checkEngineRows, type EngineRows, ROWS_OF_A_FILE } from "../rows.js";
import { samplesOf } from "../samples.js";
import { type Blocks, sumBlocks } from "./blocks.js";
import { Calls } from "./calls.js";
import { checkArray, checkData, checkLinearize, checkNonNegative, checkScaling, checkSpan } from "./checks.js";
import type { ReferenceCurvature } from "./curvature/curvature.js";
import { CurvatureStore } from "./curvature/store.js";
import { Passes } from "./passes.js";
import { BlockSeeds } from "./seeds.js";

/** An engine on the plain TypeScript passes. */
export const createReferenceEngine: EngineFactory = (net, data) => finish(referenceEngineSteps(net, data));

/** The same in pieces: the samples are copied. */
export function* referenceEngineSteps(architecture: Architecture, data: EngineData): Steps<NetworkEngine> {
  checkData(architecture, data);
  const space = workspace(architecture, Math.min(PASS_BLOCK, data.sampleCount), architecture.outputSize);
  const rootWeights = data.weights?.map(Math.sqrt) ?? null;
  // Last, for they may be an open file.
  const seeds = new BlockSeeds(lossRule(data.loss ?? squaredError()), architecture, space.capacity);
  return new ReferenceEngine({
    architecture,
    samples: yield* samplesOf(architecture, data),
    rootWeights,
    space,
    seeds,
    slots: data.slots ?? 1,
  });
}

class ReferenceEngine implements NetworkEngine {
  readonly kind = "reference";
  readonly threads = 1;
  readonly sampleCount: number;
  readonly outputSize: number;
  readonly parameterCount: number;
  readonly layerCount: number;
  readonly slots: number;
  readonly #architecture: Architecture;
  readonly #blocks: Blocks;
  readonly #passes: Passes;
  readonly #store: CurvatureStore;
  /** Of the last linearization that succeeded, until a product at parameters or a load ends it. */
  #curvature: ReferenceCurvature;
  /** That of the last solve, while its factor may be applied. */
  #factor: ReferenceCurvature;
  readonly #calls = new Calls();

  constructor(blocks: Blocks) {
    const { architecture, samples, slots } = blocks;
    this.#architecture = architecture;
    this.#blocks = blocks;
    this.sampleCount = samples.sampleCount;
    this.slots = slots;
    this.outputSize = architecture.outputSize;
    this.parameterCount = architecture.parameterCount;
    this.layerCount = architecture.layers.length;
    this.#passes = new Passes(blocks);
    this.#store = new CurvatureStore(blocks, this.#passes);
    this.#curvature = this.#store.none;
    this.#factor = this.#store.none;
  }

  get held(): Curvature {
    return this.#curvature.kind;
  }

  forward(parameters: Float64Array, signal?: AbortSignal): Promise<Float64Array> {
    return this.#calls.run(signal, (pace) => this.#passes.forward(this.#checked(parameters), pace));
  }

  evaluate(parameters: Float64Array, signal?: AbortSignal): Promise<Evaluation | Failure> {
    return this.#calls.run(signal, async (pace) => {
      const loss = await this.#passes.loss(this.#checked(parameters), pace);
      return Number.isFinite(loss) ? { ok: true, loss } : this.#nonFinite(parameters, "loss", pace);
    });
  }

  linearize(parameters: Float64Array, request: LinearizeRequest, signal?: AbortSignal): Promise<Linearized | Failure> {
    return this.#calls.run(signal, (pace) => this.#linearize(this.#checked(parameters), request, pace));
  }

  async #linearize(parameters: Float64Array, request: LinearizeRequest, pace: Pace): Promise<Linearized | Failure> {
    checkLinearize(request, this);
    const own = { ...request }; // the caller may write to his while the event loop turns
    const next = this.#store.create(own, parameters);
    checkScaling(own.scaling, next.scalingCount);
    const start = performance.now();
    this.#end();
    if (own.curvature !== "none" && own.accumulate === undefined) this.#factor = this.#store.none;
    const refused = next.begin();
    if (refused !== null) return refused;
    const sums = await sumBlocks(this.#blocks, parameters, next, pace);
    const { loss, gradient, residualSquare } = sums;
    if (!Number.isFinite(loss)) return this.#nonFinite(parameters, "loss", pace);
    if (!gradient.every(Number.isFinite)) return this.#nonFinite(parameters, "gradient", pace);
    const { sumOfSquares } = this.#blocks.seeds.rule;
    const { decay } = own;
    const objectiveGradient = decay > 0 ? gradient.map((value, j) => value + decay * parameters[j]) : gradient;
    const residualNorm = sumOfSquares ? Math.sqrt(2 * loss) : Number.NaN;
    const finished = await next.finish({ ...sums, objectiveGradient, residualNorm }, own, pace);
    if (finished === null) return this.#nonFinite(parameters, "curvature", pace);
    this.#curvature = next;
    const total = (performance.now() - start) / 1000;
    const curvatureSeconds = sums.curvatureSeconds + finished.seconds;
    const { gradientCosine, diagonal } = finished;
    return {
      ok: true,
      loss,
      gradient: objectiveGradient,
      gradientCosine,
      ...(sumOfSquares || own.curvature === "sampled" ? {} : { residualSquare }),
      seconds: { passes: total - curvatureSeconds, curvature: curvatureSeconds },
      ...(diagonal === undefined ? {} : { diagonal }),
    };
  }

  solve(request: SolveRequest, signal?: AbortSignal): Promise<Solved | Failure> {
    return this.#calls.run(signal, async (pace) => {
      const start = performance.now();
      const { parameters } = this.#curvature;
      this.#factor = this.#store.none;
      const solved = await this.#curvature.solve(request, pace);
      if ("code" in solved) return solved;
      if (!solved.step.every(Number.isFinite)) return this.#nonFinite(parameters, "step", pace);
      this.#factor = this.#curvature;
      return { ...solved, seconds: (performance.now() - start) / 1000 };
    });
  }

  accelerate(
    velocity: Float64Array,
    scaling: Float64Array | null,
    signal?: AbortSignal,
  ): Promise<Accelerated | Failure> {
    return this.#calls.run(signal, async (pace) => {
      const start = performance.now();
      const { parameters } = this.#curvature;
      const acceleration = await this.#curvature.accelerate(velocity, scaling, pace);
      if ("code" in acceleration) return acceleration;
      if (!acceleration.every(Number.isFinite)) return this.#nonFinite(parameters, "step", pace);
      return { ok: true, acceleration, seconds: (performance.now() - start) / 1000 };
    });
  }

  jacobianProduct(parameters: Float64Array, vectors: Float64Array, signal?: AbortSignal): Promise<Float64Array> {
    return this.#calls.run(signal, (pace) => this.#passes.product(this.#elsewhere(parameters), vectors, pace));
  }

  transposeProduct(parameters: Float64Array, vectors: Float64Array, signal?: AbortSignal): Promise<Float64Array> {
    return this.#calls.run(signal, (pace) => this.#passes.transpose(this.#elsewhere(parameters), vectors, pace));
  }

  jacobian(parameters: Float64Array, first: number, count: number, signal?: AbortSignal): Promise<Float64Array> {
    return this.#calls.run(signal, (pace) => {
      checkSpan(first, count, this.sampleCount);
      return this.#passes.jacobian(this.#elsewhere(parameters), first, count, pace);
    });
  }

  async curvature(into?: Float64Array): Promise<Float64Array> {
    this.#calls.idle();
    return this.#curvature.dense(into);
  }

  eigen(vectors: boolean, signal?: AbortSignal): Promise<Eigen> {
    return this.#calls.run(signal, (pace) => this.#curvature.eigen(vectors, pace));
  }

  async eigenvaluesBelow(bound: number, signal?: AbortSignal): Promise<number> {
    checkNonNegative("bound", bound);
    const { values } = await this.eigen(false, signal);
    return values.filter((value) => value < bound).length;
  }

  curvatureProduct(vectors: Float64Array, signal?: AbortSignal): Promise<Float64Array> {
    return this.#calls.run(signal, (pace) => this.#curvature.multiply(vectors, pace));
  }

  hessianProduct(vectors: Float64Array, signal?: AbortSignal): Promise<Float64Array> {
    return this.#calls.run(signal, (pace) => this.#curvature.hessianProduct(vectors, pace));
  }

  dampedInverse(vector: Float64Array, signal?: AbortSignal): Promise<Float64Array | Failure> {
    return this.#calls.run(signal, async (pace) => {
      const { parameters } = this.#factor;
      const x = await this.#factor.dampedInverse(vector, pace);
      if ("code" in x || x.every(Number.isFinite)) return x;
      return this.#nonFinite(parameters, "step", pace);
    });
  }

  layerFactors(signal?: AbortSignal): Promise<readonly LayerFactors[]> {
    return this.#calls.run(signal, (pace) => this.#curvature.layerFactors(pace));
  }

  curvatureInverse(vector: Float64Array, shift: number, signal?: AbortSignal): Promise<Float64Array | Failure> {
    return this.#calls.run(signal, async (pace) => {
      const { parameters } = this.#curvature;
      const x = await this.#curvature.inverse(vector, shift, pace);
      if ("code" in x || x.every(Number.isFinite)) return x;
      return this.#nonFinite(parameters, "step", pace);
    });
  }

  restoreCurvature(matrix: Float64Array): void {
    this.#calls.idle();
    checkSymmetric("matrix", matrix, this.parameterCount);
    reserve(matrix.byteLength, "the moving average", () => this.#store.restoreAverage(matrix));
  }

  load(rows: EngineRows): void {
    this.#calls.idle();
    const { samples, rootWeights, architecture } = this.#blocks;
    if (samples.replace === null) throw new GaussflowError("GAUSSFLOW_STATE", ROWS_OF_A_FILE);
    const { inputSize } = architecture;
    const { sampleCount, targetSize } = samples;
    checkEngineRows(rows, { sampleCount, inputSize, targetSize, weighted: rootWeights !== null });
    this.#end();
    samples.replace(rows.inputs, rows.targets);
    if (rootWeights !== null && rows.weights !== undefined) rootWeights.set(rows.weights.map(Math.sqrt));
  }

  bytes(): number {
    const { space, seeds, rootWeights, samples } = this.#blocks;
    const own = workspaceBytes(space) + seeds.bytes + (rootWeights?.byteLength ?? 0);
    return own + this.#curvature.bytes + this.#store.bytes + samples.bytes;
  }

  dispose(): void {
    this.#calls.dispose();
    this.#end();
    this.#store.dispose();
    this.#blocks.samples.close();
  }

  #nonFinite(parameters: Float64Array, what: NonFinite["what"], pace: Pace): Promise<Failure> {
    const [net, n, { samples, seeds }] = [this.#architecture, this.sampleCount, this.#blocks];
    return locateNonFinite(
      net,
      parameters,
      samples.inputs,
      { first: 0, count: n },
      { what, squares: seeds.rule.sumOfSquares },
      pace,
    );
  }

  #checked(parameters: Float64Array): Float64Array {
    checkArray("parameters", parameters, this.parameterCount);
    return parameters.slice(); // the caller may write to his while the event loop turns
  }

  /** Parameters of a product: it discards the curvature, because the native engine reuses its buffers. */
  #elsewhere(parameters: Float64Array): Float64Array {
    this.#end();
    return this.#checked(parameters);
  }

  #end(): void {
    this.#curvature = this.#store.none;
    if (!this.#factor.factorAlone) this.#factor = this.#store.none;
  }
}
