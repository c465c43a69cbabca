// The orthogonal route with every loss, on both engines: flows are its only runs. Its path against that of the primal route, undamped where
// the loss has a regular system, and its refusal in a training.
import { describe, expect, it } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";
import { dormandPrince, flow, type Loss, network, Random, train } from "../../src/index.js";
import { lossRule } from "../../src/loss/rules.js";
import { outputCount } from "../../src/loss/target-rules.js";
import { LOSSES } from "../helpers/losses.js";

const BACKENDS = loadNative().ok ? (["typescript", "native"] as const) : (["typescript"] as const);
const N = 40;

/** Noisy targets of the kind that the loss takes, two a row, and a network with these hidden units. */
function problemOf(loss: Loss, hidden: readonly number[]) {
  const random = new Random(6, 2);
  const inputs = Array.from({ length: N }, () => [random.normal()]);
  const { targets: kind } = lossRule(loss);
  const targets = inputs.map(([x = 0]) => {
    const rows = [Math.sin(2 * x), Math.cos(x)].map((value) => value + 0.5 * random.normal());
    if (kind === "real") return rows;
    if (kind === "count") return rows.map((value) => Math.floor(Math.exp(value)));
    const share = 1 / (1 + Math.exp(-(rows[0] as number)));
    return [share, 1 - share];
  });
  return { net: network({ layers: [1, ...hidden, outputCount(loss, 2)], seed: 5 }), data: { inputs, targets } };
}

const integrator = dormandPrince({ relativeTolerance: 1e-9, absoluteTolerance: 1e-12 });

describe.each(BACKENDS.flatMap((backend) => LOSSES.map((loss) => [loss.kind, backend, loss] as const)))(
  "%s, %s engine",
  (_, backend, loss) => {
    const path = (route: "primal" | "orthogonal", damping: number) => {
      // Undamped, a linear network: J of hidden units may lose its rank on the way, which ends such a flow.
      const { net, data } = problemOf(loss, damping > 0 ? [3] : []);
      return flow(net, data, { backend, loss, route, damping, integrator, until: 0.2 });
    };

    it.each([0.3, 0])("has the path of the primal route on the orthogonal one, damping %f", async (damping) => {
      if (damping === 0 && loss.kind === "softmax-cross-entropy") {
        // A shift of all outputs of a sample has no curvature.
        await expect(path("orthogonal", damping)).rejects.toThrow(/options\.damping must be above 0 with softmax/);
        return;
      }
      const [primal, orthogonal] = [await path("primal", damping), await path("orthogonal", damping)];
      expect(orthogonal.reason.code).toBe("until");
      for (const record of orthogonal.records.slice(1)) expect(record.route).toBe("orthogonal");
      expect(orthogonal.records.at(-1)?.loss).toBeLessThan(orthogonal.records[0]?.loss as number);
      // Two integrations at 1e-9, of velocities that Cholesky rounds with the square of the condition.
      const [a, b] = [orthogonal.network.parameters, primal.network.parameters];
      const size = Math.max(...b.map(Math.abs));
      for (const [j, value] of b.entries()) expect(Math.abs((a[j] as number) - value)).toBeLessThan(1e-6 * size);
    });

    it("is no route of a training, whose message names those that are", async () => {
      const { net, data } = problemOf(loss, [3]);
      await expect(train(net, data, { backend, loss, route: "orthogonal" as never })).rejects.toThrow(
        /options\.route must be .*primal.*dual.*matrix-free.*received "orthogonal"/,
      );
    });
  },
);
