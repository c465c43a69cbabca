// Makes the teacher problems of docs/theory.md, which all experiments but `real` run on: one hidden layer of tanh units on d = 3 inputs, X,
// W, b, a ~ N(0, 1) without an output bias. The input columns are scaled by (1, s, s^2), which sets the conditioning of J. By default the
// network is centered, so that predictions start at 0.
//
//   reachable   y = alpha (f(w_0 + delta/alpha) - f(w_0)),  delta ~ spread * N(0, I)   for any start; a network that is not centered
//               also has to change its prediction alpha f(w_0)
//   weakest     y = the unit eigenvector of the smallest eigenvalue of K(w_0): the case that distinguishes damping rules
//   random      y ~ N(0, I), scaled to unit length
import { createEngine } from "../backend/create.js";
import { failed } from "../backend/engine.js";
import type { Dataset } from "../data/dataset.js";
import { dataset } from "../data/dataset-input.js";
import { GaussflowError } from "../errors.js";
import { predictions } from "../network/forward.js";
import { Network, network } from "../network/network.js";
import { Random } from "../random.js";

export type TargetKind = "reachable" | "weakest" | "random";

export interface ProblemOptions {
  readonly seed: number;
  readonly samples: number;
  readonly width: number;
  /** Input scale s. */
  readonly scale: number;
  readonly alpha: number;
  readonly target: TargetKind;
  /** Start of the network. Default "centered". "symmetric" needs an even width. */
  readonly start?: "centered" | "symmetric" | "ordinary";
  /** Standard deviation of delta, of a reachable target. Default 1. The other draws do not depend on it. */
  readonly spread?: number;
}

export interface Problem {
  readonly network: Network;
  readonly data: Dataset;
}

const inputSize = 3;

/** Parameters of a teacher network: weights and biases of the hidden layer, weights of the output. */
export function teacherParameters(width: number): number {
  return (inputSize + 2) * width;
}

export async function teacherProblem(options: ProblemOptions): Promise<Problem> {
  const { seed, samples, width, scale, alpha, target, start = "centered", spread = 1 } = options;
  const draw = new Random(seed, 1);
  const normals = (count: number) => Float64Array.from({ length: count }, () => draw.normal());
  const inputs = normals(samples * inputSize).map((value, k) => value * scale ** (k % inputSize));
  const plain = network({
    layers: [inputSize, width, 1],
    activation: "tanh",
    bias: [true, false],
    outputScale: alpha,
    centered: start === "centered",
    seed,
  });
  const w = normals(plain.parameterCount);
  if (start === "symmetric") pairUnits(w, width);
  const placed = new Network({ ...plain.state(), parameters: w, center: start === "centered" ? w.slice() : null });
  const delta = normals(placed.parameterCount).map((value) => spread * value);
  const targets = await targetsFor(placed, inputs, samples, target, delta, draw, alpha);
  return { network: placed, data: dataset({ inputs, targets, inputSize }) };
}

/** Unit 2k + 1 becomes the mirror image of unit 2k: equal incoming weights, opposite outgoing ones. */
function pairUnits(w: Float64Array, width: number): void {
  const [bias, out] = [inputSize * width, (inputSize + 1) * width];
  for (let unit = 0; unit + 1 < width; unit += 2) {
    w.copyWithin((unit + 1) * inputSize, unit * inputSize, (unit + 1) * inputSize);
    w[bias + unit + 1] = w[bias + unit];
    w[out + unit + 1] = -w[out + unit];
  }
}

async function targetsFor(
  net: Network,
  inputs: Float64Array,
  samples: number,
  target: TargetKind,
  delta: Float64Array,
  draw: Random,
  alpha: number,
): Promise<Float64Array> {
  const w = net.parameters;
  if (target === "reachable") {
    // A target on the network's own manifold, relative to f(w_0).
    const there = predictions(
      net.architecture,
      w.map((value, j) => value + delta[j] / alpha),
      inputs,
    );
    const here = predictions(net.architecture, w, inputs);
    return there.map((value, i) => value - here[i]);
  }
  const direction =
    target === "random"
      ? Float64Array.from({ length: samples }, () => draw.normal())
      : await weakest(net, inputs, samples);
  const length = Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
  return direction.map((value) => value / length);
}

/** Unit eigenvector of the smallest eigenvalue of K(w_0). */
async function weakest(net: Network, inputs: Float64Array, samples: number): Promise<Float64Array> {
  const engine = createEngine(net.architecture, { sampleCount: samples, inputs, targets: new Float64Array(samples) });
  try {
    const point = await engine.linearize(net.parameters, { curvature: "dual", decay: 0, scaling: null });
    if (failed(point)) throw new GaussflowError("GAUSSFLOW_ARGUMENT", `the problem cannot be formed: ${point.message}`);
    const { vectors } = await engine.eigen(true);
    if (vectors === null) throw new GaussflowError("GAUSSFLOW_INTERNAL", "eigenvectors were asked for and not given");
    return vectors.slice(0, samples);
  } finally {
    engine.dispose();
  }
}
