// Predictions whose rows several ranks share: the bits and the order of one process, and an error on one rank is one on all.
import { describe, expect, it } from "vitest";
import { rowsOfRank } from "../../src/backend/shared-rows.js";
import { ensemble, gaussianNll, network, predictAsync, predictDistributionAsync, train } from "../../src/index.js";
import { errorsOnRanks, onRanks } from "../helpers/fake-cluster.js";

// A batch of rows this wide is 130 rows: the last of five is not whole.
const [WIDTH, ROWS] = [1000, 530];
const net = network({ layers: [WIDTH, 3, 2], seed: 1 });
const inputs = Float64Array.from({ length: ROWS * WIDTH }, (_, k) => Math.sin(k * 0.37));

describe("the rows of a rank", () => {
  it("are whole batches, in order, and all of them", () => {
    for (const [size, rows, batch] of [
      [3, 530, 130],
      [2, 40, 130],
      [7, 910, 130],
      [4, 0, 130],
    ] as const) {
      const ranges = Array.from({ length: size }, (_, rank) => rowsOfRank(rank, size, rows, batch));
      expect(ranges[0]?.first).toBe(0);
      expect(ranges.at(-1)?.end).toBe(rows);
      for (const [k, { first, end }] of ranges.entries()) {
        expect(first).toBe(ranges[k - 1]?.end ?? 0);
        expect(end === rows || end % batch === 0).toBe(true);
      }
    }
  });
});

describe("predictions on ranks", () => {
  it.each([2, 3, 8])("are those of one process on each of %i", async (size) => {
    const alone = await predictAsync(net, inputs);
    for (const found of await onRanks(size, (cluster) => predictAsync(net, inputs, { cluster })))
      expect(found).toEqual(alone);
  });

  it("of an ensemble have its spread", async () => {
    const model = ensemble([net, network({ layers: [WIDTH, 2, 2], seed: 2 })]);
    const alone = await predictAsync(model, inputs);
    for (const found of await onRanks(2, (cluster) => predictAsync(model, inputs, { cluster })))
      expect(found).toEqual(alone);
  });

  it("of a distribution have its deviations", async () => {
    const few = {
      inputs: inputs.subarray(0, 20 * WIDTH),
      targets: Float64Array.from({ length: 20 }, (_, k) => Math.cos(k)),
      inputSize: WIDTH,
      outputSize: 1,
    };
    const { network: model } = await train(network({ layers: [WIDTH, 1, 2], seed: 1 }), few, {
      loss: gaussianNll(),
      validation: false,
      stop: { iterations: 1 },
    });
    const alone = await predictDistributionAsync(model, inputs);
    for (const found of await onRanks(2, (cluster) => predictDistributionAsync(model, inputs, { cluster })))
      expect(found).toEqual(alone);
  });

  it("fail on all ranks where a row of one cannot be used", async () => {
    const bad = inputs.slice();
    bad[400 * WIDTH + 7] = Number.NaN;
    const errors = await errorsOnRanks(2, (cluster) => predictAsync(net, bad, { cluster }));
    for (const error of errors)
      expect(error).toMatchObject({ code: "GAUSSFLOW_ARGUMENT", message: expect.stringMatching(/row 401, column 8/) });
  });

  it("take a cluster of mpi() alone", async () => {
    await expect(predictAsync(net, inputs, { cluster: 2 as never })).rejects.toThrow(
      /^options\.cluster must be made by mpi\(\); received 2/,
    );
  });
});
