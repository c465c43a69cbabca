// Checks the architecture and the data that an engine is created from: native code reads these arrays by the sizes and offsets of the
// architecture. create.ts calls it for every engine.
import { argumentError } from "../errors.js";
import { STEP, type Steps } from "../event-loop-yield.js";
import { checkFixedLoss } from "../loss/rules.js";
import { targetCheck, targetCount } from "../loss/target-rules.js";
import { ACTIVATION_NAMES, isActivationName } from "../network/activations.js";
import type { Architecture, Layer } from "../network/architecture.js";
import { layOut } from "../network/parameters.js";
import { checkCount, checkDoubles, checkOptionNames, checkPath, checkPositive, isObject } from "../options.js";
import type { EngineData, FileSamples } from "./engine.js";
import { checkRanks } from "./ranks.js";
import { checkWeights } from "./rows.js";
import { checkSlots } from "./slots.js";

const RULE = "must be the architecture of a network, as network.architecture has it";

/** @throws GAUSSFLOW_ARGUMENT naming the field, the rule and the value */
export function checkEngine(architecture: Architecture, data: EngineData): void {
  checkArchitecture(architecture);
  checkOptionNames("data", data, ["sampleCount", "inputs", "targets", "weights", "loss", "slots", "ranks", "file"]);
  const { inputSize, outputSize } = architecture;
  const { sampleCount: n, inputs, targets, weights, file } = data;
  checkCount("data.sampleCount", n, 1);
  checkDoubles("data.inputs", inputs, file === undefined ? n * inputSize : 0);
  if (data.loss !== undefined) checkFixedLoss("data.loss", data.loss);
  const targetSize = targetCount(data.loss, outputSize);
  if (!Number.isInteger(targetSize))
    throw argumentError(
      "architecture.outputSize",
      `must be even with ${data.loss?.kind}, which has two outputs for each target`,
      outputSize,
    );
  checkDoubles("data.targets", targets, file === undefined ? n * targetSize : 0);
  if (data.slots !== undefined) checkSlots("data.slots", data.slots, n);
  if (data.ranks !== undefined) checkRanks("data.ranks", data.ranks, data.slots ?? 1);
  if (file !== undefined) checkFile(file, inputSize, targetSize);
  if (weights !== undefined) checkWeights("data.weights", weights, n);
}

/**
 * The targets must be what the loss needs, in pieces. Rows of a file come later: before a run, `train` checks them (run/loss-targets.ts).
 * @throws GAUSSFLOW_ARGUMENT naming the first value, or the first row, that breaks the rule
 */
export function* engineTargetSteps({ outputSize }: Architecture, { targets, loss, file }: EngineData): Steps<void> {
  const targetSize = targetCount(loss, outputSize);
  const faultOf = loss === undefined || file !== undefined ? null : targetCheck(loss, targetSize);
  if (faultOf === null) return;
  for (let at = 0, row = 0; at < targets.length; at += targetSize, row++) {
    const fault = faultOf(targets, at);
    if (fault !== null) {
      const { rule, column, value } = fault;
      if (column === null) throw argumentError("data.targets", rule, `the sum ${value} in row ${row + 1}`);
      throw argumentError(`data.targets[${at + column}]`, rule, value);
    }
    if (row % STEP === STEP - 1) yield;
  }
}

/** Offsets and factors are those that the sizes make. */
export function checkArchitecture(architecture: Architecture): void {
  if (!isObject(architecture) || !Array.isArray(architecture.layers) || architecture.layers.length === 0)
    throw argumentError("architecture", RULE, architecture);
  const { layers, inputSize, outputScale } = architecture;
  checkCount("architecture.inputSize", inputSize, 1);
  checkPositive("architecture.outputScale", outputScale);
  layers.forEach((layer: Layer, l) => {
    const name = `architecture.layers[${l}]`;
    if (!isObject(layer)) throw argumentError(name, "must be a layer", layer);
    checkCount(`${name}.outputSize`, layer.outputSize, 1);
    if (!isActivationName(layer.activation))
      throw argumentError(`${name}.activation`, `must be one of ${ACTIVATION_NAMES.join(", ")}`, layer.activation);
  });
  const laid = [false, true].map((ntk) => layOut(inputSize, layers, ntk, outputScale));
  if (!laid.some((one) => same(one, architecture))) throw argumentError("architecture", RULE, architecture);
}

function same(one: Architecture, other: Architecture): boolean {
  return (
    one.parameterCount === other.parameterCount &&
    one.outputSize === other.outputSize &&
    one.layers.every((layer, l) =>
      Object.entries(layer).every(([key, value]) => other.layers[l]?.[key as keyof Layer] === value),
    )
  );
}

function checkFile(file: FileSamples, inputSize: number, targetSize: number): void {
  checkOptionNames("data.file", file, ["layout", "inputs", "targets"]);
  const { layout } = file;
  checkOptionNames("data.file.layout", layout, ["path", "offset", "size", "width", "changed", "inode"]);
  for (const name of ["changed", "inode"] as const)
    if (!/^\d{1,20}$/.test(String(layout[name])))
      throw argumentError(`data.file.layout.${name}`, "must be a whole number as a text", layout[name]);
  checkPath("data.file.layout.path", layout.path);
  for (const name of ["offset", "size", "width"] as const) checkCount(`data.file.layout.${name}`, layout[name], 1);
  if (layout.width < inputSize + targetSize)
    throw argumentError("data.file.layout.width", `must be at least ${inputSize + targetSize}`, layout.width);
  for (const [name, columns] of [
    ["inputs", inputSize],
    ["targets", targetSize],
  ] as const) {
    checkOptionNames(`data.file.${name}`, file[name], ["offset", "scale"]);
    checkDoubles(`data.file.${name}.offset`, file[name].offset, columns);
    checkDoubles(`data.file.${name}.scale`, file[name].scale, columns);
  }
}
