// Makes targets from a noise-free teacher network of the student's own shape, which the student can reach exactly, so that every digit of
// the loss is due to the optimizer. Inputs are standard normal (Box-Muller), as standardized data are. bench/large.mjs and
// bench/preconditioners.mjs train on them.
import { dataset, network } from "../../dist/index.js";
import { predictions } from "../../dist/network/forward.js";
import { uniform } from "./problem.mjs";

/** { net, inputs, targets } with n samples, flat; teacher and student have different seeds. */
export function teacherArrays(layers, n) {
  const teacher = network({ layers, seed: 11 });
  const net = network({ layers, seed: 1 });
  const inputs = uniform(n * layers[0], 5);
  // Pairs of uniform numbers become pairs of normal ones; of an odd count the last stays as it is.
  for (let k = 0; k + 1 < inputs.length; k += 2) {
    const radius = Math.sqrt(-2 * Math.log((inputs[k] + 1) / 2 + 2 ** -33));
    const angle = Math.PI * inputs[k + 1];
    inputs[k] = radius * Math.cos(angle);
    inputs[k + 1] = radius * Math.sin(angle);
  }
  return { net, inputs, targets: predictions(teacher.architecture, teacher.parameters, inputs) };
}

/** The same as { net, data }. */
export function teacherProblem(layers, n) {
  const { net, inputs, targets } = teacherArrays(layers, n);
  return { net, data: dataset({ inputs, targets, inputSize: layers[0], outputSize: layers.at(-1) }) };
}
