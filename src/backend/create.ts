// Creates engines: the native one if it is available, else the TypeScript one with a warning that names what is missing and the command
// that installs it. If the caller asks for "native", a missing addon is an error. `train`, `flow`, predictAsync, the monitor and the
// experiments create their engines here, and `createEngine` is public; planning and trainMany use chooseBackend and chooseThreads alone.
import { availableParallelism, cpus } from "node:os";
import { ranksHere } from "../cluster/launch.js";
import { argumentError, GaussflowError } from "../errors.js";
import { finish, finishInTurns, Pace, type Steps } from "../event-loop-yield.js";
import type { Architecture } from "../network/architecture.js";
import { checkOptionNames } from "../options.js";
import { checkEngine, engineTargetSteps } from "./check-engine.js";
import type { EngineData } from "./engine.js";
import { nativeEngineSteps } from "./native/engine.js";
import { loadNative } from "./native/load.js";
import type { NetworkEngine } from "./network-engine.js";
import { referenceEngineSteps } from "./reference/engine.js";

/** `auto` is native with a fall-back; `typescript` is the plain engine. */
export type Backend = "auto" | "native" | "typescript";

/** Which engine computes, and on how many threads. */
export interface BackendOptions {
  /** Default: environment variable GAUSSFLOW_BACKEND, else "auto". */
  readonly backend?: Backend | undefined;
  /**
   * Most threads of the native engine, 1 to 64. Default: GAUSSFLOW_THREADS, else all processors, or the share of a rank under mpirun. Results do not depend on it. `train` and `flow` use
   * one thread where the plan predicts that more would not be faster (small problems), and each job of `trainMany` its share, at least one;
   * the plan's and the result's `threads` say how many were used. The TypeScript engine has one.
   */
  readonly threads?: number | undefined;
}

const MOST_THREADS = 64;
let warned = false;

/** The engine for one architecture on one data set. */
export function createEngine(
  architecture: Architecture,
  data: EngineData,
  options: BackendOptions = {},
): NetworkEngine {
  return finish(engineSteps(architecture, data, options));
}

/**
 * The same in turns with the event loop: an engine copies its samples. `data` must not change meanwhile.
 * @throws the signal's reason once it has been aborted
 */
export function createEngineInTurns(
  architecture: Architecture,
  data: EngineData,
  options: BackendOptions,
  signal: AbortSignal | undefined,
): Promise<NetworkEngine> {
  return finishInTurns(engineSteps(architecture, data, options), new Pace(signal));
}

function* engineSteps(architecture: Architecture, data: EngineData, options: BackendOptions): Steps<NetworkEngine> {
  checkOptionNames("options", options, ["backend", "threads"]);
  const threads = chooseThreads(options.threads);
  checkEngine(architecture, data);
  yield* engineTargetSteps(architecture, data);
  const backend = chooseBackend(options.backend);
  if (data.ranks !== undefined && backend !== "native")
    throw argumentError("options.backend", 'must be "native" with data.ranks', backend);
  return yield* backend === "native"
    ? nativeEngineSteps(architecture, data, threads)
    : referenceEngineSteps(architecture, data);
}

/** Which engine would be used now; warns (once) when that is a fall-back, throws when "native" cannot be had. */
export function chooseBackend(asked?: Backend): "native" | "typescript" {
  const fromEnvironment = asked === undefined;
  const choice = asked ?? process.env.GAUSSFLOW_BACKEND ?? "auto";
  if (choice !== "auto" && choice !== "native" && choice !== "typescript") {
    const name = fromEnvironment ? "environment variable GAUSSFLOW_BACKEND" : "options.backend";
    throw argumentError(name, 'must be "auto", "native" or "typescript"', choice);
  }
  if (choice === "typescript") return "typescript";
  const native = loadNative();
  if (native.ok) return "native";
  if (choice === "native") {
    throw new GaussflowError(
      "GAUSSFLOW_NO_NATIVE",
      `the native engine is not available: ${native.reason}. To get it: ${native.hint}`,
      { reason: native.reason, hint: native.hint },
    );
  }
  if (!warned) {
    warned = true;
    process.emitWarning(
      `using the TypeScript engine, which is many times slower, because ${native.reason}. To get the native one: ${native.hint}`,
      { type: "GaussflowWarning", code: "GAUSSFLOW_NO_NATIVE" },
    );
  }
  return "typescript";
}

/** Of calls that a thread with nothing else to do waits for: some 10 ms on one core, which a signal can wait as well. */
const PATIENT_FLOPS = 5e7;

/**
 * For threads that only train: from now on the native calls of engines with one thread run synchronously up to that size, and no
 * longer hop to another thread and back.
 */
export function runCallsInPlace(): void {
  const native = loadNative();
  if (native.ok) native.binding.synchronousUpTo(PATIENT_FLOPS);
}

/** All processors, of which the ranks of an MPI run on this machine have their shares. */
function defaultThreads(): number {
  const share = Math.max(1, Math.floor(cpus().length / ranksHere(process.env)));
  return Math.min(availableParallelism(), share, MOST_THREADS);
}

/** Threads by option, environment or processors, checked. */
export function chooseThreads(asked?: number): number {
  const text = process.env.GAUSSFLOW_THREADS;
  const name = asked === undefined ? "environment variable GAUSSFLOW_THREADS" : "options.threads";
  const value = asked ?? (text === undefined || text === "" ? defaultThreads() : Number(text));
  if (!Number.isInteger(value) || value < 1 || value > MOST_THREADS) {
    throw argumentError(name, `must be a whole number from 1 to ${MOST_THREADS}`, asked ?? text);
  }
  return value;
}
