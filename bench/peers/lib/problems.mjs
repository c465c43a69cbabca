// Writes the problems of the comparison with other programs, each as a folder that every peer reads (problem-folder.mjs): commonCase for
// bench/peers/run.mjs, uciProblems for uci-comparison.mjs.
import { join } from "node:path";
import { network } from "../../../dist/index.js";
import { drawFriedman, friedman, SIZES } from "../../lib/friedman.mjs";
import { standardizedUci, UCI_SETS } from "../../lib/uci.mjs";
import { writeProblem } from "./problem-folder.mjs";

/** The common case; with `starts` also from three other weights, and a second draw of the data from the common ones. */
export function commonCase(root, starts) {
  const { inputs, targets, net } = friedman();
  const given = { layers: SIZES, inputs: inputs.flat(), targets };
  const common = { ...given, parameters: net.parameters };
  const problems = [{ name: "common W0", main: true, ...common }];
  if (starts) {
    for (const seed of [1, 2, 3])
      problems.push({ ...given, name: `start ${seed}`, parameters: network({ layers: SIZES, seed }).parameters });
    problems.push({ ...common, ...drawFriedman(1), name: "second draw" });
  }
  return problems.map(({ name, main = false, ...problem }) => write(root, { name, main }, problem));
}

/** The UCI sets, standardized on all rows as train() does, 16-16 tanh, weights by seed. */
export function uciProblems(root, sets, seeds) {
  return sets.flatMap((set) => {
    const { inputSize, inputs, targets } = standardizedUci(set);
    return Array.from({ length: seeds }, (_, seed) => {
      const layers = [inputSize, 16, 16, 1];
      const { parameters } = network({ layers, seed });
      return write(root, { name: `${set}, seed ${seed}`, set, seed }, { layers, inputs, targets, parameters });
    });
  });
}

export { UCI_SETS };

function write(root, description, problem) {
  const folder = join(root, description.name.replaceAll(/[^a-zA-Z0-9]+/g, "-"));
  writeProblem(folder, problem);
  return { ...description, folder };
}
