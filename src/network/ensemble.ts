// An ensemble of networks with the same inputs and outputs (`ensemble`): predicts their mean and their spread. Users and gaussflow train
// --ensemble make ensembles of trained networks, and predictAsync predicts with them.
//   mean = 1/m sum_k f_k(x),   spread = sqrt( 1/(m-1) sum_k (f_k(x) - mean)^2 )
// Both are computed by Welford's update. The spread measures how much the members differ. It is not an error bar, because all members share
// the data and its noise. Members that were trained with gaussianNll predict normal distributions N(mean_k, sigma_k^2); `predictDistribution`
// gives mean and deviation of their mixture, which has both the noise and the spread:
//   deviation^2 = 1/m sum_k (sigma_k^2 + (mean_k - mean)^2)
// Source: Lakshminarayanan, Pritzel, Blundell, "Simple and scalable predictive uncertainty estimation" (NeurIPS 2017).
import { sameClasses } from "../data/classes.js";
import type { MatrixLike } from "../data/matrix.js";
import { argumentError } from "../errors.js";
import { listed } from "../suggest.js";
import { mostProbableClasses } from "./class-prediction.js";
import { checkDistribution, type DistributionPrediction } from "./distribution.js";
import { checkNetwork, type Network } from "./network.js";

/** n x c each, row-major, raw units. */
export interface EnsemblePrediction {
  /** Mean over the members. */
  readonly mean: Float64Array;
  /** Standard deviation over the members; 0 for a single member. */
  readonly spread: Float64Array;
}

/** Several networks of the same inputs, outputs, link and classes. */
export class Ensemble {
  /** The members, in the order given. */
  readonly networks: readonly Network[];

  /** @throws GAUSSFLOW_ARGUMENT */
  constructor(networks: readonly Network[]) {
    if (!Array.isArray(networks) || networks.length === 0)
      throw argumentError("networks", "must be an array of at least one network", networks);
    const members = [...networks];
    members.forEach((member: unknown, k) => {
      checkNetwork(`networks[${k}]`, member);
      const { inputSize, outputSize, link, classes } = members[0] as Network;
      if (member.inputSize !== inputSize || member.outputSize !== outputSize)
        throw argumentError(
          `networks[${k}]`,
          `must have ${inputSize} inputs and ${outputSize} outputs, as the first`,
          `${member.inputSize} and ${member.outputSize}`,
        );
      if (member.link !== link)
        throw argumentError(
          `networks[${k}]`,
          `must have the link "${link}", as the first: predictions of different kinds have no mean`,
          member.link,
        );
      if (!sameClasses(member.classes, classes))
        throw argumentError(
          `networks[${k}]`,
          `must have ${classes === null ? "no classes" : `the classes ${listed(classes)}`}, as the first`,
          member.classes === null ? "none" : listed(member.classes),
        );
    });
    this.networks = Object.freeze(members);
    Object.freeze(this);
  }

  /**
   * Mean and spread of the members' predictions.
   * @param inputs n rows of d numbers in raw units, or the same flat
   */
  predict(inputs: MatrixLike): EnsemblePrediction {
    const moments = new EnsembleMoments();
    for (const member of this.networks) moments.add(member.predict(inputs));
    return moments.prediction();
  }

  /** Names of the classes whose probabilities the members predict; null where they were not trained on classes. */
  get classes(): readonly string[] | null {
    return this.networks[0]!.classes;
  }

  /**
   * The class of the largest mean probability of each row: n names of `classes`.
   * @param inputs n rows of d numbers in raw units, or the same flat
   * @throws GAUSSFLOW_ARGUMENT as `Network.predictClass`
   */
  predictClass(inputs: MatrixLike): string[] {
    return mostProbableClasses(this.predict(inputs).mean, this.classes);
  }

  /**
   * Mean and standard deviation of the mixture of the members' distributions, in raw units; of members that were trained with `gaussianNll`.
   * @param inputs n rows of d numbers in raw units, or the same flat
   * @throws GAUSSFLOW_ARGUMENT for members of another loss
   */
  predictDistribution(inputs: MatrixLike): DistributionPrediction {
    checkDistribution(this.networks[0] as Network);
    const moments = new MixtureMoments();
    for (const member of this.networks) moments.add(member.predictDistribution(inputs));
    return moments.prediction();
  }
}

/** Mean and deviation of the mixture of the members' normal distributions, one member after the other. */
export class MixtureMoments {
  #members = 0;
  #variances: Float64Array = new Float64Array(0);
  readonly #means = new EnsembleMoments();

  /** Adds the prediction of a member; keeps the means of the first one without a copy. */
  add({ mean, deviation }: DistributionPrediction): void {
    if (this.#members++ === 0) this.#variances = new Float64Array(deviation.length);
    for (let i = 0; i < deviation.length; i++) this.#variances[i]! += deviation[i]! ** 2;
    this.#means.add(mean);
  }

  prediction(): DistributionPrediction {
    const m = this.#members;
    const { mean, spread } = this.#means.prediction();
    const deviation = this.#variances.map((sum, i) => Math.sqrt((sum + (m - 1) * spread[i]! ** 2) / m));
    return { mean, deviation };
  }
}

/** Mean and spread of the members' predictions, one member after the other. */
export class EnsembleMoments {
  #members = 0;
  #mean: Float64Array = new Float64Array(0);
  #squares: Float64Array = new Float64Array(0);

  /** Adds the predictions of a member; keeps the array of the first one without a copy. */
  add(values: Float64Array): void {
    this.#members++;
    if (this.#members === 1) {
      this.#mean = values;
      this.#squares = new Float64Array(values.length);
      return;
    }
    const [mean, squares] = [this.#mean, this.#squares];
    for (let i = 0; i < values.length; i++) {
      const apart = values[i]! - mean[i]!;
      mean[i]! += apart / this.#members;
      squares[i]! += apart * (values[i]! - mean[i]!);
    }
  }

  prediction(): EnsemblePrediction {
    const others = this.#members - 1;
    const spread = this.#squares.map((sum) => (others === 0 ? 0 : Math.sqrt(sum / others)));
    return { mean: this.#mean, spread };
  }
}

/**
 * An ensemble of networks with the same inputs, outputs and link, for example of the best few of `trainMany`.
 * @throws GAUSSFLOW_ARGUMENT
 */
export function ensemble(networks: readonly Network[]): Ensemble {
  return new Ensemble(networks);
}
