// Reads and writes the files of fields, the results of training on equations: sealed JSON with the formulas as text and the text of the
// network's own file inside. Users call it.
import { writeFileAtomic } from "../atomic-file.js";
import { jetResiduals } from "../backend/create-jets.js";
import { type FieldDefinition, readDefinition } from "../equations/definition.js";
import { FIELD_FORMAT, FIELD_VERSION, Field } from "../equations/field.js";
import { argumentError, fileError, GaussflowError } from "../errors.js";
import { modelFromJson } from "../network/model-file.js";
import { checkPath, checkText } from "../options.js";
import { checkNumbers, decodeFloats, fields, readText, unseal } from "../sealed-json.js";

/** Writes the file of a field, whole or not at all. @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_FILE */
export async function saveField(path: string, field: Field): Promise<void> {
  checkPath("path", path);
  if (!(field instanceof Field)) throw argumentError("field", "must be a field that training on equations made", field);
  await writeFileAtomic(path, field.toJson());
}

/**
 * Reads the file of a field.
 * @throws GAUSSFLOW_FILE naming the file, the field and the reason
 */
export async function loadField(path: string): Promise<Field> {
  checkPath("path", path);
  return fieldFromJson(await readText(path), path);
}

/**
 * A field from the text of `Field.toJson`.
 * @param where how errors call the text
 * @throws GAUSSFLOW_FILE
 */
export async function fieldFromJson(text: string, where = "field"): Promise<Field> {
  checkText("text", text);
  checkText("where", where);
  const body = fields(unseal(text, FIELD_FORMAT, FIELD_VERSION, where), where, "body");
  const given = fields(body.definition, where, "definition");
  try {
    const read = await readDefinition(given as unknown as FieldDefinition);
    const count = read.names.unknowns.length;
    const unknowns = checkNumbers(decodeFloats(body.unknowns, count, where, "unknowns"), where, "unknowns");
    checkText("network", body.network);
    const network = modelFromJson(body.network, where);
    if (network.inputSize !== read.features.length || network.outputSize !== read.names.derivatives.outputs.length)
      throw fileError(where, "the network must have an input for each feature and an output for each output");
    return new Field(read, network, unknowns, jetResiduals);
  } catch (cause) {
    if (cause instanceof GaussflowError && cause.code === "GAUSSFLOW_ARGUMENT")
      throw fileError(where, cause.message, {}, cause);
    throw cause;
  }
}
