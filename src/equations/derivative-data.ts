// Defines the public `derivativeData`: a table of values and slopes as residuals that `train` minimizes (Sobolev training). The trained network
// is an ordinary one that predicts in the units of the table.
//
// With z = (x - offset) / scale and psi the network in the units of training, y = target offset + target scale psi(z), so that
//   dpsi_k/dz_i = dy_k/dx_i * input scale_i / target scale_k
import type { Dataset } from "../data/dataset.js";
import { asDataset, type DatasetInput } from "../data/dataset-input.js";
import { identityScaling, type Scaling, scaleColumns, standardize } from "../data/scaling.js";
import { argumentError } from "../errors.js";
import { compile } from "../expression/compile.js";
import { type Expression, multiply, name, subtract } from "../expression/expression.js";
import type { Network } from "../network/network.js";
import { checkBoolean, checkNonNegative, checkOptionNames } from "../options.js";
import type { EquationProblem } from "./equation-problem.js";
import type { JetTerm } from "./jet-problem.js";
import { rawName } from "./raw-jets.js";

/** Options of `derivativeData`. */
export interface DerivativeDataOptions {
  /**
   * Weight of the squared error of each slope against that of each value, both in the units of training; default 1. With 0 the slopes are not
   * used.
   */
  readonly gradientWeight?: number | undefined;
  /** Train in units in which inputs and targets have mean 0 and deviation 1; default true. */
  readonly standardize?: boolean | undefined;
}

/**
 * A table with slopes, ready for `train`, which resolves with a network that predicts in the table's units.
 *
 * @param data with `gradients`; rows with weight count by it
 * @throws GAUSSFLOW_ARGUMENT where the data have no gradients, or are those of classes
 * @example
 * const data = await readCsv("energy.csv", { target: "E", gradient: ["dE_dx", "dE_dy"] });
 * const { network } = await train(network({ layers: [2, 16, 16, 1] }), derivativeData(data));
 */
export function derivativeData(
  data: Dataset | DatasetInput,
  options: DerivativeDataOptions = {},
): EquationProblem<Network> {
  checkOptionNames("options", options, ["gradientWeight", "standardize"]);
  const { gradientWeight = 1, standardize: scaled = true } = options;
  checkNonNegative("options.gradientWeight", gradientWeight);
  checkBoolean("options.standardize", scaled);
  const set = asDataset(data, "data", null);
  if (set.gradients === null)
    throw argumentError("data", "must have gradients: readCsv(..., { gradient }) or dataset({ ..., gradients })", set);
  const { inputSize: d, outputSize: c } = set;
  const scaling = scaled ? standardize(set) : identityScaling(d, c);
  return {
    jets: { terms: [termOf(set, set.gradients, scaling, gradientWeight)], unknownCount: 0 },
    unknowns: [],
    renewals: [],
    description: JSON.stringify({ kind: "derivative data", gradientWeight, standardize: scaled }),
    checkNetwork(network: Network): void {
      if (network.inputSize !== d || network.outputSize !== c)
        throw argumentError(
          "network",
          `must have ${d} inputs and ${c} outputs, as the data`,
          `${network.inputSize} and ${network.outputSize}`,
        );
    },
    field: (network: Network) =>
      (scaled ? network.withScaling(scaling) : network).withEncoding(set.encoding ?? network.encoding),
  };
}

/** Values and slopes as residuals: those of target k are value k, then its slopes along the inputs. */
function termOf(set: Dataset, gradients: Float64Array, scaling: Scaling, gradientWeight: number): JetTerm {
  const { sampleCount: n, inputSize: d, outputSize: c, weights } = set;
  const z = scaleColumns(set.inputs, scaling.inputs);
  const y = scaleColumns(set.targets, scaling.targets);
  const residuals: Expression[] = [];
  const measured: string[] = [];
  const channels: string[] = [];
  const weighed = (e: Expression) => (weights === null ? e : multiply(name("weight"), e));
  for (let k = 0; k < c; k++)
    for (let q = 0; q <= d; q++) {
      const channel = rawName(k, q === 0 ? { kind: "value" } : { kind: "first", along: q - 1 });
      const target = `target ${k} ${q}`;
      channels.push(channel);
      measured.push(target);
      residuals.push(weighed(subtract(name(channel), name(target))));
    }
  const auxiliaryCount = measured.length + (weights === null ? 0 : 1);
  const inputs = new Float64Array(n * (1 + d) * d);
  const auxiliary = new Float64Array(n * auxiliaryCount);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < d; j++) {
      inputs[i * (1 + d) * d + j] = z[i * d + j];
      inputs[(i * (1 + d) + 1 + j) * d + j] = 1;
    }
    for (let k = 0; k < c; k++) {
      const at = i * auxiliaryCount + k * (1 + d);
      auxiliary[at] = y[i * c + k];
      for (let j = 0; j < d; j++)
        auxiliary[at + 1 + j] = gradients[(i * c + k) * d + j] * (scaling.inputs.scale[j] / scaling.targets.scale[k]);
    }
    if (weights !== null) auxiliary[(i + 1) * auxiliaryCount - 1] = Math.sqrt(weights[i]);
  }
  return {
    name: "data",
    channels: { firsts: d, seconds: [] },
    points: n,
    inputs,
    auxiliary,
    auxiliaryCount,
    residual: compile(residuals, [...channels, ...measured, ...(weights === null ? [] : ["weight"])]),
    factors: residuals.map((_, r) => (r % (1 + d) === 0 ? 1 : Math.sqrt(gradientWeight))),
  };
}
