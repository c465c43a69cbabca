// Decides whether a run has converged, by the relative offset of Bates and Watts (1981): at a minimum the residual is orthogonal to the
// tangent space. report.ts calls it once at the end of a run.
//   sqrt(tangent^2/r) / sqrt(normal^2/(m - r)),   m residuals (with a weight decay n c + p), r the rank of their Jacobian
// The offset compares what a step could still explain with the noise; below 0.001 further steps are smaller than the uncertainty of the
// data. Where the network can interpolate (m = r), the objective itself has to reach the rounding floor.

import type { ObservedRun } from "../run/observer.js";
import type { MonitorReport } from "./monitor-report.js";
import { deadNetwork, type Observations } from "./observation.js";

const relativeOffset = 1e-3;

/** A normal part below this share of the residual is rounding. */
const canceled = 1e-14;

/** Within this factor of the rounding floor an objective counts as converged. */
const atFloor = 100;

/** The rounding floor says "converged" where it is at most this share of the targets' own |y|^2/2. */
const leastResolved = 1e-4;

export function convergence(
  { reason, floor, terms, observations }: Observations,
  { engine, decay, resolution, architecture }: ObservedRun,
  optimum: MonitorReport["optimum"],
): MonitorReport["converged"] {
  const last = observations.at(-1);
  if (last === undefined || reason === null) return { holds: false, message: "no end was seen" };
  if (last.objective <= atFloor * floor) {
    const at = `objective ${last.objective.toExponential(3)}, at its rounding floor`;
    const { targets, shift } = terms ?? { targets: 0, shift: 0 };
    if (shift === 0 || atFloor * floor <= (leastResolved * targets ** 2) / 2 || targets === 0)
      return { holds: true, message: `yes: the training error is as small as rounding lets it be (${at})` };
    return {
      holds: false,
      message: `not known: rounding hides what is left of the error; a smaller outputScale would tell more (${at}, which outputScale ${architecture.outputScale} lifts to ${floor.toExponential(2)} where the targets are |y|^2/2 = ${(targets ** 2 / 2).toExponential(2)})`,
    };
  }
  if (Math.max(observations[0].objective, last.objective) <= atFloor * resolution)
    return {
      holds: true,
      message: `yes: the error is, as it was at the start, smaller than those of time integration (objective ${last.objective.toExponential(3)} against ${resolution.toExponential(2)})`,
    };
  const { tangentNorm, normalNorm } = last;
  if (last.rank === 0 && decay === 0) return { holds: false, message: `not known: ${deadNetwork}` };
  if (tangentNorm === null || normalNorm === null)
    return { holds: false, message: `not known: \`parts\` is off, or its system is singular to rounding` };
  const p = engine.parameterCount;
  const equations = engine.sampleCount * engine.outputSize;
  // A decay adds one row for every parameter, so the rank is p.
  const rank = decay > 0 ? p : (last.rank ?? Math.min(p, equations));
  const freedom = equations + (decay > 0 ? p : 0) - rank;
  if (freedom === 0) {
    const first = observations[0].objective;
    const share = first > 0 ? (last.objective - (optimum?.value ?? 0)) / first : 0;
    return {
      holds: false,
      message: `no: the network has parameters enough to fit every training row exactly, and is not there (${share.toExponential(2)} of the excess objective at the start is left)`,
    };
  }
  if (normalNorm <= canceled * Math.hypot(tangentNorm, normalNorm))
    return {
      holds: false,
      message: `no: further steps could still explain all of the training error (residual ${tangentNorm.toExponential(2)}, tangent to rounding)`,
    };
  const offset = Math.sqrt(tangentNorm ** 2 / rank) / Math.sqrt(normalNorm ** 2 / freedom);
  const numbers = `relative offset ${offset.toExponential(2)}, the residual's tangent part is ${tangentNorm.toExponential(2)} of ${Math.hypot(tangentNorm, normalNorm).toExponential(2)}`;
  return offset <= relativeOffset
    ? { holds: true, message: `yes: further steps would change less than the noise of the data (${numbers})` }
    : {
        holds: false,
        message: `no: further steps could still lower the training error (${numbers}; a minimum has less than ${relativeOffset})`,
      };
}
