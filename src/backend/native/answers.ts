// Turns what the addon answers into what the Engine interface promises: engine.ts calls it after each linearization and solve, and for every
// failure whose place need not be looked for.
import { changedError } from "../../data/row-reader.js";
import { GaussflowError } from "../../errors.js";
import type { Curvature } from "../curvature.js";
import type { Failure, Linearized, Solved } from "../engine.js";
import { indefinite, singularTriangle } from "../indefinite.js";
import { refusedMemory } from "../memory.js";
import { imprecise } from "../single.js";
import type { NativeFailure, NativeLinearized, NativeSolved } from "./binding.js";

/** By the number that the addon has for it. */
const NON_FINITE = ["loss", "gradient", "curvature", "step"] as const;

/** Which quantity is not finite. */
export function nonFiniteOf({ value }: NativeFailure): (typeof NON_FINITE)[number] {
  return NON_FINITE[value] ?? "loss";
}

export function linearizedOf(answer: NativeLinearized): Linearized {
  return {
    ok: true,
    loss: answer.loss,
    gradient: answer.gradient,
    gradientCosine: answer.gradientCosine,
    ...(answer.residualSquare === null ? {} : { residualSquare: answer.residualSquare }),
    seconds: { passes: answer.passSeconds, curvature: answer.curvatureSeconds },
    ...(answer.diagonal === null ? {} : { diagonal: answer.diagonal }),
  };
}

export function solvedOf({ step, residual, condition, rank, steps }: NativeSolved, seconds: number): Solved {
  const solved = { ok: true, step, residual, condition, seconds } as const;
  if (steps > 0) return { ...solved, steps };
  if (rank === null) return solved;
  const [count, relative, largest, smallest] = rank;
  return { ...solved, rank: { rank: count, tolerance: relative, largest, smallest } };
}

/** The error of a call whose flag was raised without a signal, on this rank or on another. */
export function stoppedDuring(rank: number | undefined): GaussflowError {
  const what = rank === undefined ? "the engine was disposed of" : `rank ${rank} has stopped`;
  return new GaussflowError("GAUSSFLOW_STATE", `${what} during the call`);
}

/** What a failure is about. */
interface FailedCall {
  readonly held: Curvature;
  /** Of the last solve. */
  readonly tolerance: number;
  /** Where the samples are; undefined = in memory. */
  readonly file: string | undefined;
}

/** The failure, or the error that it is. All but a number that is not finite, whose place has to be found. */
export function failureOf({ failure, value, rank }: NativeFailure, { held, tolerance, file }: FailedCall): Failure {
  switch (failure) {
    case "memory":
      return refusedMemory(value, rank);
    case "indefinite":
      return held === "orthogonal" ? singularTriangle(value) : indefinite(value);
    case "imprecise":
      return imprecise(value, tolerance);
    case "file":
      throw changedError(file ?? "", value);
    case "nonFinite":
      throw new GaussflowError("GAUSSFLOW_INTERNAL", "a number that is not finite where its place is not looked for");
    case "misuse":
    case "canceled":
      throw new GaussflowError(
        "GAUSSFLOW_STATE",
        "there is no curvature or no factor: linearize with one before solving, and solve before accelerating",
      );
    case "unreachable":
      throw new GaussflowError(
        "GAUSSFLOW_MPI",
        "the other ranks cannot be reached any more: one of them has ended, or this process is ending",
      );
    case "internal":
      throw new GaussflowError("GAUSSFLOW_INTERNAL", "the native engine met an error that is not about memory");
    default:
      return failure satisfies never;
  }
}
