// Example of the experiment "equations": the law of a pendulum from noisy angles.
import { equations } from "../../equations/equations.js";
import { sample } from "../../equations/points.js";
import { integrate } from "../../ode/integrate.js";
import { Random } from "../../random.js";
import { show } from "../experiment.js";
import { type Example, evenly, solved } from "./example.js";

const TRUTH = { g: 2.5, c: 0.3 };
const NOISE = 0.02;

/** Angles of the true pendulum at some times from 0 on. */
async function angles(times: Float64Array): Promise<Float64Array> {
  const law = (_time: number, [angle, speed]: Float64Array) => [speed, -TRUTH.g * Math.sin(angle) - TRUTH.c * speed];
  const { outputs } = await integrate(law, { until: times.at(-1)!, initial: [1.5, 0], outputs: [...times] });
  return Float64Array.from(outputs, ({ state }) => state[0]);
}

/** Two unknown numbers of an ordinary differential equation. */
export const pendulum: Example = {
  name: "pendulum",
  equation: "a'' + g sin(a) + c a' = 0 with g and c unknown, from 60 angles with noise 0.02",
  async run(context, seed) {
    const { width, samples } = context.settings;
    const times = evenly(0, 6, 60);
    const random = new Random(seed, 31);
    const measured = (await angles(times)).map((angle) => angle + NOISE * random.normal());
    const problem = await equations(
      {
        law: {
          residual: "a_tt + g*sin(a) + c*a_t",
          points: sample({ t: [0, 6] }, Math.ceil(samples / 8), { seed }),
          weight: 0.01,
        },
        data: { residual: "a - measured", points: { t: times, measured } },
      },
      { outputs: ["a"], unknowns: { g: 1, c: 0 } },
    );
    const result = await solved(context, problem, [1, width, width, 1], seed, 150);
    const { g, c } = result.unknowns;
    const line = evenly(0, 6, 181);
    const exact = await angles(line);
    return {
      figures: {
        g: g.value,
        "standard error of g": g.standardError ?? Number.NaN,
        c: c.value,
        "standard error of c": c.standardError ?? Number.NaN,
      },
      result,
      chart: {
        id: "pendulum",
        title: "A pendulum's law from noisy angles",
        alt: "The angle over time, a damped swing: measured points, the network as a line, the true angle dashed.",
        x: { label: "t", scale: "linear" },
        y: { label: "angle", scale: "linear" },
        series: [
          { label: "measured", x: [...times], y: [...measured], style: "points", hue: 1 },
          { label: "network", x: [...line], y: [...result.network.predict({ t: line }).a], hue: 0 },
          { label: "true", x: [...line], y: [...exact], style: "dashed", hue: 2 },
        ],
      },
    };
  },
  claim: (runs) => {
    const near = (value: number, truth: number, error: number) => Math.abs(value - truth) <= 3 * error;
    const shown = runs.map(
      ({ figures: f }) =>
        `g = ${show(f.g)} ± ${show(f["standard error of g"], 2)}, c = ${show(f.c)} ± ${show(f["standard error of c"], 2)}`,
    );
    return {
      claim: `The pendulum's g = ${TRUTH.g} and c = ${TRUTH.c} are found from noisy angles, with their standard errors`,
      promised: "within 3 standard errors",
      measured: shown.join("; "),
      holds: runs.every(
        ({ figures: f }) =>
          near(f.g, TRUTH.g, f["standard error of g"]) && near(f.c, TRUTH.c, f["standard error of c"]),
      ),
    };
  },
};
