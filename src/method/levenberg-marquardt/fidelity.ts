// Decides how exactly Levenberg-Marquardt forms its next curvature: in single precision (`../../step/precision.ts`), on
// a subset of the samples (`../../step/subset.ts`), and with which tolerance of the conjugate gradients
// (`../../step/forcing.ts`). levenberg-marquardt.ts offers it as the method's `fidelity`, which the training loop asks
// before each linearization.
import type { Fidelity, RunSizes } from "../../step/fidelity.js";
import { forcingTerm, gainTerm } from "../../step/forcing.js";
import { nextPrecision, singlePays } from "../../step/precision.js";
import { drawSubset, leastPromise, nextSubset, plannedSubset, type Sampled } from "../../step/subset.js";
import { type FidelityPolicy, numberOf, type RunPosition } from "../method.js";
import type { LevenbergMarquardtSettings } from "./options.js";
import { isStalled } from "./residual-curvature.js";

/** The settings that the policy depends on. */
type Choices = Pick<LevenbergMarquardtSettings, "precision" | "curvatureSamples" | "hessian">;

/** The policy of these settings. */
export function fidelityPolicy(choices: Choices): FidelityPolicy {
  return {
    planned(sizes) {
      const sampled = sampledRoute(sizes, choices);
      return {
        single: singlePays(sizes, choices.precision),
        subset: sampled === null ? null : plannedSubset(sizes, sampled),
      };
    },
    next: (sizes, position) => (sizes.route === "matrix-free" ? ofProducts : ofMatrix)(sizes, choices, position),
  };
}

/** The route as one that uses a subset; null where a run of these sizes never does. */
function sampledRoute(sizes: RunSizes, { precision, curvatureSamples, hessian }: Choices): Sampled | null {
  if (curvatureSamples === "all" || sizes.route === "dual") return null;
  // A subset would precondition the exact Hessian poorly. Without a matrix it is the model itself, far from the
  // minimum.
  if (sizes.route === "primal" && hessian === "auto" && sizes.exactHessian === true) return null;
  if (sizes.route === "primal") return singlePays(sizes, precision) ? "primal" : null;
  // A subset of fewer samples than outputs lacks most classes, and the passes over all samples outweigh the products
  // that it saves.
  const lacking = (plannedSubset(sizes, "matrix-free")?.first ?? sizes.outputSize) < sizes.outputSize;
  return lacking && hessian === "auto" && sizes.exactHessian === true ? null : "matrix-free";
}

/** Matrix-free: the products are those of the subset, which is the model itself. */
function ofProducts(sizes: RunSizes, choices: Choices, { iteration, records }: RunPosition): Fidelity {
  const tolerance = forcingTerm(records);
  if (sampledRoute(sizes, choices) === null) return { tolerance };
  const subset = drawn(sizes, "matrix-free", iteration, records);
  return { subset, tolerance, scarceBelow: leastPromise["matrix-free"] };
}

/**
 * With a matrix: single precision, whose factor may be that of a subset. A run that stalls uses the exact curvature.
 */
function ofMatrix(sizes: RunSizes, choices: Choices, { state, iteration, records }: RunPosition): Fidelity {
  if (!singlePays(sizes, choices.precision)) return {};
  const damping = state === null ? Number.POSITIVE_INFINITY : numberOf(state, "damping");
  const stalled = state !== null && isStalled(state);
  const precision = stalled ? "double" : nextPrecision(damping, records);
  const tolerance = precision === "single" ? gainTerm(records) : undefined;
  if (sampledRoute(sizes, choices) === null) return { precision, tolerance };
  const subset = precision === "single" ? drawn(sizes, "primal", iteration, records) : null;
  return { precision, subset, tolerance };
}

/** The samples of the next linearization; null = all. */
function drawn(
  sizes: RunSizes,
  route: Sampled,
  iteration: number,
  records: RunPosition["records"],
): Uint32Array | null {
  const count = nextSubset(sizes, route, records);
  return count === null ? null : drawSubset(count, sizes.sampleCount, iteration);
}
