// Example of the experiment "equations": a surface from values and slopes, beside the same from values alone.
import { dataset } from "../../data/dataset-input.js";
import { derivativeData } from "../../equations/derivative-data.js";
import type { Network } from "../../network/network.js";
import { network } from "../../network/network.js";
import { Random } from "../../random.js";
import { train } from "../../train/train.js";
import { show } from "../experiment.js";
import { type Example, evenly, solved } from "./example.js";

/** Rows of the table. */
const ROWS = 30;

const height = (x: number, y: number) => 300 + 20 * Math.sin(2 * x) * Math.exp(y / 10);
const slopes = (x: number, y: number) => [
  40 * Math.cos(2 * x) * Math.exp(y / 10),
  2 * Math.sin(2 * x) * Math.exp(y / 10),
];

/** Root mean square of the errors over the deviation of the surface. */
function relative(net: Network, points: readonly (readonly number[])[]): number {
  const exact = points.map(([x, y]) => height(x, y));
  const mean = exact.reduce((sum, value) => sum + value, 0) / exact.length;
  const predicted = net.predict(points);
  return (
    Math.hypot(...exact.map((value, i) => predicted[i] - value)) / Math.hypot(...exact.map((value) => value - mean))
  );
}

/** Slopes are data like any other. */
export const surface: Example = {
  name: "surface",
  equation: `a surface over two inputs from ${ROWS} rows of values with slopes`,
  async run(context, seed) {
    const { backend, threads, signal, settings } = context;
    const random = new Random(seed, 31);
    const draw = (count: number) => Array.from({ length: count }, () => [2 * random.uniform(), 10 * random.uniform()]);
    const inputs = draw(ROWS);
    const targets = inputs.map(([x, y]) => height(x, y));
    const layers = [2, settings.width, 1];
    const table = dataset({ inputs, targets, gradients: inputs.map(([x, y]) => slopes(x, y)) });
    const result = await solved(context, derivativeData(table), layers, seed, 150);
    const plain = await train(
      network({ layers, activation: "tanh", seed }),
      { inputs, targets },
      { stop: { iterations: 150 }, backend, threads, signal },
    );
    signal?.throwIfAborted();
    const test = draw(1000);
    const line = evenly(0, 2, 101);
    const along = [...line].map((x) => [x, 5]);
    return {
      figures: { error: relative(result.network, test), "error without slopes": relative(plain.network, test) },
      result,
      chart: {
        id: "surface",
        title: "A surface from values and slopes",
        alt: "The surface along the line y = 5: the network trained on values and slopes, the one trained on values alone, and the exact surface dashed.",
        x: { label: "x", scale: "linear" },
        y: { label: "height", scale: "linear" },
        series: [
          { label: "values and slopes", x: [...line], y: [...result.network.predict(along)], hue: 0 },
          { label: "values alone", x: [...line], y: [...plain.network.predict(along)], hue: 1 },
          { label: "exact", x: [...line], y: along.map(([x, y]) => height(x, y)), style: "dashed", hue: 2 },
        ],
      },
    };
  },
  claim: (runs) => {
    const ratios = runs.map(({ figures }) => figures.error / figures["error without slopes"]);
    return {
      claim: "The same rows with slopes give a better surface than values alone",
      promised: "error at most a fifth",
      measured: `${ratios.map((ratio) => show(ratio, 2)).join(", ")} of the error`,
      holds: ratios.every((ratio) => ratio <= 0.2),
    };
  },
};
