// Runs TensorFlow.js (WebAssembly backend) as a peer: Adam on batches of 250, rate 1e-2 falling to 1e-5 along a half cosine over the time
// cap, float32. (tfjs-node is no peer here: its installation downloads a binary from outside the registry.) bench/peers/run.mjs starts it
// in a child process (bench/peers/lib/run-peer.mjs).
//   node bench/peers/programs/tfjs_adam.mjs FOLDER CAP_SECONDS TARGET_LOSS
import { importPeer, peerVersion, Record, readArguments } from "./peer.mjs";

const { problem, cap, target } = readArguments();
const { layers, sampleCount } = problem;
const { default: tf } = await importPeer("@tensorflow/tfjs");
await importPeer("@tensorflow/tfjs-backend-wasm");
await tf.setBackend("wasm");
await tf.ready();
if (tf.getBackend() !== "wasm") throw new Error("the WebAssembly backend did not start");
const record = new Record({ cap, target }, peerVersion("@tensorflow/tfjs"), tf.getBackend(), "float32");

const X = tf.tensor2d(Float32Array.from(problem.inputs), [sampleCount, layers[0]]);
const Y = tf.tensor2d(Float32Array.from(problem.targets), [sampleCount, layers.at(-1)]);
const variables = [];
let at = 0;
for (let l = 0; l + 1 < layers.length; l++) {
  const [a, b] = [layers[l], layers[l + 1]];
  const part = (from, count, shape) =>
    tf.variable(tf.tensor(Float32Array.from(problem.weights.subarray(from, from + count)), shape));
  variables.push([part(at, a * b, [a, b]), part(at + a * b, b, [b])]);
  at += (a + 1) * b;
}
const predict = (x) =>
  variables.reduce((h, [W, b], l) => {
    const z = h.matMul(W).add(b);
    return l + 1 < variables.length ? z.tanh() : z;
  }, x);
const mse = (x, y) => predict(x).sub(y).square().mean();

// A shuffle by a small generator: only that it differs from epoch to epoch matters.
let state = 1;
function below(count) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * count);
}

const [highest, lowest, batch] = [1e-2, 1e-5, Math.min(250, sampleCount)];
await record.run(() => {
  const optimizer = tf.train.adam(highest);
  const evaluate = () => tf.tidy(() => mse(X, Y).dataSync()[0]);
  const order = Int32Array.from({ length: sampleCount }, (_, i) => i);
  record.evaluated(0, evaluate);
  for (let steps = 0; ; ) {
    const share = Math.min(1, record.seconds() / cap);
    // Adam keeps its rate in this field; there is no setter.
    optimizer.learningRate = lowest + ((highest - lowest) * (1 + Math.cos(Math.PI * share))) / 2;
    for (let i = sampleCount - 1; i > 0; i--) {
      const j = below(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    for (let first = 0; first < sampleCount; first += batch) {
      const part = order.subarray(first, Math.min(first + batch, sampleCount));
      tf.tidy(() => {
        const rows = tf.tensor1d(part, "int32");
        const [x, y] = [X.gather(rows), Y.gather(rows)];
        optimizer.minimize(() => mse(x, y));
      });
      steps++;
    }
    record.evaluated(steps, evaluate);
  }
});
