// Runs the npm package ml-levenberg-marquardt as a peer, with an analytic Jacobian and its defaults, but no stop before the cap.
// bench/peers/run.mjs starts it in a child process (lib/run-peer.mjs).
//   node bench/peers/programs/ml_lm.mjs FOLDER CAP_SECONDS TARGET_LOSS
import { importPeer, peerVersion, Record, readArguments } from "./peer.mjs";

const { problem, cap, target } = readArguments();
const { layers, sampleCount, inputs, targets } = problem;
if (layers.at(-1) !== 1) throw new Error("this peer's network has one output");
const { levenbergMarquardt } = await importPeer("ml-levenberg-marquardt");
const record = new Record({ cap, target }, peerVersion("ml-levenberg-marquardt"));

const values = layers.map((size) => new Float64Array(size));
const deltas = layers.map((size) => new Float64Array(size));

function forward(w, i) {
  for (let k = 0; k < layers[0]; k++) values[0][k] = inputs[i * layers[0] + k];
  let at = 0;
  for (let l = 0; l + 1 < layers.length; l++) {
    const [a, b] = [layers[l], layers[l + 1]];
    const [h, z] = [values[l], values[l + 1]];
    for (let j = 0; j < b; j++) z[j] = w[at + a * b + j];
    for (let k = 0; k < a; k++) for (let j = 0; j < b; j++) z[j] += h[k] * w[at + k * b + j];
    if (l + 2 < layers.length) for (let j = 0; j < b; j++) z[j] = Math.tanh(z[j]);
    at += (a + 1) * b;
  }
  return values.at(-1)[0];
}

function gradient(w, i) {
  forward(w, i);
  const row = new Float64Array(w.length);
  deltas.at(-1)[0] = 1;
  let end = w.length;
  for (let l = layers.length - 2; l >= 0; l--) {
    const [a, b] = [layers[l], layers[l + 1]];
    const [h, delta, below] = [values[l], deltas[l + 1], deltas[l]];
    const at = end - (a + 1) * b;
    for (let j = 0; j < b; j++) row[at + a * b + j] = delta[j];
    for (let k = 0; k < a; k++) {
      let sum = 0;
      for (let j = 0; j < b; j++) {
        row[at + k * b + j] = h[k] * delta[j];
        sum += w[at + k * b + j] * delta[j];
      }
      below[k] = (1 - h[k] * h[k]) * sum;
    }
    end = at;
  }
  return row;
}

// The package calls the model twice at each point, once a sample: the first call at a new point yields the loss for the record.
let seen = "";
let count = 0;
function model(w) {
  const predicted = new Float64Array(sampleCount);
  let sum = 0;
  for (let i = 0; i < sampleCount; i++) {
    predicted[i] = forward(w, i);
    sum += (predicted[i] - targets[i]) ** 2;
  }
  const key = `${w[0]} ${w.at(-1)} ${sum}`;
  if (key !== seen) {
    seen = key;
    record.loss(count++, sum / sampleCount);
  }
  return (i) => predicted[i];
}

await record.run(() => {
  const x = Float64Array.from({ length: sampleCount }, (_, i) => i);
  const { iterations } = levenbergMarquardt({ x, y: targets }, model, {
    initialValues: Array.from(problem.weights),
    jacobianFunction: (w) => (i) => gradient(w, i),
    maxIterations: 1e7,
    errorTolerance: 0,
  });
  return `stopped itself after ${iterations} iterations`;
});
