// The public `planMinmax`: predicts the memory of a min-max game from the sizes of networks, data and batches, without copying anything. Users call
// it, and `minmax` does before it allocates anything, and refuses a game that does not fit.
import { chooseBackend, chooseThreads } from "../backend/create.js";
import { type EngineBytes, estimateBytes } from "../backend/estimate.js";
import { showBytes } from "../bytes.js";
import { type MatrixLike, matrixRows } from "../data/matrix.js";
import { GaussflowError } from "../errors.js";
import { squaredError } from "../loss/squared-error.js";
import { describeRate } from "../method/rate-schedule.js";
import type { Architecture } from "../network/architecture.js";
import { PASS_BLOCK, workspaceDoubles } from "../network/forward.js";
import type { Network } from "../network/network.js";
import { costsOf } from "../plan/cost-model.js";
import type { MemoryEstimate } from "../plan/memory-model.js";
import { checkPlayers } from "./check-players.js";
import { type CompletedMinmaxOptions, completeMinmaxOptions, isJoint, type MinmaxOptions } from "./minmax-options.js";
import { type PlayerName, playerNeeds } from "./mover.js";

/** The predicted cost of a game. */
export interface GamePlan {
  /**
   * Bytes at the peak, by what they are for. `curvature` and `factor` are the kernels of the players and their factors, `copies` the rows, the batches and
   * the passes over them in JavaScript. `monitor` is 0.
   */
  readonly bytes: MemoryEstimate;
  /** Bytes that the process may use. */
  readonly memoryLimit: number;
  /** True if `bytes.most` is within the memory limit. */
  readonly fits: boolean;
  /** "native" or "typescript". */
  readonly engine: "native" | "typescript";
  /** Parameters of the generator. */
  readonly generatorParameters: number;
  /** Parameters of the discriminator. */
  readonly discriminatorParameters: number;
  /** Real rows and samples of a step, b. */
  readonly batch: number;
  /** Batches of an epoch: rows that do not fill one more are left out of it. */
  readonly stepsPerEpoch: number;
  /** Batches and methods as a phrase. */
  readonly described: string;
}

/**
 * What `minmax(generator, discriminator, data, options)` would need. Nothing is computed and nothing is refused: `fits` says whether minmax
 * would refuse.
 * @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_NO_NATIVE
 * @example const { bytes, fits } = planMinmax(network({ layers: [4, 32, 2] }), network({ layers: [2, 32, 1] }), rows, { batch: 512 });
 */
export function planMinmax(
  generator: Network,
  discriminator: Network,
  data: MatrixLike,
  options: MinmaxOptions = {},
): GamePlan {
  checkPlayers(generator, discriminator);
  const completed = completeMinmaxOptions(options, matrixRows(data, discriminator.inputSize, "data"));
  return planGame({ generator, discriminator }, data, completed, options);
}

/** What a player's network and its method are to the plan. */
interface PlannedPlayer {
  readonly architecture: Architecture;
  /** Rows of its engine. */
  readonly rows: number;
  readonly curvature: "none" | "sampled";
  /** Vectors of its parameters that the method holds. */
  readonly vectors: number;
  readonly described: string;
}

const DOUBLE = Float64Array.BYTES_PER_ELEMENT;
/**
 * Vectors of the parameters of a player beside those of its method: the caller's, the first, the present and the next ones, the gradient of the
 * penalty, the result, and the garbage of a few steps.
 */
const LOOP_VECTORS = 10;

export function planGame(
  players: Readonly<Record<PlayerName, Network>>,
  data: MatrixLike,
  options: CompletedMinmaxOptions,
  { backend, threads }: Pick<MinmaxOptions, "backend" | "threads">,
): GamePlan {
  const { batch, memoryLimit } = options;
  const { generator, discriminator } = players;
  const engine = chooseBackend(backend);
  const planned = plannedPlayers(players, options);
  const sizes = { loss: squaredError(), weighted: false, fileWidth: 0, threads: chooseThreads(threads), slots: 1 };
  const engines = planned.map(({ architecture, rows, curvature }) =>
    estimateBytes(engine, { ...sizes, architecture, sampleCount: rows }, [{ curvature: "none" }, { curvature }]),
  );
  const sum = (name: keyof EngineBytes) => engines.reduce((total, one) => total + one[name], 0);
  const n = matrixRows(data, discriminator.inputSize, "data");
  const passes = batchDoubles(players, options) + passDoubles(discriminator.architecture, 2 * batch);
  const copies = dataBytes(n, discriminator.inputSize) + DOUBLE * passes;
  const vectors = planned.reduce(
    (total, { architecture, vectors: own }) => total + DOUBLE * architecture.parameterCount * (own + LOOP_VECTORS),
    0,
  );
  const process = costsOf(engine).processBytes + Math.max(...engines.map(({ packing }) => packing));
  const held = { data: sum("data"), curvature: sum("curvature"), factor: sum("factor"), workspaces: sum("workspaces") };
  const parts = { ...held, copies, vectors };
  const peak = Object.values(parts).reduce((total, one) => total + one, process);
  const joint = isJoint(options.method) ? [options.method.label] : planned.map(({ described }) => described);
  return {
    bytes: { ...parts, monitor: 0, process, peak, most: peak },
    memoryLimit,
    fits: peak <= memoryLimit,
    engine,
    generatorParameters: generator.parameterCount,
    discriminatorParameters: discriminator.parameterCount,
    batch,
    stepsPerEpoch: Math.floor(n / batch),
    described: `batches of ${batch} real rows and as many samples; ${joint.join("; ")}`,
  };
}

/** The discriminator, then the generator. */
function plannedPlayers(
  players: Readonly<Record<PlayerName, Network>>,
  { method, batch, loss }: CompletedMinmaxOptions,
): readonly PlannedPlayer[] {
  return (["discriminator", "generator"] as const).map((name) => {
    const { architecture } = players[name];
    const { parameterCount } = architecture;
    const rows = name === "generator" ? batch : 2 * batch;
    // The gradient, its squares now and after the step.
    if (isJoint(method)) return { architecture, rows, curvature: "none", vectors: 3, described: method.label };
    const needs = playerNeeds(method[name], { name, rows: batch, parameterCount, curved: loss === "logistic" });
    const [first] = needs.engines;
    return {
      architecture,
      rows,
      curvature: first?.curvature === "dual" ? "sampled" : "none",
      vectors: needs.vectors,
      described: `the ${name} by ${method[name].label}, ${describeRate(needs.rate)}`,
    };
  });
}

/** The caller's rows and the copy of the game, the order of an epoch and of the next. */
function dataBytes(rows: number, width: number): number {
  return 2 * DOUBLE * rows * width + 2 * Uint32Array.BYTES_PER_ELEMENT * rows;
}

/** Doubles of the rows, outputs, slopes and roots of a batch in JavaScript. */
function batchDoubles(
  { generator, discriminator }: Readonly<Record<PlayerName, Network>>,
  { batch: b, penalty }: CompletedMinmaxOptions,
): number {
  const d = discriminator.inputSize;
  // Latent inputs, both halves of the rows, points of the penalty, targets.
  const held = b * generator.inputSize + 2 * b * d + (penalty === "gradient" ? b * d : 0) + (b * d + 2 * b);
  // Samples twice, their gradients, slopes and roots by sample; outputs, slopes and roots of both players.
  const made = 4 * b * d + 9 * b;
  // What the last step made waits for the garbage collector.
  return held + 2 * made;
}

/** Doubles of a pass over the discriminator in TypeScript: its weights twice, a workspace, and the derivatives of a block. */
function passDoubles(architecture: Architecture, rows: number): number {
  const block = Math.min(rows, PASS_BLOCK);
  const units = architecture.layers.reduce((sum, { inputSize, outputSize }) => sum + inputSize + outputSize, 0);
  // By unit: values, deltas, curvatures and their derivatives along the inputs; those of the last block wait for the garbage collector.
  return 2 * architecture.parameterCount + workspaceDoubles(architecture, block, 1) + 2 * 8 * block * units;
}

/** @throws GAUSSFLOW_MEMORY where the plan does not fit the memory limit */
export function refuseGame({ bytes, fits, memoryLimit, batch, described }: GamePlan): void {
  if (fits) return;
  const ways = [
    ...(batch > 1 ? ["a smaller options.batch takes less"] : []),
    `options.memoryLimit of ${Math.ceil(bytes.most)} bytes would let it run`,
  ];
  throw new GaussflowError(
    "GAUSSFLOW_MEMORY",
    `a game of ${described} needs ${showBytes(bytes.most)} at the peak (${showBytes(bytes.data + bytes.copies)} data and batches, ${showBytes(bytes.curvature + bytes.factor)} kernels and factors, ${showBytes(bytes.workspaces + bytes.vectors)} workspaces and vectors, ${showBytes(bytes.process)} the process itself), and the memory limit is ${showBytes(memoryLimit)}: ${ways.join("; ")}`,
    { bytes: bytes.most, memoryLimit, estimate: bytes },
  );
}
