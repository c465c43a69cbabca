// Makes twenty small problems whose targets a network can reach exactly (n <= 20, p <= 50), so that every digit of the final loss is due to
// the method. bench/small-exact.mjs trains on them.
import { network, Random } from "../../dist/index.js";

/** `count` equally spaced numbers from `first` to `last`. */
const spaced = (first, last, count) =>
  Array.from({ length: count }, (_, k) => first + (k * (last - first)) / (count - 1));

/** All pairs of the two lists. */
const grid = (a, b) => a.flatMap((x) => b.map((y) => [x, y]));

/** `count` rows of `size` uniform numbers in [-1, 1]. */
function random(count, size, seed) {
  const numbers = new Random(seed);
  return Array.from({ length: count }, () => Array.from({ length: size }, () => 2 * numbers.uniform() - 1));
}

/** Targets by a formula; it answers a number or a row of numbers. */
const from = (name, layers, inputs, formula, options = {}) => ({
  name,
  layers,
  options,
  inputs,
  targets: inputs.map((row) => [formula(...row)].flat()),
});

/** Targets by a network: `teacher` its layers, with weights twice as large as at a start so that it is no straight line. */
function taught(name, layers, teacher, inputs, options = {}) {
  const start = network({ layers: teacher, seed: 1234, ...options });
  const net = start.withParameters(start.parameters.map((value) => 2 * value));
  const rows = net.predict(inputs);
  return { name, layers, options, inputs, targets: rows };
}

const column = (values) => values.map((value) => [value]);

/** [{ name, layers, options, inputs, targets }] */
export function smallExactProblems() {
  return [
    from("y = 2x, 5 rows", [1, 3, 1], column([1, 2, 3, 4, 5]), (x) => 2 * x),
    from("y = 3x - 1, 10 rows", [1, 5, 1], column(spaced(-1, 1, 10)), (x) => 3 * x - 1),
    from("affine, 2 inputs", [2, 4, 1], grid([-1, 0, 1], [-1, 0, 1]), (a, b) => a - 2 * b + 0.5),
    from("linear, no hidden layer", [3, 2], random(20, 3, 1), (a, b, c) => [a - b, 2 * c + a - 1]),
    from("quadratic", [1, 4, 1], column(spaced(-2, 2, 8)), (x) => x * x),
    from("two squares", [2, 6, 1], grid(spaced(-1, 1, 4), spaced(-1, 1, 4)), (a, b) => a * a + b * b),
    from("product", [2, 5, 1], random(12, 2, 2), (a, b) => a * b),
    from("exclusive or", [2, 3, 1], grid([0, 1], [0, 1]), (a, b) => (a === b ? 0 : 1)),
    from("sine, 10 rows", [1, 6, 1], column(spaced(0, 2, 10)), (x) => Math.sin(3 * x)),
    from("sine, 20 rows", [1, 10, 1], column(spaced(0, 1, 20)), (x) => Math.sin(2 * Math.PI * x)),
    taught("teacher 1-2-1", [1, 2, 1], [1, 2, 1], column(spaced(-2, 2, 20))),
    taught("teacher 2-3-1", [2, 3, 1], [2, 3, 1], random(20, 2, 3)),
    taught("teacher 3-2-2", [3, 2, 2], [3, 2, 2], random(15, 3, 4)),
    taught("teacher 2-2-1, wider", [2, 6, 1], [2, 2, 1], random(20, 2, 5)),
    from("sum and product", [2, 6, 2], random(10, 2, 6), (a, b) => [a + b, a * b]),
    from("cosine, two hidden layers", [1, 4, 4, 1], column(spaced(-2, 2, 12)), (x) => Math.cos(2 * x)),
    from("every row twice", [1, 5, 1], column([...spaced(-1, 1, 8), ...spaced(-1, 1, 8)]), (x) => x * x),
    from(
      "a constant input",
      [2, 4, 1],
      column(spaced(0, 9, 10)).map(([x]) => [x, 1]),
      (x) => 2 * x,
    ),
    from("constant targets", [1, 3, 1], column(spaced(0, 9, 10)), () => 3),
    from("three inputs", [3, 9, 1], random(20, 3, 7), (a, b, c) => Math.exp(a - b) / (2 + c)),
  ];
}
