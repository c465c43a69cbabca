// The discretisation gap: how far k explicit Euler steps of size eta are from the flow at time k eta. With rho = 0 and eta = 1 an
// Euler step is a full Gauss-Newton step, so the gap says how much of the flow's behaviour the discrete method inherits.
import type { Dataset, DatasetInput } from "../data/dataset.js";
import { argumentError } from "../errors.js";
import { flow } from "../flow/flow.js";
import type { FlowOptions } from "../flow/flow-options.js";
import { dormandPrince, euler } from "../flow/integrator.js";
import { norm } from "../linearise/problem.js";
import type { Reason } from "../linearise/record.js";
import { checkCount } from "../method/options.js";
import type { Network } from "../network/network.js";
import { fittingDataset } from "../train/prepare.js";

export interface DiscretisationGap {
  readonly step: number;
  readonly rows: readonly {
    readonly k: number;
    readonly time: number;
    /** |psi_k - psi(k eta)| / |y - psi_0|, in raw units. */
    readonly predictions: number;
    /** |w_k - w(k eta)| and |w(k eta) - w_0|. */
    readonly parameters: number;
    readonly distance: number;
    /** Mean loss of both. */
    readonly eulerLoss: number;
    readonly flowLoss: number;
  }[];
  /** How the two integrations ended: rows stop where the first of them did. */
  readonly euler: Reason;
  readonly flow: Reason;
}

/**
 * Compares k = 1 ... `steps` Euler steps of size `step` with the flow.
 * @param options as of `flow`; `integrator` is the flow's and should be tight. Default dormandPrince at 1e-9.
 * @throws as `flow`
 */
export async function discretisationGap(
  network: Network,
  data: Dataset | DatasetInput,
  gap: { readonly step: number; readonly steps: number },
  options: Omit<FlowOptions, "from" | "until" | "outputs"> = {},
): Promise<DiscretisationGap> {
  const { step, steps } = gap;
  if (!(typeof step === "number" && step > 0 && step < Number.POSITIVE_INFINITY))
    throw argumentError("gap.step", "must be a positive finite number", step);
  checkCount("gap.steps", steps, 1);
  const until = step * steps;
  // Times the integrator itself reaches: sums of `step`, not products.
  const times: number[] = [];
  for (let time = step; times.length < steps; time += step) times.push(Math.min(time, until));
  const tight = dormandPrince({ relativeTolerance: 1e-9, absoluteTolerance: 1e-12 });
  const exact = await flow(network, data, { integrator: tight, ...options, until, outputs: times });
  const coarse = await flow(network, data, { ...options, integrator: euler({ step }), until, outputs: times });
  const set = fittingDataset(network, data).fitted();
  const psi0 = exact.network.withParameters(network.parameters).predict(set.inputs);
  const scale = norm(psi0.map((value, i) => set.targets[i] - value));
  const count = Math.min(exact.outputs.length, coarse.outputs.length);
  const mean = (psi: Float64Array) => norm(psi.map((value, i) => value - set.targets[i])) ** 2 / psi.length;
  const rows = Array.from({ length: count }, (_, i) => {
    const [a, b] = [coarse.outputs[i].network, exact.outputs[i].network];
    const [pa, pb] = [a.predict(set.inputs), b.predict(set.inputs)];
    return {
      k: i + 1,
      time: times[i],
      predictions: norm(pa.map((value, k) => value - pb[k])) / scale,
      parameters: norm(a.parameters.map((value, k) => value - b.parameters[k])),
      distance: norm(b.parameters.map((value, k) => value - network.parameters[k])),
      eulerLoss: mean(pa),
      flowLoss: mean(pb),
    };
  });
  return { step, rows, euler: coarse.reason, flow: exact.reason };
}
