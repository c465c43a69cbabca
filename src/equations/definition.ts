// Reads what all terms of equations share: coordinates, outputs, features, transforms, constants and unknowns. equations.ts calls it, and
// field.ts for a definition from a file.
import { argumentError } from "../errors.js";
import type { Expression } from "../expression/expression.js";
import { checkNames, parseExpression } from "../expression/parse.js";
import { isObject } from "../options.js";
import type { EquationNames } from "./compile-term.js";
import { checkDistinct, checkNameList, checkNumbers, DerivativeNames } from "./derivative-names.js";
import { RawJets } from "./raw-jets.js";

/** All of a field but its network, as plain JSON. */
export interface FieldDefinition {
  /** Names of the coordinates. */
  readonly inputs: readonly string[];
  /** Names of the outputs. */
  readonly outputs: readonly string[];
  /** What the network sees of the coordinates, as formulas. */
  readonly features: readonly string[];
  /** Formulas of outputs in terms of coordinates and the network's outputs; those without one are the network's own. */
  readonly transform: Readonly<Record<string, string>>;
  /** Fixed numbers by name. */
  readonly constants: Readonly<Record<string, number>>;
  /** Names of the numbers that are trained along. */
  readonly unknowns: readonly string[];
}

/** A definition, read. */
export interface ReadDefinition {
  readonly definition: FieldDefinition;
  readonly names: EquationNames;
  readonly features: readonly Expression[];
  readonly jets: RawJets;
}

/**
 * Reads a definition.
 *
 * @throws GAUSSFLOW_ARGUMENT that names the wrong formula or name
 */
export async function readDefinition(definition: FieldDefinition): Promise<ReadDefinition> {
  const { inputs, outputs, features, transform, constants, unknowns } = definition;
  checkNameList("options.inputs", inputs);
  checkNameList("options.outputs", outputs);
  checkNumbers("options.constants", constants);
  checkTexts("options.features", features);
  checkTexts("options.unknowns", unknowns);
  await checkNames(inputs, "options.inputs");
  await checkNames(outputs, "options.outputs");
  await checkNames(Object.keys(constants), "options.constants");
  await checkNames(unknowns, "options.unknowns");
  const derivatives = new DerivativeNames(outputs, inputs);
  checkDistinct([
    ...derivatives.names.map((name) => [name, "options.outputs"] as const),
    ...inputs.map((name) => [name, "options.inputs"] as const),
    ...Object.keys(constants).map((name) => [name, "options.constants"] as const),
    ...unknowns.map((name) => [name, "options.unknowns"] as const),
  ]);
  if (features.length === 0)
    throw argumentError("options.features", "must be a list of at least one formula", features);
  const read = await Promise.all(
    features.map((text, f) => parseExpression(text, { names: inputs, constants }, `options.features[${f}]`)),
  );
  if (!isObject(transform))
    throw argumentError("options.transform", "must be an object of formulas by output", transform);
  const foreign = Object.keys(transform).find((output) => !outputs.includes(output));
  if (foreign !== undefined)
    throw argumentError("options.transform", `must name outputs: ${outputs.join(", ")}`, foreign);
  const vocabulary = { names: [...inputs, ...outputs, ...unknowns], constants };
  const transforms = await Promise.all(
    outputs.map((output) =>
      output in transform ? parseExpression(transform[output], vocabulary, `options.transform.${output}`) : null,
    ),
  );
  return {
    definition,
    names: { coordinates: inputs, derivatives, constants, unknowns },
    features: read,
    jets: new RawJets(inputs, outputs, transforms),
  };
}

function checkTexts(argument: string, list: unknown): void {
  if (!Array.isArray(list) || !Array.from(list).every((entry) => typeof entry === "string"))
    throw argumentError(argument, "must be a list of texts", list);
}
