// Reads and writes model files (`saveModel`, `loadModel`): sealed JSON with architecture options, parameters to the last bit, scaling,
// table encoding and training summary. Reading checks every field; a damaged, foreign or newer file is refused with the reason. gaussflow
// train saves models, and predict and evaluate load them; users do both.
import { sameClasses } from "../data/classes.js";
import { encodedSize, encodedTargets } from "../data/encoding.js";
import { encodingFromJson } from "../data/encoding-json.js";
import { type ColumnScaling, type Scaling, scalesTargets } from "../data/scaling.js";
import { fileError, GaussflowError } from "../errors.js";
import { fromFirstSpelling } from "../first-spelling.js";
import { checkOptionNames, checkPath, checkText } from "../options.js";
import { checkNumbers, decodeFloats, fields, readText, seal, unsealAny, writeSealed } from "../sealed-json.js";
import { checkNetworkClasses } from "./class-prediction.js";
import { Ensemble } from "./ensemble.js";
import { hasUnits, LINKS, type Link, outputsPerTarget } from "./link.js";
import { architectureOf, checkNetwork, Network } from "./network.js";
import {
  type CompletedNetworkOptions,
  checkHeldOptions,
  FIRST_OPTION_NAMES,
  fromFirstOptions,
  HELD_OPTION_NAMES,
} from "./network-options.js";
import type { TrainingSummary } from "./network-state.js";
import { posteriorBody, readPosterior } from "./posterior-file.js";

const FORMAT = "gaussflow-model";
const ENSEMBLE_FORMAT = "gaussflow-ensemble";
/** Version 1 spells three names the British way and has the draw among the options; it is still read. */
const VERSION = 2;

/** The text of a model file, of one network or of an ensemble. @throws GAUSSFLOW_ARGUMENT for what is neither */
export function modelToJson(model: Network | Ensemble): string {
  const { format, body } = contentOf(model);
  return seal(format, VERSION, body);
}

function contentOf(model: Network | Ensemble): { readonly format: string; readonly body: object } {
  if (model instanceof Ensemble) return { format: ENSEMBLE_FORMAT, body: { networks: model.networks.map(bodyOf) } };
  checkNetwork("network", model);
  return { format: FORMAT, body: bodyOf(model) };
}

function bodyOf({ options, parameters, center, scaling, encoding, summary, link, classes, posterior }: Network) {
  const columns = ({ offset, scale }: ColumnScaling) => ({ offset: [...offset], scale: [...scale] });
  return {
    network: options,
    parameters,
    center,
    scaling: scaling === null ? null : { inputs: columns(scaling.inputs), targets: columns(scaling.targets) },
    encoding,
    summary,
    // Left out where it is the identity, which is what a file without one means.
    ...(link === "identity" ? {} : { link }),
    ...(classes === null ? {} : { classes }),
    ...posteriorBody(posterior),
  };
}

/**
 * Writes the file of a network or of an ensemble, whole or not at all. A network that carries its uncertainty (`Network.posterior`) takes it along,
 * 8 p^2 bytes.
 * @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_FILE, GAUSSFLOW_MEMORY for a posterior of more than 64 MiB
 */
export async function saveModel(path: string, model: Network | Ensemble): Promise<void> {
  checkPath("path", path);
  const { format, body } = contentOf(model);
  await writeSealed(path, format, VERSION, body);
}

/**
 * Reads the file of one network; `loadEnsemble` reads that of an ensemble.
 * @throws GAUSSFLOW_FILE naming the file, the field and the reason
 */
export async function loadModel(path: string): Promise<Network> {
  checkPath("path", path);
  return modelFromJson(await readText(path), path);
}

/**
 * Reads the file of an ensemble.
 * @throws GAUSSFLOW_FILE naming the file, the field and the reason
 */
export async function loadEnsemble(path: string): Promise<Ensemble> {
  checkPath("path", path);
  return ensembleFromJson(await readText(path), path);
}

/**
 * An ensemble from the text of `modelToJson`.
 * @param where how errors call the text
 */
export function ensembleFromJson(text: string, where = "ensemble"): Ensemble {
  checkText("text", text);
  checkText("where", where);
  return readEnsemble(unsealAny(text, [ENSEMBLE_FORMAT], VERSION, where), where);
}

/** Reads the file of one network or of an ensemble. @throws GAUSSFLOW_FILE naming the file, the field and the reason */
export async function loadModelOrEnsemble(path: string): Promise<Network | Ensemble> {
  checkPath("path", path);
  const file = unsealAny(await readText(path), [FORMAT, ENSEMBLE_FORMAT], VERSION, path);
  return file.format === FORMAT ? readNetwork(file, path) : readEnsemble(file, path);
}

/** What a sealed text holds, with the version that says how its names are spelled. */
interface Content {
  readonly version: number;
  readonly body: unknown;
}

function readEnsemble({ version, body }: Content, where: string): Ensemble {
  const { networks } = fields(body, where, "body");
  if (!Array.isArray(networks) || networks.length === 0)
    throw fileError(where, "networks must be a list of at least one network");
  const members = networks.map((body: unknown, k) => readNetwork({ version, body }, `${where}, network ${k + 1}`));
  try {
    return new Ensemble(members);
  } catch (cause) {
    if (cause instanceof GaussflowError) throw fileError(where, cause.message, {}, cause);
    throw cause;
  }
}

/**
 * A network from the text of `modelToJson`.
 * @param where how errors call the text
 */
export function modelFromJson(text: string, where = "model"): Network {
  checkText("text", text);
  checkText("where", where);
  return readNetwork(unsealAny(text, [FORMAT], VERSION, where), where);
}

function readNetwork({ version, body: value }: Content, where: string): Network {
  const spelled = (given: Record<string, unknown>) => (version === 1 ? fromFirstSpelling(given) : given);
  const body = spelled(fields(value, where, "body"));
  const given = spelled(fields(body.network, where, "network"));
  const { options, architecture } = readOptions(given, version, where);
  const { parameterCount, inputSize, outputSize } = architecture;
  const parameters = checkNumbers(
    decodeFloats(body.parameters, parameterCount, where, "parameters"),
    where,
    "parameters",
  );
  const center =
    body.center === null
      ? null
      : checkNumbers(decodeFloats(body.center, parameterCount, where, "center"), where, "center");
  if ((center !== null) !== options.centered)
    throw fileError(where, "center must be there exactly when the network is centered");
  const encoding = body.encoding === null ? null : encodingFromJson(body.encoding, (rule) => fileError(where, rule));
  if (encoding !== null && encodedSize(encoding) !== inputSize)
    throw fileError(where, `encoding makes ${encodedSize(encoding)} inputs, and the network has ${inputSize}`);
  const { link: named = "identity" } = body;
  if (!LINKS.includes(named as Link)) throw fileError(where, `link must be one of ${LINKS.join(", ")}`);
  const link = named as Link;
  const targetSize = outputSize / outputsPerTarget(link);
  if (!Number.isInteger(targetSize))
    throw fileError(where, `link "${link}" needs two outputs a target, and the network has ${outputSize}`);
  if (encoding !== null && encodedTargets(encoding) !== targetSize)
    throw fileError(
      where,
      `encoding makes ${encodedTargets(encoding)} targets, and the network has ${outputSize} outputs${targetSize === outputSize ? "" : ` for ${targetSize} targets`}`,
    );
  const scaling = readScaling(body.scaling, inputSize, targetSize, where);
  const summary = body.summary === null ? null : (fields(body.summary, where, "summary") as TrainingSummary);
  if (!hasUnits(link) && scalesTargets(scaling))
    throw fileError(
      where,
      `link must be "identity" where scaling.targets is not offset 0 and scale 1; it is "${link}"`,
    );
  const classes = readClasses(body.classes, link, outputSize, where);
  if (encoding?.classes !== undefined && classes !== null && !sameClasses(encoding.classes, classes))
    throw fileError(where, "classes and encoding.classes must be the same");
  const posterior = readPosterior(body.posterior, where, { link, inputSize, outputSize, parameterCount });
  return new Network({ options, parameters, center, scaling, encoding, summary, link, classes, posterior });
}

function readClasses(value: unknown, link: Link, outputSize: number, where: string): readonly string[] | null {
  try {
    return checkNetworkClasses("classes", value ?? null, link, outputSize);
  } catch (cause) {
    if (cause instanceof GaussflowError) throw fileError(where, cause.message, {}, cause);
    throw cause;
  }
}

function readOptions(given: Record<string, unknown>, version: number, where: string) {
  const names = version === 1 ? FIRST_OPTION_NAMES : HELD_OPTION_NAMES;
  for (const name of names) if (!Object.hasOwn(given, name)) throw fileError(where, `network.${name} is missing`);
  try {
    if (version === 1) checkOptionNames("network", given, FIRST_OPTION_NAMES);
    const held = version === 1 ? fromFirstOptions(given) : given;
    const options = checkHeldOptions(held as unknown as CompletedNetworkOptions, "network");
    return { options, architecture: architectureOf(options) };
  } catch (cause) {
    if (cause instanceof GaussflowError) throw fileError(where, cause.message, {}, cause);
    throw cause;
  }
}

function readScaling(value: unknown, inputSize: number, targetSize: number, where: string): Scaling | null {
  if (value === null) return null;
  const scaling = fields(value, where, "scaling");
  const columns = (name: "inputs" | "targets", size: number): ColumnScaling => {
    const part = fields(scaling[name], where, `scaling.${name}`);
    const numbers = (key: "offset" | "scale") => {
      const list = part[key];
      const what = `scaling.${name}.${key}`;
      if (!Array.isArray(list) || list.length !== size) throw fileError(where, `${what} must be ${size} numbers`);
      return checkNumbers(
        Float64Array.from(list, (one) => (typeof one === "number" ? one : Number.NaN)),
        where,
        what,
      );
    };
    const scale = numbers("scale");
    if (scale.some((one) => one <= 0)) throw fileError(where, `scaling.${name}.scale must be positive`);
    return { offset: numbers("offset"), scale };
  };
  return { inputs: columns("inputs", inputSize), targets: columns("targets", targetSize) };
}
