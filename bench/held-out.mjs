// Trains the common case (Friedman #1, lib/friedman.mjs) as a user does, with 15% held out and the default patience, on three splits, and prints the error on the separate
// test part. A developer runs it by hand after `npm run build`.
//   GAUSSFLOW_DATA=... node bench/held-out.mjs
import { train } from "../dist/index.js";
import { friedman } from "./lib/friedman.mjs";

const { inputs, targets, testInputs, testTargets, net } = friedman();
for (const seed of [0, 1, 2]) {
  const result = await train(net, { inputs, targets }, { standardize: false, seed });
  const predicted = result.network.predict(testInputs);
  const mse = testTargets.reduce((sum, y, i) => sum + (predicted[i] - y) ** 2, 0) / testTargets.length;
  console.log(
    `split ${seed}: test MSE ${mse.toExponential(3)} (${result.iterations} iterations, ${result.seconds.toFixed(1)} s)`,
  );
}
