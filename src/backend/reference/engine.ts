// The reference engine: the Engine interface in plain TypeScript, written to be read. It is the oracle for tests of the native engine, the
// fallback if that is missing, and the JavaScript baseline of the benchmarks. It uses one thread, and between blocks it lets the event loop
// run and checks the abort signal. create.ts makes it.
import { symmetricEigen } from "../../algebra/symmetric-eigen.js";
import { GaussflowError } from "../../errors.js";
import { finish, Pace, type Steps } from "../../event-loop-yield.js";
import { lossRule } from "../../loss/rules.js";
import { squaredError } from "../../loss/squared-error.js";
import type { Architecture } from "../../network/architecture.js";
import { PASS_BLOCK, workspace, workspaceBytes } from "../../network/forward.js";
import type { Curvature } from "../curvature.js";
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
import { PRODUCTS_ONLY } from "../engine.js";
import { layerFactors } from "../layer-factors.js";
import { locateNonFinite } from "../locate.js";
import { scratchError } from "../memory.js";
import type { Eigen, EngineFactory, NetworkEngine } from "../network-engine.js";
import { samplesOf } from "../samples.js";
import { HELD_SINGLE } from "../single.js";
import { layerMeans, raise } from "./accumulate.js";
import { type Blocks, sumBlocks } from "./blocks.js";
import { checkArray, checkData, checkLinearize, checkNonNegative, checkRows, checkSolve, checkSpan } from "./checks.js";
import { CurvatureStore, type Curved, NOTHING } from "./curved.js";
import { accelerateHeld, type Damped, solveHeld } from "./damped.js";
import { formKernel } from "./gram.js";
import { gradientMeasure } from "./measure.js";
import type { Triangle } from "./orthogonal.js";
import { Passes } from "./passes.js";
import { sampled } from "./sampled.js";
import { BlockSeeds } from "./seeds.js";
import { LARGEST_SQUARE } from "./semi-normal.js";
import { eigenvalues, inverseProduct, symmetricProduct, wholeMatrix } from "./spectrum.js";

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
  readonly #store = new CurvatureStore();
  #curved: Curved | null = null;
  #triangle: Triangle | null = null;
  /** Of a matrix-free linearization: its parameters, and the passes that its products run on. */
  #free: { readonly parameters: Float64Array; readonly passes: Passes } | null = null;
  #busy = false;
  #disposed = false;

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
  }

  get held(): Curvature {
    if (this.#free !== null) return "matrix-free";
    return this.#triangle !== null ? "orthogonal" : (this.#curved?.kind ?? "none");
  }

  forward(parameters: Float64Array, signal?: AbortSignal): Promise<Float64Array> {
    return this.#run(signal, (pace) => this.#passes.forward(this.#checked(parameters), pace));
  }

  evaluate(parameters: Float64Array, signal?: AbortSignal): Promise<Evaluation | Failure> {
    return this.#run(signal, async (pace) => {
      const loss = await this.#passes.loss(this.#checked(parameters), pace);
      return Number.isFinite(loss) ? { ok: true, loss } : this.#nonFinite(parameters, "loss", pace);
    });
  }

  linearize(parameters: Float64Array, request: LinearizeRequest, signal?: AbortSignal): Promise<Linearized | Failure> {
    return this.#run(signal, (pace) => this.#linearize(this.#checked(parameters), request, pace));
  }

  async #linearize(parameters: Float64Array, request: LinearizeRequest, pace: Pace): Promise<Linearized | Failure> {
    const { architecture, seeds } = this.#blocks;
    checkLinearize(architecture, request, this.sampleCount, this.slots);
    const start = performance.now();
    const { curvature, decay, scaling, precision = "double", subset = null } = request;
    const { outputSize: c, parameterCount: p, sampleCount: n } = this;
    this.#end();
    const formed = curvature === "none" || curvature === "matrix-free" ? null : curvature;
    const reserved = formed === null ? NOTHING : this.#store.reserve(formed, architecture, n, this.slots, parameters);
    if ("code" in reserved) return reserved;
    const { matrix, kept, transposed, triangle } = reserved;
    const sums = await sumBlocks(this.#blocks, parameters, reserved, subset === null, pace);
    const { loss, gradient, diagonal, residual } = sums;
    let { curvatureSeconds } = sums;
    if (!Number.isFinite(loss)) return this.#nonFinite(parameters, "loss", pace);
    const bad = gradient.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) return this.#nonFinite(parameters, "gradient", pace);
    const sample = subset && sampled(this.#blocks, subset);
    if (sample !== null) {
      // As in the core: a column that a subset does not see would be 1 for good.
      if (scaling?.includes(0)) raise(scaling, diagonal);
      await sample.addCurvature(parameters, diagonal.fill(0), transposed, matrix, pace);
    }
    const scales = curvature === "dual" ? layerMeans(architecture, diagonal) : diagonal;
    if (curvature !== "none" && scales.some((value) => !Number.isFinite(value)))
      return this.#nonFinite(parameters, "curvature", pace);
    if (scaling !== null && curvature !== "none") raise(scaling, scales);
    if (kept !== null && matrix !== null) {
      const before = performance.now();
      await formKernel(architecture, kept, scaling, n, matrix, pace);
      curvatureSeconds += (performance.now() - before) / 1000;
    }
    const residualNorm = seeds.rule.sumOfSquares ? Math.sqrt(2 * loss) : Number.NaN;
    const gradientCosine = gradientMeasure(architecture, request, gradient, diagonal, residualNorm);
    if (decay > 0) for (let j = 0; j < p; j++) gradient[j] += decay * parameters[j];
    if (!seeds.rule.sumOfSquares) triangle?.useGradient(gradient, !(sums.residualSquare <= LARGEST_SQUARE * 2 * loss));
    this.#triangle = triangle;
    if (curvature === "matrix-free") this.#free = { parameters, passes: sample ?? this.#passes };
    if ((curvature === "primal" || curvature === "dual") && matrix !== null)
      this.#curved = {
        kind: curvature,
        precision,
        order: curvature === "dual" ? n * c : p,
        matrix,
        parameters,
        gradient: gradient.slice(),
        residual,
        sampled: sample !== null,
        factored: -1,
        solved: null,
        eigenvalues: null,
      };
    const total = (performance.now() - start) / 1000;
    return {
      ok: true,
      loss,
      gradient,
      gradientCosine,
      ...(seeds.rule.sumOfSquares ? {} : { residualSquare: sums.residualSquare }),
      seconds: { passes: total - curvatureSeconds, curvature: curvatureSeconds },
      ...(curvature === "matrix-free" ? { diagonal } : {}),
    };
  }

  solve(request: SolveRequest, signal?: AbortSignal): Promise<Solved | Failure> {
    return this.#run(signal, async (pace) => {
      const start = performance.now();
      const triangle = this.#triangle;
      if (triangle !== null) {
        checkSolve(this.#architecture, "orthogonal", "double", request);
        const solved = await triangle.solve(request, pace);
        if (!("step" in solved)) return solved;
        const { step, residual, rank } = solved;
        if (step.some((value) => !Number.isFinite(value))) return this.#nonFinite(triangle.parameters, "step", pace);
        const ratio = rank.smallest > 0 ? rank.largest / rank.smallest : Number.POSITIVE_INFINITY;
        const seconds = (performance.now() - start) / 1000;
        return { ok: true, step, residual, rank, condition: request.condition ? ratio * ratio : Number.NaN, seconds };
      }
      const held = this.#damped(this.#held());
      checkSolve(this.#architecture, held.curved.kind, held.curved.precision, request);
      const solved = await solveHeld(held, request, pace);
      if ("code" in solved) return solved;
      if (solved.step.some((value) => !Number.isFinite(value))) {
        held.curved.solved = null;
        return this.#nonFinite(held.curved.parameters, "step", pace);
      }
      return { ...solved, seconds: (performance.now() - start) / 1000 };
    });
  }

  accelerate(
    velocity: Float64Array,
    scaling: Float64Array | null,
    signal?: AbortSignal,
  ): Promise<Accelerated | Failure> {
    return this.#run(signal, async (pace) => {
      const start = performance.now();
      const acceleration =
        this.#curved === null ? null : await accelerateHeld(this.#damped(this.#curved), velocity, scaling, pace);
      if (acceleration === null)
        throw new GaussflowError("GAUSSFLOW_STATE", "there is no factor: solve before accelerating");
      if ("code" in acceleration) return acceleration;
      if (acceleration.some((value) => !Number.isFinite(value)))
        return this.#nonFinite(this.#held().parameters, "step", pace);
      return { ok: true, acceleration, seconds: (performance.now() - start) / 1000 };
    });
  }

  jacobianProduct(parameters: Float64Array, vectors: Float64Array, signal?: AbortSignal): Promise<Float64Array> {
    return this.#run(signal, (pace) => this.#passes.product(this.#elsewhere(parameters), vectors, pace));
  }

  transposeProduct(parameters: Float64Array, vectors: Float64Array, signal?: AbortSignal): Promise<Float64Array> {
    return this.#run(signal, (pace) => this.#passes.transpose(this.#elsewhere(parameters), vectors, pace));
  }

  jacobian(parameters: Float64Array, first: number, count: number, signal?: AbortSignal): Promise<Float64Array> {
    return this.#run(signal, (pace) => {
      checkSpan(first, count, this.sampleCount);
      return this.#passes.jacobian(this.#elsewhere(parameters), first, count, pace);
    });
  }

  async curvature(): Promise<Float64Array> {
    this.#idle();
    return this.#triangle?.gram() ?? wholeMatrix(this.#exact());
  }

  #damped(curved: Curved): Damped {
    return {
      architecture: this.#architecture,
      passes: this.#passes,
      curved,
      factor: this.#store.factor as Float64Array,
    };
  }

  #held(): Curved {
    if (this.#curved !== null) return this.#curved;
    if (this.#free !== null) throw new GaussflowError("GAUSSFLOW_STATE", PRODUCTS_ONLY);
    throw new GaussflowError("GAUSSFLOW_STATE", "there is no curvature: linearize with one first");
  }

  /** The curvature where its entries are asked for. */
  #exact(): Curved {
    const curved = this.#held();
    if (curved.precision === "double") return curved;
    throw new GaussflowError("GAUSSFLOW_STATE", HELD_SINGLE);
  }

  eigen(vectors: boolean, signal?: AbortSignal): Promise<Eigen> {
    return this.#run(signal, async (pace) => {
      if (this.#triangle !== null) return this.#triangle.eigen(vectors, pace);
      const curved = this.#exact();
      if (!vectors) return { values: await eigenvalues(curved, pace), vectors: null };
      return symmetricEigen(wholeMatrix(curved), curved.order, true, pace);
    });
  }

  async eigenvaluesBelow(bound: number, signal?: AbortSignal): Promise<number> {
    checkNonNegative("bound", bound);
    const { values } = await this.eigen(false, signal);
    return values.filter((value) => value < bound).length;
  }

  curvatureProduct(vectors: Float64Array, signal?: AbortSignal): Promise<Float64Array> {
    return this.#run(signal, async (pace) => {
      const free = this.#free;
      if (free !== null) return free.passes.gram(free.parameters, vectors, pace);
      checkRows("vectors", vectors, this.#held().order);
      return symmetricProduct(this.#held(), vectors);
    });
  }

  layerFactors(signal?: AbortSignal): Promise<readonly LayerFactors[]> {
    return this.#run(signal, (pace) => {
      if (this.#free === null)
        throw new GaussflowError("GAUSSFLOW_STATE", "layer factors are of a matrix-free curvature");
      return layerFactors(this.#blocks, this.#free.parameters, pace);
    });
  }

  curvatureInverse(vector: Float64Array, shift: number, signal?: AbortSignal): Promise<Float64Array | Failure> {
    return this.#run(signal, async (pace) => {
      const curved = this.#exact();
      checkArray("vector", vector, curved.order);
      checkNonNegative("shift", shift);
      const x = await inverseProduct(curved, this.#store.factor as Float64Array, vector.slice(), shift, pace);
      const bad = x instanceof Float64Array && x.some((value) => !Number.isFinite(value));
      return bad ? this.#nonFinite(curved.parameters, "step", pace) : x;
    });
  }

  bytes(): number {
    const { space, seeds, rootWeights, samples } = this.#blocks;
    const own = workspaceBytes(space) + seeds.bytes + (this.#triangle?.bytes ?? 0) + (rootWeights?.byteLength ?? 0);
    return own + this.#store.bytes + samples.bytes;
  }

  dispose(): void {
    this.#disposed = true;
    this.#end();
    this.#store.release();
    this.#blocks.samples.close();
  }

  #nonFinite(parameters: Float64Array, what: NonFinite["what"], pace: Pace): Promise<Failure> {
    const [net, n, { samples, seeds }] = [this.#architecture, this.sampleCount, this.#blocks];
    return locateNonFinite(net, parameters, samples.inputs, n, { what, squares: seeds.rule.sumOfSquares }, pace);
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
    this.#curved = null;
    this.#triangle = null;
    this.#free = null;
  }

  #idle(): void {
    if (this.#disposed) throw new GaussflowError("GAUSSFLOW_STATE", "the engine was disposed of");
    if (this.#busy) throw new GaussflowError("GAUSSFLOW_BUSY", "the engine is at work: await the call before");
  }

  async #run<T>(signal: AbortSignal | undefined, action: (pace: Pace) => Promise<T>): Promise<T> {
    this.#idle();
    signal?.throwIfAborted();
    this.#busy = true;
    try {
      return await action(new Pace(signal, () => this.#stop()));
    } catch (cause) {
      // A scratch array that cannot be had; the curvature's own are a Failure (see #reserve).
      if (!(cause instanceof RangeError) || cause === signal?.reason) throw cause;
      throw scratchError(cause);
    } finally {
      this.#busy = false;
    }
  }

  #stop(): void {
    if (this.#disposed) throw new GaussflowError("GAUSSFLOW_STATE", "the engine was disposed of during the call");
  }
}
