// Collects the sizes that the planner needs of a run, from its network, data and options, without copying the data. train/plan.ts and
// flow/flow-plan.ts call it and add their own.
import { type BackendOptions, chooseBackend, chooseThreads } from "../backend/create.js";
import { checkSlots } from "../backend/slots.js";
import { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import type { Network } from "../network/network.js";
import type { Sizes } from "../plan/memory-model.js";
import type { PlanRequest } from "../plan/plan.js";
import type { Route } from "../plan/route.js";
import type { StepKind } from "../plan/workload.js";
import type { CompletedRunOptions } from "./run-options.js";

/** The request of a run whose data set is `whole`, before it is cut into parts. */
export function planRequest<Kind extends Route>(
  { architecture, scaling }: Network,
  whole: Dataset | FileDataset,
  sizes: {
    readonly fit: number;
    readonly validation: number;
    readonly copies: number;
    /** The run keeps no scaled copy once the engine has it. */
    readonly released: boolean;
    /** Whether the ranks hold the Gram matrix together. Default false. */
    readonly distributed?: "auto" | boolean | undefined;
    readonly routes: readonly Kind[];
  },
  { memoryLimit, standardize, loss, slots, ranks }: CompletedRunOptions,
  asked: "auto" | Kind,
  options: BackendOptions & { readonly monitor?: unknown },
  steps: StepKind & Pick<Sizes, "observed" | "turns"> = {},
): PlanRequest<Kind> {
  const { fit, validation, copies, routes, released, distributed = false } = sizes;
  checkSlots("options.slots", slots, fit);
  const engine = chooseBackend(options.backend);
  const passes = released && engine === "native";
  const fromFile = whole instanceof FileDataset;
  // In raw units the engine is given the inputs as they are, and a copy of the targets.
  const inUnits = standardize || scaling !== null;
  const columns = (inUnits ? whole.inputSize : 0) + whole.outputSize;
  const scaled = 8 * ((fromFile ? 0 : fit) + validation) * columns;
  return {
    architecture: { ...architecture, loss },
    sampleCount: fit,
    slots,
    ranks,
    validationCount: validation,
    weighted: whole.weights !== null,
    engine,
    threads: chooseThreads(options.threads),
    ...steps,
    copies: copies + (passes ? 0 : scaled),
    passing: passes ? scaled : 0,
    fileWidth: whole instanceof FileDataset ? whole.layout.width : 0,
    asked,
    routes,
    memoryLimit,
    distributed,
  };
}

/** Bytes that `count` rows of a data set's arrays take; of a data file only its weights are in memory. */
export function dataBytes(set: Dataset | FileDataset, count: number): number {
  if (set instanceof FileDataset) return set.weights?.byteLength ?? 0;
  const { inputSize, outputSize, weights, rows, parts, groups, order } = set;
  const doubles = inputSize + outputSize + (weights ? 1 : 0) + (order ? 1 : 0);
  return count * (8 * doubles + (rows ? 4 : 0) + (groups ? 4 : 0) + (parts ? 1 : 0));
}
