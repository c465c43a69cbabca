// Experiment minmax trains generators against discriminators on a ring of eight normal distributions, by Gauss-Newton a player, by the published
// min-max Gauss-Newton step and by Adam, and counts the modes that the samples cover. experiments.ts runs it for gaussflow experiment minmax.
import type { Chart } from "../document.js";
import { latentInputs } from "../game/batches.js";
import { minmax as play } from "../game/minmax.js";
import type { MinmaxOptions } from "../game/minmax-options.js";
import type { MinmaxResult } from "../game/minmax-result.js";
import { adam } from "../method/adam.js";
import { minmaxGaussNewton } from "../method/minmax/minmax-gauss-newton.js";
import { publishedScalar } from "../method/minmax/published-step.js";
import { network } from "../network/network.js";
import { Random } from "../random.js";
import { type Experiment, type ExperimentContext, median, range, seedsOf, show } from "./experiment.js";
import { type Coverage, coverageOf, MODES, ringRows } from "./gaussian-ring.js";

/** Inputs of the generator. */
const LATENT = 4;
/** Samples that are judged, and those that are drawn. */
const JUDGED = 2000;
/** Seeds of the noise that they are drawn from begin here: that of a training begins at its own seed. */
const JUDGING = 2 ** 20;
const DRAWN = 400;
/** Passes over the real rows by the generator's steps. */
const EPOCHS = 60;
const BATCH = 128;

interface Contender {
  readonly name: string;
  readonly label: string;
  readonly options: MinmaxOptions;
}

const published = { step: "published" } as const;
/** The rate of the normalized form is a hundred times the authors', with which nothing moves in so few steps. */
const normalized = minmaxGaussNewton({ ...published, rate: 1e-3 });
/** The Wasserstein loss with the gradient penalty, and the weight of the penalty that its authors use for points in the plane. */
const wasserstein = { loss: "wasserstein", penaltyWeight: 0.1 } as const;
const CONTENDERS: readonly Contender[] = [
  { name: "gauss-newton", label: "Gauss-Newton a player, logistic, R1", options: { method: minmaxGaussNewton() } },
  {
    name: "published-wasserstein",
    label: "published, normalized, guarded, WGAN-GP",
    options: { ...wasserstein, method: normalized },
  },
  {
    name: "published-plain",
    label: "published, plain, guarded, WGAN-GP",
    options: { ...wasserstein, method: minmaxGaussNewton({ ...published, normalize: false }) },
  },
  {
    name: "published-logistic",
    label: "published, normalized, guarded, logistic, R1",
    options: { method: normalized },
  },
  { name: "adam-logistic", label: "Adam, logistic, R1", options: { method: adam({ rate: 3e-3, beta1: 0.5 }) } },
  {
    name: "adam-wasserstein",
    label: "Adam, WGAN-GP",
    options: {
      ...wasserstein,
      discriminatorSteps: 5,
      method: adam({ rate: 1e-3, beta1: 0.5, beta2: 0.9 }),
    },
  },
];

interface Line extends Coverage {
  readonly name: string;
  readonly seed: number;
  readonly result: MinmaxResult;
  readonly samples: Float64Array;
}

export const minmax: Experiment = {
  name: "minmax",
  title: "Min-max games: Gauss-Newton a player covers a ring of eight modes",
  about: "methods",
  defaults: { seed: 1, seeds: 5, samples: 2048, width: 32 },
  regime: "any",
  run: async (context) => {
    const { settings } = context;
    const seeds = seedsOf(settings);
    const lines: Line[] = [];
    for (const contender of CONTENDERS) for (const seed of seeds) lines.push(await oneGame(contender, seed, context));
    const of = (name: string) => lines.filter((line) => line.name === name);
    const first = (name: string) => of(name)[0] as Line;
    const covering = of("gauss-newton").filter(({ modes, quality }) => modes >= MODES - 1 && quality >= 0.25);
    const enough = Math.ceil(0.8 * seeds.length);
    const guarded = lines.filter(({ name }) => name.startsWith("published"));
    const scalars = guarded.flatMap(({ result }) => result.records.map(({ scalar }) => scalar ?? Number.NaN));
    const replaced = CONTENDERS.filter(({ name }) => name.startsWith("published")).map(
      ({ name, label }) =>
        `${percent(share(of(name).flatMap(({ result }) => result.records.map((one) => one.guarded))))} (${label})`,
    );
    const difference = shermanMorrison();
    return {
      purpose: `A generator (${LATENT} normal inputs) learns to make points from eight normal distributions on a ring against a discriminator, both with two layers of ${settings.width} tanh units, on ${settings.samples} rows in ${EPOCHS} epochs. Judged are ${JUDGED} samples: a mode is covered where at least a tenth of its share of them lies within three standard deviations, and the quality is the share of samples that lie so near to any mode. Modes say little alone: a blob over the whole ring covers all eight with a low quality. The losses are the non-saturating logistic loss with the penalty R1, and the Wasserstein loss with the gradient penalty. Adam with the former is the method to beat, and the table has it.`,
      claims: [
        {
          claim: "Gauss-Newton a player covers the ring",
          promised: `at least ${MODES - 1} of ${MODES} modes with a quality of at least 0.25, for ${enough} of ${seeds.length} seeds`,
          measured: `${covering.length} of ${seeds.length} seeds: modes ${of("gauss-newton")
            .map(({ modes }) => modes)
            .join(" ")}, quality ${qualities(of("gauss-newton"))}`,
          holds: covering.length >= enough,
        },
        {
          claim: "The published step is Sherman and Morrison's formula",
          promised: "relative difference at most 1e-12",
          measured: show(difference, 2),
          holds: difference <= 1e-12,
        },
        {
          claim: "With the guard the scalar of the published step is never negative",
          promised: "at least 0 at every step",
          measured: `smallest ${show(
            scalars.reduce((one, other) => Math.min(one, other), Number.POSITIVE_INFINITY),
            3,
          )} of ${scalars.length} steps; share of steps that the guard changed: ${replaced.join(", ")}`,
          holds: scalars.length > 0 && scalars.every((scalar) => scalar >= 0),
        },
      ],
      charts: [
        ...CONTENDERS.map(({ name, label }) => scatter(first(name), label, settings.samples)),
        qualityChart(lines),
      ],
      tables: [
        {
          title: "Modes covered and quality, by method",
          columns: ["method", `modes by seed (of ${MODES})`, "quality", "median quality", "seconds a game"],
          rows: CONTENDERS.map(({ name, label }) => [
            label,
            of(name)
              .map(({ modes }) => modes)
              .join(" "),
            qualities(of(name)),
            show(median(of(name).map(({ quality }) => quality)), 3),
            show(median(of(name).map(({ result }) => result.seconds)), 3),
          ]),
        },
      ],
      runs: lines.map(({ name, seed, modes, quality, result }) => ({
        experiment: "minmax",
        method: name,
        seed,
        modes,
        quality,
        reason: result.reason.code,
        message: result.reason.message,
        iterations: result.iterations,
        seconds: result.seconds,
        guarded: share(result.records.map((one) => one.guarded)),
      })),
    };
  },
};

async function oneGame({ name, label, options }: Contender, seed: number, context: ExperimentContext): Promise<Line> {
  const { settings, backend, threads, signal } = context;
  context.progress(`${label}, seed ${seed}`);
  const { width, samples: count } = settings;
  const batch = Math.min(BATCH, count);
  const result = await play(
    network({ layers: [LATENT, width, width, 2], seed }),
    network({ layers: [2, width, width, 1], seed: seed + 1000 }),
    ringRows(count, seed),
    { ...options, batch, iterations: EPOCHS * Math.floor(count / batch), seed, backend, threads, signal },
  );
  signal?.throwIfAborted();
  const samples = result.generator.predict(latentInputs(JUDGING + seed, 0, JUDGED * LATENT));
  return { name, seed, result, samples, ...coverageOf(samples) };
}

/** Largest relative difference of the scalar's step from -rate (v - z), z by the vectors of the formula. */
function shermanMorrison(): number {
  const random = new Random(1, 1);
  let most = 0;
  for (const rate of [1e-5, 0.02, 1])
    for (const lambda of [0.01, 0.1, 2]) {
      const v = Float64Array.from({ length: 500 }, () => random.normal());
      const u = v.map((value) => Math.sqrt(rate / lambda) * value);
      const [uv, uu] = [u, u].map((one, k) => one.reduce((sum, value, j) => sum + value * (k === 0 ? v[j] : u[j]), 0));
      const { scalar } = publishedScalar(
        v.reduce((sum, value) => sum + value * value, 0),
        rate,
        lambda,
        false,
      );
      v.forEach((value, j) => {
        const z = (value - (u[j] * uv) / (1 + uu)) / Math.sqrt(lambda);
        most = Math.max(most, Math.abs(value - z - scalar * value) / Math.max(Math.abs(value), Math.abs(z)));
      });
    }
  return most;
}

const share = (flags: readonly boolean[]) => flags.filter(Boolean).length / Math.max(1, flags.length);
const percent = (value: number) => `${(100 * value).toFixed(0)}%`;
const qualities = (lines: readonly Line[]) =>
  range(
    lines.map(({ quality }) => quality),
    2,
  );

/** The drawn points in order of x. */
function points(rows: Float64Array, count: number) {
  const list = Array.from({ length: Math.min(count, rows.length / 2) }, (_, i) => [rows[2 * i], rows[2 * i + 1]]);
  list.sort(([a], [b]) => a - b);
  return { x: list.map(([x]) => x), y: list.map(([, y]) => y), style: "points" as const };
}

function scatter({ name, samples, modes, quality, seed }: Line, label: string, rows: number): Chart {
  return {
    id: `samples-${name}`,
    title: `${label}: ${modes} of ${MODES} modes, quality ${show(quality, 2)}`,
    alt: `${DRAWN} samples of the generator of seed ${seed} over ${DRAWN} real rows, which form eight groups on a ring. ${modes} groups are covered, and ${percent(quality)} of all samples lie in one.`,
    x: { label: "first coordinate", scale: "linear" },
    y: { label: "second coordinate", scale: "linear" },
    series: [
      { label: "real rows", ...points(ringRows(rows, seed), DRAWN), hue: 5 },
      { label: "samples", ...points(samples, DRAWN), hue: 1 },
    ],
  };
}

/** Quality against covered modes, one point a game. */
function qualityChart(lines: readonly Line[]): Chart {
  return {
    id: "quality",
    title: "Quality of the samples by seed",
    alt: `Quality by seed, one point a game: ${CONTENDERS.map(({ name, label }) => `${label} ${qualities(lines.filter((line) => line.name === name))}`).join("; ")}.`,
    x: { label: "seed", scale: "linear" },
    y: { label: "share of samples near a mode", scale: "linear" },
    series: CONTENDERS.map(({ name, label }, hue) => {
      const own = lines.filter((line) => line.name === name);
      return {
        label,
        x: own.map(({ seed }) => seed),
        y: own.map(({ quality }) => quality),
        style: "points" as const,
        hue,
      };
    }),
  };
}
