// Small regression problems for tests, the same every time.
import { dataset, Random } from "../../src/index.js";

/** y = sin of a random direction + noise, d inputs and c targets. */
export function waves(n: number, d: number, c: number, seed: number, noise = 0.05) {
  const random = new Random(seed, 7);
  const directions = Array.from({ length: c * d }, () => random.normal());
  const inputs: number[][] = [];
  const targets: number[][] = [];
  for (let i = 0; i < n; i++) {
    const row = Array.from({ length: d }, () => 2 * random.uniform() - 1);
    inputs.push(row);
    targets.push(
      Array.from({ length: c }, (_, a) => {
        const t = row.reduce((sum, x, k) => sum + directions[a * d + k] * x, 0);
        return Math.sin(t) + noise * random.normal();
      }),
    );
  }
  return dataset({ inputs, targets });
}
