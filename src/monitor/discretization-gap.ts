// The public `discretizationGap`, which users and the experiment `discrete` call: computes the distance between k explicit Euler steps of
// size eta and the flow at time k eta. With rho = 0 and eta = 1 an Euler step is a full Gauss-Newton step, so the gap measures how closely
// the discrete method follows the flow.
import { norm } from "../algebra/vectors.js";
import type { Dataset } from "../data/dataset.js";
import type { DatasetInput } from "../data/dataset-input.js";
import { scaleColumns } from "../data/scaling.js";
import { flow } from "../flow/flow.js";
import type { FlowOptions } from "../flow/flow-options.js";
import { type Loss, lossRule } from "../loss/rules.js";
import type { Reason } from "../method/reason.js";
import type { Network } from "../network/network.js";
import { dormandPrince, euler } from "../ode/integrator.js";
import { checkCount, checkOptionNames, checkPositive } from "../options.js";
import { fittedPart, fittingDataset, lossFactor, meanFactor } from "../run/prepare.js";

/** The distance of Euler steps from the flow. */
export interface DiscretizationGap {
  /** Size of the Euler steps. */
  readonly step: number;
  /** One entry an Euler step. */
  readonly rows: readonly {
    /** Number of the step, from 1. */
    readonly k: number;
    /** Time k eta of the flow. */
    readonly time: number;
    /** Weighted |psi_k - psi(k eta)| / |y - psi_0| of the predictions, in raw units (or probabilities); 0 where both are equal, also at a start without residual. */
    readonly predictions: number;
    /** |w_k - w(k eta)| and |w(k eta) - w_0|. */
    readonly parameters: number;
    /** Distance of the flow from its start. */
    readonly distance: number;
    /** Weighted mean of squared errors after the Euler step, in raw units; of another loss its mean in the units of the run, as in records. */
    readonly eulerLoss: number;
    /** The same of the flow. */
    readonly flowLoss: number;
  }[];
  /** How the two integrations ended: rows stop where the first of them did. */
  readonly euler: Reason;
  /** How the flow ended. */
  readonly flow: Reason;
}

/** The options that both integrations share. Options of a single run (records, checkpoints) are excluded. */
export type GapOptions = Pick<
  FlowOptions,
  "damping" | "integrator" | "loss" | "standardize" | "route" | "signal" | "backend" | "threads"
>;

const NAMES = ["damping", "integrator", "loss", "standardize", "route", "signal", "backend", "threads"];

/**
 * Compares k = 1 ... `steps` Euler steps of size `step` with the flow.
 * @param options as of `flow`; `integrator` is the flow's and should be tight. Default dormandPrince at 1e-9.
 * @throws as `flow`
 */
export async function discretizationGap(
  network: Network,
  data: Dataset | DatasetInput,
  gap: { readonly step: number; readonly steps: number },
  options: GapOptions = {},
): Promise<DiscretizationGap> {
  checkOptionNames("gap", gap, ["step", "steps"]);
  checkOptionNames("options", options, NAMES);
  const { step, steps } = gap;
  checkPositive("gap.step", step);
  checkCount("gap.steps", steps, 1);
  const until = step * steps;
  // Times the integrator itself reaches: sums of `step`, not products.
  const times: number[] = [];
  for (let time = step; times.length < steps; time += step) times.push(Math.min(time, until));
  const { integrator = dormandPrince({ relativeTolerance: 1e-9, absoluteTolerance: 1e-12 }) } = options;
  const exact = await flow(network, data, { ...options, integrator, until, outputs: times });
  const coarse = await flow(network, data, { ...options, integrator: euler({ step }), until, outputs: times });
  const set = fittedPart(fittingDataset(network, data, options));
  const roots = set.weights?.map(Math.sqrt) ?? null;
  const length = (a: Float64Array, b: Float64Array) =>
    norm(a.map((value, i) => (value - b[i]) * (roots === null ? 1 : roots[Math.floor(i / set.outputSize)])));
  const [factor, start] = [meanFactor(set) / 2, network.parameters];
  const scale = length(set.targets, exact.network.withParameters(start).predict(set.inputs));
  const squares = lossRule(exact.lossUsed).sumOfSquares;
  const lossAt = (one: Network, predicted: Float64Array) =>
    squares ? factor * length(predicted, set.targets) ** 2 : meanLoss(one, set, exact.lossUsed);
  const count = Math.min(exact.outputs.length, coarse.outputs.length);
  const rows = Array.from({ length: count }, (_, i) => {
    const [a, b] = [coarse.outputs[i].network, exact.outputs[i].network];
    const [psiA, psiB] = [a.predict(set.inputs), b.predict(set.inputs)];
    const apart = length(psiA, psiB);
    return {
      k: i + 1,
      time: times[i],
      predictions: apart === 0 ? 0 : apart / scale,
      parameters: norm(a.parameters.map((value, k) => value - b.parameters[k])),
      distance: norm(b.parameters.map((value, k) => value - start[k])),
      eulerLoss: lossAt(a, psiA),
      flowLoss: lossAt(b, psiB),
    };
  });
  return { step, rows, euler: coarse.reason, flow: exact.reason };
}

/** In the units of the run, in which the parameters of a loss are. */
function meanLoss(network: Network, set: Dataset, loss: Loss): number {
  const { scaling, outputSize } = network;
  const inputs = scaling === null ? set.inputs : scaleColumns(set.inputs, scaling.inputs);
  const targets = scaling === null ? set.targets : scaleColumns(set.targets, scaling.targets);
  const roots = set.weights?.map(Math.sqrt) ?? null;
  const predictions = network.predictScaled(inputs);
  const block = { count: set.sampleCount, outputSize, predictions, targets, roots, first: 0 };
  return lossFactor(set, loss) * lossRule(loss).apply(block, null);
}
