// Steps of ggnScore with groups of parameters against their definition in dense algebra: the majorizing and the published curvature of a group, the
// published length, and the thresholds of the proximal step.
import { describe, expect, it } from "vitest";
import { failed } from "../../src/backend/engine.js";
import { ggnScore, network, Random, squaredError, unitGroups } from "../../src/index.js";
import type { GgnScoreOptions } from "../../src/method/ggn-score/options.js";
import { predictions } from "../../src/network/forward.js";
import { contextOf, engineOf, type StepProblem } from "../helpers/batch-step.js";
import { eliminate, inverseNorm1, multiply, norm1, transpose } from "../helpers/dense.js";

const rows = 9;
const draw = new Random(7, 1);
const drawn = network({ layers: [3, 4, 1], seed: 5 });
const p = drawn.parameterCount;
// Biases are drawn as 0, where the share of a parameter in its group has no value.
const w = drawn.parameters.map((value) => value + 0.3 * draw.normal());
const net = drawn.withParameters(w);
const groups = unitGroups(net);
const batch = {
  inputs: Float64Array.from({ length: rows * 3 }, () => draw.normal()),
  targets: Float64Array.from({ length: rows }, () => draw.normal()),
};
const problem: StepProblem = { net, loss: squaredError(), rows, batch };
const [tau, mu] = [1e-2, 0.4];

/** Members, length and factor sqrt(m) of the group of each parameter. */
const members = groups.flatMap((count, g) => {
  const from = groups.slice(0, g).reduce((sum, one) => sum + one, 0);
  const radius = Math.hypot(...w.subarray(from, from + count));
  return Array.from({ length: count }, () => ({ radius, weight: Math.sqrt(count) }));
});

/** The pseudo-Huber function of the length of a group: slope and curvature of each parameter. */
function terms(kind: "majorizing" | "published") {
  const at = members.map(({ radius, weight }, j) => {
    const s = Math.hypot(mu, radius);
    // a = h'(r)/r, b = h''(r): the Hessian is a (I - v v^T) + b v v^T with v = w/r.
    const [a, curved] = [1 / s, mu ** 2 / s ** 3];
    const share = (w[j]! / radius) ** 2;
    const curvature = kind === "majorizing" ? a : a * (1 - share) + curved * share;
    return { slope: weight * a * w[j]!, curvature: weight * curvature };
  });
  return {
    slope: Float64Array.from(at, ({ slope }) => slope),
    curvature: Float64Array.from(at, (one) => one.curvature),
  };
}

/** The direction -(J^T J / b + tau H)^-1 (gradient of the mean loss + tau slope), and the condition of the system. */
async function direction(kind: "majorizing" | "published") {
  const { slope, curvature } = terms(kind);
  const engine = engineOf(problem, "typescript");
  const jacobian = await engine.jacobian(w, 0, rows);
  engine.dispose();
  const residual = predictions(net.architecture, w, batch.inputs).map((value, i) => value - batch.targets[i]!);
  const turned = transpose(jacobian, rows, p);
  const matrix = multiply(turned, jacobian, p, rows, p).map((value) => value / rows);
  for (let j = 0; j < p; j++) matrix[j * p + j] += tau * curvature[j]!;
  const right = multiply(turned, residual, p, rows, 1).map((value, j) => -value / rows - tau * slope[j]!);
  return { step: eliminate(matrix, right, p), condition: norm1(matrix, p) * inverseNorm1(matrix, p) };
}

async function moved(options: GgnScoreOptions): Promise<Float64Array> {
  const engine = engineOf(problem, "typescript");
  const method = ggnScore({ tau, mu, groups, continuation: 0, ...options });
  const context = contextOf(problem, [engine], w);
  const answer = await method.step(
    context,
    method.start({ rows, outputSize: 1, parameterCount: p, loss: problem.loss }),
  );
  engine.dispose();
  if (failed(answer)) throw new Error(answer.message);
  return context.next.map((value, j) => value - w[j]!);
}

const largest = (values: Float64Array) => Math.max(...values.map(Math.abs));

describe.each(["rows", "parameters"] as const)("groups of parameters, the system by its %s", (system) => {
  it("the majorizing step is that of the definition, by a power of 1/2", async () => {
    const { step, condition } = await direction("majorizing");
    const found = await moved({ system });
    const halvings = Math.round(-Math.log2(largest(found) / largest(step)));
    const off = largest(found.map((value, j) => value * 2 ** halvings - step[j]!));
    expect(off / largest(step)).toBeLessThan(100 * Number.EPSILON * condition);
  });

  it("the published step has the diagonal of the Hessian and the published length", async () => {
    const { step, condition } = await direction("published");
    const { slope, curvature } = terms("published");
    const eta = Math.sqrt(slope.reduce((sum, g, j) => sum + (tau * g) ** 2 / curvature[j]!, 0));
    const alpha = Math.min(1, 0.8 / (1 + 2 * p ** 0.2 * mu ** -0.7 * eta));
    const found = await moved({ system, step: "published", length: 0.8 });
    const off = largest(found.map((value, j) => value - alpha * step[j]!));
    expect(off / largest(step)).toBeLessThan(100 * Number.EPSILON * condition);
  });
});

it("the proximal step shortens each group by the mean of the thresholds of its parameters", async () => {
  const plain = await moved({ step: "published", length: 0.8 });
  const shrunk = await moved({ step: "published", length: 0.8, proximal: true });
  const { curvature } = terms("published");
  let from = 0;
  for (const count of groups) {
    const at = w.subarray(from, from + count).map((value, k) => value + plain[from + k]!);
    const threshold = curvature.subarray(from, from + count).reduce((sum, one) => sum + (tau * 0.8 * one) / count, 0);
    const factor = Math.max(0, 1 - (Math.sqrt(count) * threshold) / Math.hypot(...at));
    for (let k = 0; k < count; k++)
      expect(Math.abs(w[from + k]! + shrunk[from + k]! - factor * at[k]!)).toBeLessThan(
        16 * Number.EPSILON * (1 + Math.abs(at[k]!)),
      );
    from += count;
  }
});
