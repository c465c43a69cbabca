// Collects the sizes that the planner needs of a flow (its own and those of run/plan-request.ts); `flow` calls it before it makes its
// engine.
import type { BackendOptions } from "../backend/create.js";
import type { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import type { Network } from "../network/network.js";
import type { PlanRequest } from "../plan/plan.js";
import { FLOW_ROUTES, type FlowRoute } from "../plan/route.js";
import type { Observer } from "../run/observer.js";
import { dataBytes, planRequest } from "../run/plan-request.js";
import type { CompletedRunOptions } from "../run/run-options.js";

/** @param undamped whether the flow has neither damping nor weight decay */
export function flowRequest(
  network: Network,
  whole: Dataset | FileDataset,
  fit: Dataset,
  completed: CompletedRunOptions,
  asked: "auto" | FlowRoute,
  options: BackendOptions & { readonly monitor?: Observer | undefined },
  undamped: boolean,
): PlanRequest<FlowRoute> {
  const copies = dataBytes(whole, whole.sampleCount) + (fit === whole ? 0 : dataBytes(fit, fit.sampleCount));
  const sizes = { fit: fit.sampleCount, validation: 0, copies, routes: FLOW_ROUTES, released: false };
  // Of its own choice a flow turns from the primal route where the Gram matrix is singular to rounding. An undamped one that gets stuck looks
  // for the rank of J by the same triangle.
  const turns = asked === "auto" || undamped;
  const beside = { observed: options.monitor?.needs, turns };
  // Under ranks a flow holds all rows beside those of its slots, for the norm of its errors: planned as if this process had them all.
  return { ...planRequest(network, whole, sizes, completed, asked, options, beside), ranks: 1 };
}
