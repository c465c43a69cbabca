// A training that writes a checkpoint at every iteration and says so; with "resume" it goes on from it. Prints a digest of what came out. With
// the method "egn" an iteration is a step on a batch, so that most checkpoints are in the middle of an epoch.
import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";

const [, , library, mode, path, backend, name] = process.argv;
const { exactGaussNewton, network, train } = await import(pathToFileURL(library).href);
const n = 60;
const inputs = Float64Array.from({ length: 2 * n }, (_, k) => Math.sin(1 + k * k));
const targets = Float64Array.from(
  { length: n },
  (_, i) => Math.sin(3 * inputs[2 * i]) * inputs[2 * i + 1] + 0.1 * Math.sin(7 * i),
);
const tell = (iteration) => process.stdout.write(`iteration ${iteration}\n`);
const egn = exactGaussNewton({ batch: 8, momentum: 0.9 });
const batches = {
  method: {
    ...egn,
    step: (context, state) => {
      tell(context.iteration - 1);
      return egn.step(context, state);
    },
  },
  stop: { epochs: 60, patience: 1000 },
};
const whole = {
  stop: { iterations: 60, patience: 1000, gradient: 0, step: 0, reduction: 0 },
  onRecord: ({ iteration }) => tell(iteration),
};
const {
  network: trained,
  records,
  reason,
} = await train(
  network({ layers: [2, 8, 4, 1], seed: 3 }),
  { inputs, targets, inputSize: 2, outputSize: 1 },
  {
    backend,
    validation: 0.2,
    ...(name === "egn" ? batches : whole),
    checkpoint: { path, every: 1 },
    ...(mode === "resume" ? { resume: path } : {}),
  },
);
const plain = records.map(({ elapsed: _elapsed, seconds: _seconds, ...record }) => record);
const digest = createHash("sha256")
  .update(new Uint8Array(trained.parameters.buffer))
  .update(JSON.stringify([plain, reason]));
process.stdout.write(`digest ${digest.digest("hex")}\n`);
