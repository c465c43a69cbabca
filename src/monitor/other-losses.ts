// What the monitor says of a run whose loss is not squared error. The rates of the theory, its optimum and the convergence test by the
// residual are proven for squared error alone, so nothing is promised. The measured quantities keep their meaning for every loss whose
// curvature has a factor R: with J~ = sqrt(s) R^T J, gradient F and undamped step -(J~^T J~ + decay I)^-1 F
//
//   tangent^2/2   the reduction of the objective that the undamped quadratic model offers (half the square of the Newton decrement)
//   dissipation   F^T H^-1 F = -d objective/dt along the flow
//   spectrum      that of the curvature J~ J~^T, whose condition decides how the damped systems are solved
//
// Near a minimum the offered reduction falls as the excess objective does, and needs no optimum. Its rate is reported as measured.
import { type Loss, lossRule } from "../loss/rules.js";
import type { ObservedRun } from "../run/observer.js";
import type { Judged } from "./judge-flow.js";
import type { MonitorReport, RateFit } from "./monitor-report.js";
import type { Observation, Observations } from "./observation.js";
import type { RatePoint } from "./rate-fit.js";

/** Why no rate is promised to a run with this loss, as a sentence; null for squared error. */
export function withoutPromise(loss: Loss): string | null {
  const { sumOfSquares, label } = lossRule(loss);
  return sumOfSquares
    ? null
    : `no rate is promised: the rates of the theory are proven for squared error alone, and this run minimizes the ${label}`;
}

/** An offered reduction below this share of the objective is rounding. */
const rounding = 1000 * Number.EPSILON;

/** Less than this share of what the run has gained is no reduction that matters: the square of 0.001, the relative offset of squared error. */
const smallShare = 1e-6;

const offered = ({ tangentNorm }: Observation) => (tangentNorm === null ? null : tangentNorm ** 2 / 2);

/** The offered reduction at the observed points, above its rounding. */
export function offeredSeries({ observations }: Observations): RatePoint[] {
  return observations.flatMap((one) => {
    const value = offered(one);
    return value !== null && value > rounding * Math.abs(one.objective) ? [{ position: one.position, value }] : [];
  });
}

/** The verdict names what is measured, and that nothing is promised. */
export function judgeOther(input: Observations, run: ObservedRun, optimumKnown: boolean, fit: RateFit | null): Judged {
  const what = optimumKnown ? "the excess objective" : "the reduction that the undamped model offers";
  const unit = run.kind === "flow" ? "" : " an iteration";
  const rate =
    fit === null
      ? "there are too few points for a rate"
      : `${what} falls at rate ${fit.measured.toPrecision(5)} (+- ${fit.standardError.toExponential(1)} of the line fit)${unit}`;
  const last = input.observations.at(-1);
  const ratios = input.train.flatMap(({ gainRatio }) => (gainRatio === null ? [] : [gainRatio]));
  const gain = ratios.length === 0 ? null : ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  const damping = last?.flow?.damping ?? last?.train?.damping ?? null;
  const measured = [
    rate,
    ...(gain === null ? [] : [`steps keep ${gain.toPrecision(3)} of the reduction that the damped model offers`]),
    ...(damping === null ? [] : [`the damping at the end is ${damping.toExponential(2)}`]),
    ...(last?.spectrum ? [`the curvature has condition ${last.spectrum.condition.toExponential(2)}`] : []),
  ];
  const message = `${withoutPromise(run.loss)}; measured: ${measured.join(", ")}`;
  return { verdict: { code: "not-applicable", message }, promised: null, attainable: null };
}

/** Whether the undamped model still offers a reduction that matters, against what the run has gained. */
export function convergenceOther({ reason, observations }: Observations): MonitorReport["converged"] {
  const [first, last] = [observations[0], observations.at(-1)];
  if (first === undefined || last === undefined || reason === null) return { holds: false, message: "no end was seen" };
  const left = offered(last);
  if (left === null)
    return { holds: false, message: "not known: `parts` is off, or its system is singular to rounding" };
  const gained = Math.max(0, first.objective - last.objective);
  const fell = last.gradientNorm / first.gradientNorm;
  const numbers = `the undamped model offers ${left.toExponential(2)}, the run has gained ${gained.toExponential(2)}${Number.isFinite(fell) ? `, the gradient is ${fell.toExponential(2)} of that at the start` : ""}`;
  return left <= Math.max(smallShare * gained, rounding * Math.abs(last.objective))
    ? {
        holds: true,
        message: `yes: further steps would lower the objective by less than a millionth of its fall (${numbers})`,
      }
    : {
        holds: false,
        message: `no: further steps could still lower the objective (${numbers}; a minimum has less than a millionth)`,
      };
}
