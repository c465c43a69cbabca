// Has it converged? Bates and Watts (1981): at a minimum the residual is orthogonal to the tangent space. Their relative offset
//   sqrt(tangent^2/p) / sqrt(normal^2/(n c - p))
// compares what a step could still explain with the noise; below 0.001 further steps are lost in the uncertainty of the data. Where
// the network can interpolate (p >= n c, or no normal part to rounding) the objective itself has to reach the rounding floor.
import type { MonitorReport } from "../linearise/observer.js";
import type { ReportInput } from "./report.js";

export const relativeOffset = 1e-3;

/** Within this factor of the floor an objective is as small as rounding lets it be. */
const atFloor = 100;

export function convergence(
  { run, reason, floor, observations }: ReportInput,
  optimum: MonitorReport["optimum"],
): MonitorReport["converged"] {
  const last = observations.at(-1);
  if (run === null || last === undefined || reason === null) return { holds: false, message: "no end was seen" };
  const ended = `it ended because ${reason.message}`;
  if (last.objective <= atFloor * floor)
    return { holds: true, message: `yes: the objective ${last.objective.toExponential(3)} is at its rounding floor` };
  const p = run.engine.parameterCount;
  const equations = run.engine.sampleCount * run.engine.outputSize;
  const { tangentNorm, normalNorm } = last;
  if (p >= equations || tangentNorm === null || normalNorm === null) {
    const first = observations[0].objective;
    const share = first > 0 ? (last.objective - optimum.value) / first : 0;
    return {
      holds: false,
      message: `not to rounding: the excess objective is ${share.toExponential(2)} of what it was at the start; ${ended}`,
    };
  }
  const offset = Math.sqrt(tangentNorm ** 2 / p) / Math.sqrt(normalNorm ** 2 / (equations - p));
  const numbers = `relative offset ${offset.toExponential(2)}, the residual's tangent part is ${tangentNorm.toExponential(2)} of ${Math.hypot(tangentNorm, normalNorm).toExponential(2)}`;
  return offset <= relativeOffset
    ? { holds: true, message: `yes: ${numbers}` }
    : { holds: false, message: `no: ${numbers} (a minimum has less than ${relativeOffset}); ${ended}` };
}
