// Trains a network on equations: prepares the engine, runs the loop (minimize.ts) with points renewed on the way, and makes the result.
// train.ts calls it where it is given equations in place of data.
import { checkWritable } from "../atomic-file.js";
import { chooseBackend, chooseThreads } from "../backend/create.js";
import { createJetEngine, jetResiduals } from "../backend/create-jets.js";
import type { JetEngine } from "../backend/jet-engine.js";
import type { EquationProblem } from "../equations/equation-problem.js";
import { argumentError } from "../errors.js";
import { scalingInEffect } from "../linearize/problem.js";
import type { Network } from "../network/network.js";
import { layerSizes } from "../network/parameters.js";
import { type EquationPlan, planEquations, refuseEquations } from "../plan/equations-plan.js";
import type { TrainRecord } from "../run/record.js";
import { listed } from "../suggest.js";
import { type CheckpointForm, readCheckpoint, writeCheckpoint } from "./checkpoint.js";
import { equationsIdentity } from "./equations-identity.js";
import {
  type CompletedEquationOptions,
  completeEquationOptions,
  type EquationTrainOptions,
} from "./equations-options.js";
import { heldLength, RenewedPoints } from "./equations-points.js";
import type { EquationsResult, TermResiduals } from "./equations-result.js";
import { estimateUnknowns, undeterminedUnknowns } from "./equations-unknowns.js";
import { minimize } from "./minimize.js";
import type { MinimizeResult } from "./minimize-options.js";
import type { RunIdentity } from "./run-identity.js";
import type { Best, Snapshot } from "./snapshot.js";

/** The records, and the result at the end. @throws as `train` */
export async function* equationSteps<Field>(
  network: Network,
  problem: EquationProblem<Field>,
  options: EquationTrainOptions,
): AsyncGenerator<TrainRecord, EquationsResult<Field>> {
  const completed = completeEquationOptions(options);
  checkFresh(network);
  problem.checkNetwork(network);
  const { architecture } = network;
  const backend = chooseBackend(options.backend);
  const threads = backend === "native" ? chooseThreads(options.threads) : 1;
  const plan = planEquations(architecture, problem.jets, backend, threads, completed.memoryLimit);
  refuseEquations(plan);
  if (completed.checkpoint !== null) await checkWritable(completed.checkpoint.path);
  const print = await equationsIdentity(network, problem, completed, options.signal);
  const make = (jets: EquationProblem["jets"]) => createJetEngine(architecture, jets, { backend, threads });
  const engine = make(problem.jets);
  try {
    const renewal = problem.renewals.length === 0 ? null : new RenewedPoints(problem, engine, make);
    const resume = await resumed(problem, engine, completed, print);
    if (resume !== null)
      await renewal?.restore(resume.iteration, resume.renewal ?? new Float64Array(0), options.signal);
    const starts = problem.unknowns.map(({ start }) => start);
    const result = yield* minimize(engine, Float64Array.of(...network.parameters, ...starts), {
      method: completed.method,
      stop: completed.stop,
      route: "primal",
      decay: 0,
      condition: completed.condition,
      layerSizes: [...layerSizes(architecture), ...(starts.length > 0 ? [starts.length] : [])],
      signal: options.signal,
      observer: options.onRecord && { onRecord: options.onRecord },
      renewal,
      checkpoint: completed.checkpoint && {
        every: completed.checkpoint.every,
        write: (snapshot) =>
          writeCheckpoint(completed.checkpoint!.path, snapshot, print, { scale: null, start: null, slots: 1 }),
      },
      resume,
    });
    return await finish(network, problem, engine, plan, result, options.signal);
  } finally {
    engine.dispose();
  }
}

/** An equation holds in its own units, which a network that was trained on data does not have. @throws GAUSSFLOW_ARGUMENT */
function checkFresh({ scaling, encoding, link, center }: Network): void {
  if (center !== null)
    throw argumentError("network", "must not be centered with equations: leave options.centered out", "a centered one");
  if (scaling !== null || encoding !== null || link !== "identity")
    throw argumentError(
      "network",
      "must be one without the units and the link of an earlier training on data: make one by network(...)",
      "a network trained on data",
    );
}

async function resumed(
  problem: EquationProblem,
  engine: JetEngine,
  { resume, method }: CompletedEquationOptions,
  print: RunIdentity,
): Promise<Snapshot | null> {
  if (resume === null) return null;
  const { parameterCount } = engine;
  const effect = scalingInEffect(method.scaling, "primal", 0);
  const form: CheckpointForm = {
    parameterCount,
    scalingLength: effect === "identity" ? null : parameterCount,
    validated: false,
    batches: false,
    relativeGradient: false,
    renewalLength: problem.renewals.length === 0 ? null : heldLength(problem, parameterCount),
    state: method.start(1, effect, parameterCount),
    checkState: method.checkState,
  };
  return readCheckpoint({ path: resume, agreement: null, print, slots: 1 }, form);
}

async function finish<Field>(
  network: Network,
  problem: EquationProblem<Field>,
  engine: JetEngine,
  plan: EquationPlan,
  { best, last, ...run }: MinimizeResult,
  signal: AbortSignal | undefined,
): Promise<EquationsResult<Field>> {
  const p = network.parameterCount;
  const fieldAt = ({ parameters }: Best) =>
    problem.field(network.withParameters(parameters.slice(0, p)), parameters.slice(p), jetResiduals);
  const unknowns = await estimateUnknowns(problem, engine, best.parameters, signal);
  return {
    network: fieldAt(best),
    last: fieldAt(last),
    unknowns,
    terms: termResiduals(problem, await engine.residuals(best.parameters)),
    reason: run.reason,
    records: run.records,
    iterations: run.iterations,
    bestIteration: best.iteration,
    loss: best.loss,
    seconds: run.elapsed,
    plan,
    engine: engine.kind,
    threads: engine.threads,
    warnings: [...run.warnings, ...undeterminedUnknowns(unknowns)],
    chosen: describe(network, problem, plan),
  };
}

/** Weights out: the engine has each residual times its factor. A factor of 0 leaves a residual of which nothing is known. */
function termResiduals({ jets }: EquationProblem, residuals: Float64Array): readonly TermResiduals[] {
  if (!residuals.every(Number.isFinite)) return [];
  let from = 0;
  return jets.terms.map(({ name, points, factors }) => {
    const own = residuals.subarray(from, from + points * factors.length).map((row, i) => {
      const factor = factors[i % factors.length];
      return factor === 0 ? 0 : row / factor;
    });
    from += own.length;
    const rootMeanSquare = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0) / own.length);
    const largest = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return { name, points, rootMeanSquare, largest };
  });
}

/** "Network 3-20-20-1 (521 parameters), trained on 4608 residuals of inside (4096 points) and start (512 points); unknown: nu." */
function describe(
  { inputSize, architecture }: Network,
  { jets, unknowns }: EquationProblem,
  plan: EquationPlan,
): string {
  const sizes = [inputSize, ...architecture.layers.map(({ outputSize }) => outputSize)].join("-");
  const terms = listed(jets.terms.map(({ name, points }) => `${name} (${points} points)`));
  const sought = unknowns.length === 0 ? "" : `; unknown: ${listed(unknowns.map(({ name }) => name))}`;
  return `Network ${sizes} (${architecture.parameterCount} parameters), trained on ${plan.equationCount} residuals of ${terms}${sought}.`;
}
