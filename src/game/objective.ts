// Computes the losses of the two players of a min-max game, their first and second derivatives by the discriminator's outputs, and the penalty
// on the discriminator's gradients. The players' engines (player-engine.ts) call it. b is the number of rows of a batch; all losses are means.
//
//                 discriminator                                                    generator
//   logistic      mean softplus(-D(x)) + mean softplus(D(G(z)))                    mean softplus(-D(G(z)))     (non-saturating)
//   wasserstein   mean D(G(z)) - mean D(x)                                         -mean D(G(z))
//
//   "r1"          weight/2 mean |dD/dx|^2 at the real rows                         (Mescheder, Geiger, Nowozin 2018)
//   "gradient"    weight mean (|dD/dx| - 1)^2 between real rows and samples        (Gulrajani et al. 2017)
import { STEP, type Steps } from "../event-loop-yield.js";
import { activationValue, sigmoid } from "../network/activations.js";
import type { Architecture } from "../network/architecture.js";
import { gradientPenaltySteps } from "../network/input-gradient.js";

/** The losses of a game. */
export type GameLoss = "logistic" | "wasserstein";
export const GAME_LOSSES: readonly GameLoss[] = ["logistic", "wasserstein"];

/** The penalties on the discriminator's gradients by its inputs. */
export type PenaltyName = "r1" | "gradient" | "none";
export const PENALTIES: readonly PenaltyName[] = ["r1", "gradient", "none"];

/** A loss of one output, and its first two derivatives by it. */
export interface OutputTerm {
  readonly value: number;
  readonly slope: number;
  readonly curvature: number;
}

/** The loss of an output that should be large (`sign` 1) or small (-1). */
export function outputTerm(loss: GameLoss, output: number, sign: 1 | -1): OutputTerm {
  switch (loss) {
    case "logistic": {
      const z = -sign * output;
      return {
        value: activationValue("softplus", z),
        slope: -sign * sigmoid(z),
        curvature: sigmoid(z) * sigmoid(-z),
      };
    }
    case "wasserstein":
      return { value: -sign * output, slope: -sign, curvature: 0 };
    default:
      loss satisfies never;
      throw new Error("unreachable");
  }
}

/** The sums over outputs: the loss, and by output its slope and the root of its curvature. */
export interface OutputTerms {
  readonly loss: number;
  readonly slopes: Float64Array;
  readonly roots: Float64Array;
}

/** Outputs of a piece: each takes some 100 ns. */
const PIECE = STEP / 8;

/** The terms of outputs that should be large or small, in pieces. */
export function* outputTermSteps(
  loss: GameLoss,
  outputs: Float64Array,
  signOf: (row: number) => 1 | -1,
): Steps<OutputTerms> {
  const slopes = new Float64Array(outputs.length);
  const roots = new Float64Array(outputs.length);
  let sum = 0;
  for (let i = 0; i < outputs.length; i++) {
    const { value, slope, curvature } = outputTerm(loss, outputs[i]!, signOf(i));
    sum += value;
    slopes[i] = slope;
    roots[i] = Math.sqrt(curvature);
    if (i % PIECE === PIECE - 1) yield;
  }
  return { loss: sum, slopes, roots };
}

/** The value of a penalty, summed over the rows of `points`, in pieces; its gradient is added to `into`, unless that is null. */
export function* penaltySteps(
  penalty: PenaltyName,
  weight: number,
  discriminator: Architecture,
  parameters: Float64Array,
  points: Float64Array,
  into: Float64Array | null,
): Steps<number> {
  switch (penalty) {
    case "none":
      return 0;
    case "r1":
      return yield* gradientPenaltySteps(
        discriminator,
        parameters,
        points,
        (s) => ({ value: 0.5 * weight * s * s, factor: weight }),
        into,
      );
    case "gradient":
      return yield* gradientPenaltySteps(
        discriminator,
        parameters,
        points,
        // At a gradient of 0 the length has no derivative: the direction is left as it is, 0.
        (s) => ({ value: weight * (s - 1) ** 2, factor: s > 0 ? 2 * weight * (1 - 1 / s) : 0 }),
        into,
      );
    default:
      penalty satisfies never;
      throw new Error("unreachable");
  }
}
