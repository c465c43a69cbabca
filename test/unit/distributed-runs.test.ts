// A training on ranks that have no room for the whole Gram matrix, and may or may not hold it together.
import { describe, expect, it } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";
import { levenbergMarquardt, network, plan, train } from "../../src/index.js";
import { errorsOnRanks } from "../helpers/fake-cluster.js";
import { waves } from "../helpers/problems.js";

describe.skipIf(!loadNative().ok)("a Gram matrix beyond the memory of a rank", () => {
  const net = network({ layers: [8, 64, 64, 1], seed: 1 });
  const data = waves(6000, 8, 1, 3);
  const method = levenbergMarquardt({ precision: "double" });
  const options = { method, route: "primal", validation: false, backend: "native", threads: 1, slots: 4 } as const;
  const whole = plan(net, data, { ...options, ranks: 2 }).chosen.bytes.most;
  const together = plan(net, data, { ...options, ranks: 2, distributed: true }).chosen.bytes.most;

  it("is refused with the option that lets the ranks hold it together", async () => {
    const memoryLimit = (whole + together) / 2;
    const ask = { ...options, memoryLimit, distributed: false };
    for (const error of await errorsOnRanks(2, (cluster) => train(net, data, { ...ask, cluster }))) {
      expect(error.message).toMatch(/the primal route needs .*options\.distributed true fits: the ranks hold/);
      expect(error).toMatchObject({ code: "GAUSSFLOW_MEMORY" });
      expect(error.message).toContain('options.route "matrix-free" fits');
      // Which ranks do not take.
      expect(error.message).not.toContain('"dual"');
    }
  });

  it("is not offered where that does not fit either, nor to one process", async () => {
    const ask = { ...options, memoryLimit: 0.8 * together, distributed: false };
    for (const error of await errorsOnRanks(2, (cluster) => train(net, data, { ...ask, cluster })))
      expect(error.message).not.toContain("options.distributed");
    await expect(train(net, data, ask)).rejects.toThrow(/^(?!.*options\.distributed).*the primal route needs/);
  });

  it("needs ScaLAPACK on all ranks where it is requested", async () => {
    for (const error of await errorsOnRanks(2, (cluster) =>
      train(net, data, { ...options, distributed: true, cluster }),
    ))
      expect(error).toMatchObject({
        code: "GAUSSFLOW_MPI",
        message: expect.stringContaining("options.distributed needs"),
      });
  });
});
