// Checks the link of a network against its number of outputs, and the scaling of its targets against both. Network calls it for its state
// and for `withLink` and `withScaling`.
import { type Scaling, scalesTargets } from "../data/scaling.js";
import { argumentError } from "../errors.js";
import { checkDoubles, checkOptionNames } from "../options.js";
import type { Architecture } from "./architecture.js";
import { hasUnits, LINKS, type Link, outputsPerTarget } from "./link.js";

/** A name of a link that the number of outputs allows. @throws GAUSSFLOW_ARGUMENT */
export function checkLink(name: string, link: Link, { outputSize }: Architecture): void {
  if (!LINKS.includes(link)) throw argumentError(name, `must be one of ${LINKS.join(", ")}`, link);
  if (outputSize % outputsPerTarget(link) !== 0)
    throw argumentError(
      name,
      `must not be "${link}" for an odd number of outputs, because each target has two of them`,
      `"${link}" for ${outputSize} outputs`,
    );
}

/** Probabilities and counts have no other units. @throws GAUSSFLOW_ARGUMENT */
export function checkUnits(name: string, link: Link, scaling: Scaling | null): void {
  if (!hasUnits(link) && scalesTargets(scaling))
    throw argumentError(
      name,
      'must be "identity" for a network that scales its targets: use network.withScaling(null) first',
      link,
    );
}

/** One offset and one scale an input, and a target. @throws GAUSSFLOW_ARGUMENT */
export function checkScaling(
  name: string,
  scaling: Scaling | null,
  { inputSize, outputSize }: Architecture,
  link: Link,
): void {
  if (scaling === null) return;
  checkOptionNames(name, scaling, ["inputs", "targets"]);
  for (const [part, columns] of [
    ["inputs", inputSize],
    ["targets", outputSize / outputsPerTarget(link)],
  ] as const) {
    checkOptionNames(`${name}.${part}`, scaling[part], ["offset", "scale"]);
    const { offset, scale } = scaling[part];
    checkDoubles(`${name}.${part}.offset`, offset, columns);
    checkDoubles(`${name}.${part}.scale`, scale, columns);
    for (let j = 0; j < columns; j++) {
      if (!Number.isFinite(offset[j]))
        throw argumentError(`${name}.${part}.offset[${j}]`, "must be a finite number", offset[j]);
      if (!(scale[j] > 0 && scale[j] < Number.POSITIVE_INFINITY))
        throw argumentError(`${name}.${part}.scale[${j}]`, "must be a positive finite number", scale[j]);
    }
  }
}
