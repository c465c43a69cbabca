// The classes of a network: checks their names, and names the most probable class of each row of probabilities. Network and Ensemble call it,
// and users call `mostProbableClasses` for the probabilities of predictAsync.
import { checkClasses, largestOf } from "../data/classes.js";
import { argumentError } from "../errors.js";
import { type NumberArray, numbersOf } from "../options.js";
import type { Link } from "./link.js";

/** Checks the classes of a network. @throws GAUSSFLOW_ARGUMENT */
export function checkNetworkClasses(
  name: string,
  classes: unknown,
  link: Link,
  outputSize: number,
): readonly string[] | null {
  if (classes === null) return null;
  const names = checkClasses(name, classes);
  if (names.length !== outputSize) throw argumentError(name, `must name ${outputSize} classes, one an output`, classes);
  if (link !== "softmax")
    throw argumentError(
      name,
      'must be null for a network whose link is not "softmax": its predictions are no probabilities of classes (network.withLink("softmax") changes that)',
      classes,
    );
  return Object.freeze(names);
}

/**
 * The most probable class of each row, the first among equally probable ones.
 * @param probabilities [n x c] row-major, as `predict` and `predictAsync` give them
 * @param classes the c names, `network.classes`
 * @throws GAUSSFLOW_ARGUMENT without classes, and for a row that holds a NaN
 * @example mostProbableClasses(await predictAsync(net, inputs), net.classes)
 */
export function mostProbableClasses(probabilities: NumberArray, classes: readonly string[] | null): string[] {
  if (classes === null)
    throw argumentError(
      "classes",
      "must be those of a network that was trained on classes (network.withClasses names those of another)",
      classes,
    );
  const names = checkClasses("classes", classes);
  const c = names.length;
  const values = probabilities instanceof Float64Array ? probabilities : numbersOf("probabilities", probabilities);
  if (values.length % c !== 0)
    throw argumentError("probabilities", `must be whole rows of ${c} numbers, one a class`, probabilities);
  return Array.from({ length: values.length / c }, (_, i) => {
    const place = largestOf(values, i * c, c);
    if (place < 0)
      throw argumentError(
        `probabilities, row ${i + 1}:`,
        "must be numbers: the outputs of the network are not finite",
        Number.NaN,
      );
    return names[place]!;
  });
}
