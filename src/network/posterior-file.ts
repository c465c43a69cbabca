// Writes and reads the posterior of a network as the member `posterior` of a model file (model-file.ts): counts and numbers as JSON, arrays as
// base64. The member has a version of its own, and readers that do not know it leave it out: a model predicts without it as with it.

import { showBytes } from "../bytes.js";
import { fileError, GaussflowError } from "../errors.js";
import { checkNumbers, countOf, decodeFloats, fields } from "../sealed-json.js";
import { checkPosterior, type Posterior, type PosteriorSizes } from "./posterior.js";

const VERSION = 1;
/** Most bytes of the vectors that a file is given: 90 MB of base64, of which some seconds of reading. */
const MOST_BYTES = 2 ** 26;

/** Bytes of a posterior's vectors beyond what a file is given; 0 where they fit. */
export function excessBytes({ vectors, inputs }: Posterior): number {
  const bytes = vectors.byteLength + (inputs?.byteLength ?? 0);
  return bytes > MOST_BYTES ? bytes : 0;
}

/** The member of the body, or nothing for a network without a posterior. @throws GAUSSFLOW_MEMORY for one that is too large for a file */
export function posteriorBody(posterior: Posterior | null): { readonly posterior?: object } {
  if (posterior === null) return {};
  const bytes = excessBytes(posterior);
  if (bytes > 0)
    throw new GaussflowError(
      "GAUSSFLOW_MEMORY",
      `the posterior of the network has ${showBytes(bytes)}, and a model file takes at most ${showBytes(MOST_BYTES)} of it: save the network without it, network.withPosterior(null), or use fewer units`,
      { bytes, most: MOST_BYTES },
    );
  return { posterior: { version: VERSION, ...posterior } };
}

/** @throws GAUSSFLOW_FILE naming the field and the reason */
export function readPosterior(value: unknown, where: string, network: PosteriorSizes): Posterior | null {
  if (value === undefined || value === null) return null;
  const given = fields(value, where, "posterior");
  const version = countOf(given.version, where, "posterior.version");
  if (version > VERSION)
    throw fileError(where, `posterior has version ${version}; this gaussflow reads up to ${VERSION}: update it`);
  const floats = (name: string) =>
    checkNumbers(decodeFloats(given[name], null, where, `posterior.${name}`), where, `posterior.${name}`);
  const optional = (name: string) => (given[name] === null ? null : floats(name));
  const posterior = {
    space: given.space,
    decay: given.decay,
    values: floats("values"),
    vectors: floats("vectors"),
    gamma: given.gamma,
    samples: given.samples,
    noise: optional("noise"),
    degrees: optional("degrees"),
    inputs: optional("inputs"),
    roots: optional("roots"),
  } as Posterior;
  try {
    return checkPosterior("posterior", posterior, network);
  } catch (cause) {
    if (cause instanceof GaussflowError) throw fileError(where, cause.message, {}, cause);
    throw cause;
  }
}
