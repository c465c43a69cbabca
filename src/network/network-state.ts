// Defines what a network is made of, as plain data: what the constructor of Network (network.ts) takes and its `state` returns, what the model
// file stores, and what a job sends to another thread.
import type { TableEncoding } from "../data/encoding.js";
import type { Scaling } from "../data/scaling.js";
import { argumentError } from "../errors.js";
import { checkOptionNames, isObject } from "../options.js";
import type { Link } from "./link.js";
import type { CompletedNetworkOptions } from "./network-options.js";
import type { Posterior } from "./posterior.js";

/** Plain JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Facts about its training that a network carries: plain JSON, stored in the model file. */
export type TrainingSummary = { readonly [key: string]: Json };

/** Everything a network is made of; the model file stores exactly this. */
export interface NetworkState {
  /** Its shape, and how its parameters were drawn. */
  readonly options: CompletedNetworkOptions;
  /** p entries, layer after layer. */
  readonly parameters: Float64Array;
  /** w_0 of a centered network, else null. */
  readonly center: Float64Array | null;
  /** Scaling of inputs and targets; null for none. */
  readonly scaling: Scaling | null;
  /** How table columns become inputs; null for none. */
  readonly encoding: TableEncoding | null;
  /** Facts about the training; null for none. */
  readonly summary: TrainingSummary | null;
  /** From outputs to predictions: that of the loss it was trained with. Default "identity". */
  readonly link?: Link | undefined;
  /** Names of the classes, in the order of the outputs; only with the link "softmax". Default null: none. */
  readonly classes?: readonly string[] | null | undefined;
  /** What intervals need of the training that ended at these parameters. Default null: none. */
  readonly posterior?: Posterior | null | undefined;
}

const STATE_NAMES = [
  "options",
  "parameters",
  "center",
  "scaling",
  "encoding",
  "summary",
  "link",
  "classes",
  "posterior",
];

/** Names and kinds of the members; their contents are checked as they are taken. @throws GAUSSFLOW_ARGUMENT */
export function checkShape(state: NetworkState): NetworkState {
  checkOptionNames("state", state, STATE_NAMES);
  for (const name of ["encoding", "summary"] as const)
    if (state[name] !== null && !isObject(state[name]))
      throw argumentError(`state.${name}`, "must be an object or null", state[name]);
  return state;
}
