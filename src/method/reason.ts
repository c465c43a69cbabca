// The reasons for which a run ends: codes for programs, sentences for people. `train` and `flow` return one.
import type { NonFinite } from "../backend/engine.js";

/** Why a run ended. Every code comes with a sentence that holds the numbers. */
export type ReasonCode =
  | "gradient"
  | "step"
  | "reduction"
  | "loss"
  | "iterations"
  | "seconds"
  | "patience"
  | "aborted"
  | "damping-saturated"
  | "no-progress"
  | "non-finite"
  | "memory"
  // of flows
  | "until"
  | "event"
  | "steps"
  | "step-too-small"
  | "singular-jacobian";

/** Why a run ended. */
export interface Reason {
  /** The reason, for programs. */
  readonly code: ReasonCode;
  /** The reason, as a sentence with the numbers. */
  readonly message: string;
  /** With `non-finite`: the place of the first number that is not finite. */
  readonly where?: NonFinite | undefined;
}
