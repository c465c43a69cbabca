// A training that writes a checkpoint at every iteration, of as many as it is told, and says so; with "resume" it goes on from it. Prints a
// digest of what came out. With the methods "egn" and "sampled" an iteration is a step on a batch, so that most checkpoints are in the middle
// of an epoch. "game" is a min-max game in place of a training.
import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";

const [, , library, mode, path, backend, name, length] = process.argv;
const iterations = Number(length);
const { exactGaussNewton, minmax, minmaxGaussNewton, network, softmaxCrossEntropy, train } = await import(
  pathToFileURL(library).href
);
const n = 60;
const inputs = Float64Array.from({ length: 2 * n }, (_, k) => Math.sin(1 + k * k));
const targets = Float64Array.from(
  { length: n },
  (_, i) => Math.sin(3 * inputs[2 * i]) * inputs[2 * i + 1] + 0.1 * Math.sin(7 * i),
);
const tell = (iteration) => process.stdout.write(`iteration ${iteration}\n`);
const told = (method) => ({
  ...method,
  step: (context, state) => {
    tell(context.iteration - 1);
    return method.step(context, state);
  },
});
const checkpoint = { path, every: 1 };
const resume = mode === "resume" ? { resume: path } : {};
/** Without the clock. */
const plain = (records) => records.map(({ elapsed: _elapsed, seconds: _seconds, ...record }) => record);
const digest = (networks, rest) => {
  const hash = createHash("sha256");
  for (const { parameters } of networks) hash.update(new Uint8Array(parameters.buffer));
  process.stdout.write(`digest ${hash.update(JSON.stringify(rest)).digest("hex")}\n`);
};

if (name === "game") {
  const players = [network({ layers: [3, 8, 2], seed: 3 }), network({ layers: [2, 8, 1], seed: 4 })];
  const method = { generator: told(minmaxGaussNewton()), discriminator: told(exactGaussNewton({ momentum: 0.9 })) };
  const game = { method, backend, batch: 8, discriminatorSteps: 2, iterations, seed: 5 };
  const { generator, discriminator, records, reason } = await minmax(...players, inputs, {
    ...game,
    checkpoint,
    ...resume,
  });
  digest([generator, discriminator], [plain(records), reason]);
} else {
  const many = name === "sampled";
  const batches = {
    method: told(exactGaussNewton({ batch: 8, momentum: 0.9, ...(many ? { curvature: "sampled" } : {}) })),
    stop: { iterations, patience: 1000 },
    ...(many ? { loss: softmaxCrossEntropy() } : {}),
  };
  const whole = {
    stop: { iterations, patience: 1000, gradient: 0, step: 0, reduction: 0 },
    onRecord: ({ iteration }) => tell(iteration),
  };
  const outputs = many ? 3 : 1;
  const classes = Float64Array.from({ length: 3 * n }, (_, k) => ((k - Math.floor(k / 3)) % 3 === 0 ? 1 : 0));
  const {
    network: trained,
    records,
    reason,
  } = await train(
    network({ layers: [2, 8, 4, outputs], seed: 3 }),
    { inputs, targets: many ? classes : targets, inputSize: 2, outputSize: outputs },
    { backend, validation: 0.2, ...(name === "lm" ? whole : batches), checkpoint, ...resume },
  );
  digest([trained], [plain(records), reason]);
}
