// The demos' baseline, called by cars.mjs and penguins.mjs: trains the same network by Adam (Kingma and Ba 2015) on the engine's own full-batch
// gradient, for the same wall time, stopped by the same validation part. It is not part of the library, because it only serves the
// comparison.

/**
 * @param engine an engine on the training part, `validation` one on the validation part
 * @param decay weight decay of the sum loss
 * @returns { parameters, validationLoss, steps } of the best point by validation
 */
export async function adam(engine, validation, start, learningRate, seconds, decay = 0) {
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];
  const w = start.slice();
  const first = new Float64Array(w.length);
  const second = new Float64Array(w.length);
  const best = { parameters: start, validationLoss: Number.POSITIVE_INFINITY, steps: 0 };
  const end = performance.now() + 1000 * seconds;
  for (let step = 1; performance.now() < end; step++) {
    const point = await engine.linearize(w, { curvature: "none", decay, scaling: null });
    if (!point.ok) break;
    // The mean loss, so that the usual learning rates fit.
    const scale = 2 / (engine.sampleCount * engine.outputSize);
    for (let j = 0; j < w.length; j++) {
      const g = scale * point.gradient[j];
      first[j] = beta1 * first[j] + (1 - beta1) * g;
      second[j] = beta2 * second[j] + (1 - beta2) * g * g;
      w[j] -= (learningRate * first[j]) / (1 - beta1 ** step) / (Math.sqrt(second[j] / (1 - beta2 ** step)) + epsilon);
    }
    const held = await validation.evaluate(w);
    if (held.ok && held.loss < best.validationLoss) {
      best.validationLoss = held.loss;
      best.parameters = w.slice();
      best.steps = step;
    }
  }
  return best;
}
