// Experiment "equations": six problems whose residuals contain derivatives, each with a known answer, trained and compared with it. experiments.ts
// runs it for gaussflow experiment equations, whose report page shows the pictures.
import type { Chart, ChartSeries } from "../../document.js";
import { type Experiment, seedsOf, show } from "../experiment.js";
import { burgers, viscosity } from "./burgers.js";
import type { Example, ExampleRun } from "./example.js";
import { pendulum } from "./pendulum.js";
import { cube, square } from "./poisson.js";
import { surface } from "./surface.js";

const EXAMPLES: readonly Example[] = [burgers, viscosity, square, cube, pendulum, surface];

export const equationExamples: Experiment = {
  name: "equations",
  title: "Equations that contain derivatives, solved and compared with what is known",
  about: "methods",
  defaults: { seed: 1, seeds: 1, samples: 2048, width: 16 },
  regime: "any",
  run: async (context) => {
    const runs = new Map<Example, ExampleRun[]>();
    for (const example of EXAMPLES) {
      const own: ExampleRun[] = [];
      for (const seed of seedsOf(context.settings)) {
        context.progress(`${example.name}, seed ${seed}`);
        own.push(await example.run(context, seed));
      }
      runs.set(example, own);
    }
    const all = [...runs];
    const seeds = seedsOf(context.settings);
    return {
      purpose:
        "Six problems whose residuals contain derivatives of the network by its inputs: two equations by their conditions, one in five dimensions, an unknown viscosity and an unknown law from noisy values, and a table with slopes. Lines are the trained networks, points and dashed lines what is known. Derivatives are carried through the network exactly, and Levenberg-Marquardt with geodesic acceleration minimizes the residuals.",
      claims: all.map(([example, own]) => example.claim(own)),
      charts: [...all.map(([, [first]]) => first.chart), lossChart(all)],
      maps: all.flatMap(([, [first]]) => first.maps ?? []),
      tables: [
        {
          title: "Problems and what was found",
          columns: ["problem", "equation", "seed", "parameters", "residuals", "iterations", "seconds", "found"],
          rows: all.flatMap(([{ name, equation }, own]) =>
            own.map(({ figures, result }, k) => [
              name,
              equation,
              seeds[k],
              result.plan.parameterCount,
              result.plan.equationCount,
              result.iterations,
              show(result.seconds, 3),
              Object.entries(figures)
                .map(([key, value]) => `${key} ${show(value)}`)
                .join(", "),
            ]),
          ),
        },
      ],
      runs: all.flatMap(([{ name }, own]) =>
        own.map(({ figures, result }, k) => ({
          experiment: "equations",
          problem: name,
          seed: seeds[k],
          ...figures,
          loss: result.loss,
          iterations: result.iterations,
          reason: result.reason.code,
          seconds: result.seconds,
        })),
      ),
    };
  },
};

/** Losses over the iterations of each problem's first run, relative to the start. */
function lossChart(runs: readonly (readonly [Example, readonly ExampleRun[]])[]): Chart {
  const series = runs.map(([{ name }, [first]], hue): ChartSeries => {
    const { records } = first.result;
    const start = records[0].loss;
    return {
      label: name,
      x: records.map(({ iteration }) => iteration),
      y: records.map(({ loss }) => (loss > 0 ? loss / start : null)),
      hue,
    };
  });
  return {
    id: "losses",
    title: "Loss over the iterations",
    alt: `Mean squared residuals of the six problems by iteration, relative to the start: they end between ${show(Math.min(...series.map(({ y }) => y.at(-1) ?? Number.NaN)))} and ${show(Math.max(...series.map(({ y }) => y.at(-1) ?? Number.NaN)))}.`,
    x: { label: "iteration", scale: "linear" },
    y: { label: "loss / loss at the start", scale: "log" },
    series,
  };
}
