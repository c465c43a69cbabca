// Finds the Gauss-Newton direction of the regularized objective of a batch, d = -(J~^T J~ + D)^-1 (J~^T z~ + r), for
// `ggnScore` (ggn-score.ts), by one of two forms that are equal but for rounding:
//
//   parameters   the engine's Gram matrix (p x p), its factor with the scaling D, and one more solve with that factor for r
//   rows         row-form.ts, with the rows of J from the engine
import { type Engine, type Failure, failed, type Linearized } from "../../backend/engine.js";
import type { NetworkEngine } from "../../backend/network-engine.js";
import type { EngineRows } from "../../backend/rows.js";
import { GaussflowError } from "../../errors.js";
import { Pace } from "../../event-loop-yield.js";
import { type Loss, lossRule } from "../../loss/rules.js";
import { rowStep, weightRows } from "./row-form.js";

/** What a direction is made from, besides the engine. */
export interface DirectionRequest {
  readonly form: "parameters" | "rows";
  /** Point, p entries. */
  readonly parameters: Float64Array;
  /** Weight decay of the batch's objective. */
  readonly decay: number;
  /** D without the decay, p entries. */
  readonly diagonal: Float64Array;
  /** r without the decay, p entries. */
  readonly rest: Float64Array;
  /** Array for the gradient of loss and decay, p entries. */
  readonly gradient: Float64Array;
  /** What the engine minimizes, and the rows that it holds: the row form weights them itself. */
  readonly loss: Loss;
  readonly batch: EngineRows | null;
  readonly signal: AbortSignal;
}

/** A direction at a linearized point. */
export interface Direction {
  readonly ok: true;
  /** d, p entries. */
  readonly direction: Float64Array;
  /** Sum loss, and gradient with the decay, at the point. */
  readonly point: Linearized;
  /** Seconds of the solve. */
  readonly seconds: number;
}

export async function directionOf(engine: Engine, request: DirectionRequest): Promise<Direction | Failure> {
  const { form, parameters, decay, gradient, signal } = request;
  const curvature = form === "rows" ? "none" : "primal";
  const point = await engine.linearize(parameters, { curvature, decay, scaling: null, gradient }, signal);
  if (failed(point)) return point;
  const start = performance.now();
  const direction = await (form === "rows" ? byRows(engine, request) : byParameters(engine, request));
  if (failed(direction)) return direction;
  const bad = direction.step.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const message = `the regularized Gauss-Newton system gave a step that is not finite, first at parameter ${bad}`;
    return { code: "non-finite", message, where: { what: "step", parameter: bad } };
  }
  return { ok: true, direction: direction.step, point, seconds: (performance.now() - start) / 1000 };
}

interface Step {
  readonly ok: true;
  readonly step: Float64Array;
}

async function byParameters(
  engine: Engine,
  { decay, diagonal, rest, signal }: DirectionRequest,
): Promise<Step | Failure> {
  if (engine.dampedInverse === undefined)
    throw new GaussflowError("GAUSSFLOW_STATE", "ggnScore needs an engine with dampedInverse");
  const solved = await engine.solve({ damping: 1, decay, scaling: diagonal }, signal);
  if (failed(solved)) return solved;
  const pull = await engine.dampedInverse(rest, signal);
  if (!(pull instanceof Float64Array)) return pull;
  const { step } = solved;
  for (let j = 0; j < step.length; j++) step[j]! -= pull[j]!;
  return { ok: true, step };
}

async function byRows(engine: Engine, request: DirectionRequest): Promise<Step | Failure> {
  const { parameters, decay, diagonal, rest, loss, batch, signal } = request;
  const { forward, jacobian } = engine as Partial<NetworkEngine>;
  if (forward === undefined || jacobian === undefined || batch === null)
    throw new GaussflowError(
      "GAUSSFLOW_STATE",
      "ggnScore({ system: 'rows' }) needs an engine of a network, and its rows in memory",
    );
  const { sampleCount: count, outputSize: c, parameterCount: p } = engine;
  const predictions = await forward.call(engine, parameters, signal);
  const rows = await jacobian.call(engine, parameters, 0, count, signal);
  const rule = lossRule(loss);
  const seeds = {
    factor: new Float64Array(rule.factor === "full" ? count * c * c : count * c),
    z: new Float64Array(count * c),
    gradient: new Float64Array(count * c),
  };
  const roots = batch.weights?.map(Math.sqrt) ?? null;
  rule.apply({ count, outputSize: c, predictions, targets: batch.targets, roots, first: 0 }, seeds);
  const pace = new Pace(signal);
  await weightRows(rows, seeds.factor, c, p, pace);
  const system = {
    rows,
    z: seeds.z,
    diagonal: diagonal.map((value) => value + decay),
    rest: rest.map((value, j) => value + decay * parameters[j]!),
  };
  const flat = system.diagonal.findIndex((value) => !(value > 0));
  if (flat >= 0)
    return {
      code: "indefinite",
      pivot: flat,
      message: `the regularizer has no curvature at parameter ${flat}, which the row form divides by: give a damping above 0`,
    };
  const step = await rowStep(system, pace);
  if (step !== null) return { ok: true, step };
  return { code: "non-finite", message: "the kernel of the row form is not finite", where: { what: "curvature" } };
}
