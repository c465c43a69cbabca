// Passes over data take turns with the event loop, can be aborted, and give the bits of the passes at once.
import { mkdtempSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { standardizeInTurns } from "../../src/data/scaling.js";
import {
  Dataset,
  dataset,
  flow,
  network,
  openDataFile,
  openDataFileAsync,
  standardize,
  train,
  writeDataFile,
} from "../../src/index.js";
import { fc } from "../helpers/property.js";
import { ticksDuring } from "../helpers/ticks.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-scan-"));
const at = (name: string) => join(folder, name);
const columns = { featureNames: ["a", "b"], targetNames: ["y"] };

/** Mean and deviation by three passes as they are defined, in units of a power of two. */
function threePasses(values: Float64Array, columns: number, weights: Float64Array | null) {
  const rows = Array.from({ length: values.length / columns }, (_, i) => i).filter((i) => weights?.[i] !== 0);
  const largest = weights === null ? 1 : Math.max(...weights);
  const weight = (i: number) => (weights === null ? 1 : weights[i] / largest);
  return Array.from({ length: columns }, (_, j) => {
    const column = rows.map((i) => values[i * columns + j]);
    const [min, max] = [Math.min(...column), Math.max(...column)];
    if (min === max) return [min, 1];
    const unit = 2 ** Math.floor(Math.log2(Math.max(Math.abs(min), Math.abs(max))));
    let [total, sum, squares] = [0, 0, 0];
    for (const [k, i] of rows.entries()) {
      total += weight(i);
      sum += weight(i) * (column[k] / unit);
    }
    for (const [k, i] of rows.entries()) squares += weight(i) * (column[k] / unit - sum / total) ** 2;
    const deviation = Math.sqrt(squares / total) * unit;
    const constant = max / 2 - min / 2 <= (rows.length * Number.EPSILON * Math.max(Math.abs(min), Math.abs(max))) / 2;
    return [(sum / total) * unit, !constant && deviation > 0 && Number.isFinite(1 / deviation) ? deviation : 1];
  });
}

/** Some 30 blocks of a file: 3 columns, 30 MB. */
const long = 1_300_000;
let written: Promise<string> | null = null;
function longFile(): Promise<string> {
  written ??= (async () => {
    const path = at("long.gfd");
    const row = new Float64Array(3);
    function* rows() {
      for (let i = 0; i < long; i++) {
        row[0] = Math.sin(i);
        row[1] = i % 17;
        row[2] = row[0] * row[1];
        yield row;
      }
    }
    await writeDataFile(path, columns, rows());
    return path;
  })();
  return written;
}

describe("standardize", () => {
  it("has the bits of three passes, whatever the magnitudes, at once and in turns, from memory and from a file", async () => {
    const magnitudes = fc.constantFrom(1, 1e-3, 1e5, 1e120, 1e-120, 1e300, 1e-300, 1e-310);
    const number = fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), magnitudes).map(([x, size]) => x * size + 0);
    const sets = fc.tuple(
      fc.array(fc.tuple(number, number, number), { minLength: 1, maxLength: 40 }),
      fc.boolean(),
      fc.integer({ min: 0, max: 1e6 }),
    );
    await fc.assert(
      fc.asyncProperty(sets, async ([rows, weighted, shift]) => {
        const weights = weighted ? Float64Array.from(rows, (_, i) => 1 + ((i * 7) % 5)) : null;
        const inputs = rows.map(([a, b]) => [a, b + shift]);
        const data = dataset({ inputs, targets: rows.map(([, , y]) => y), weights: weights ?? undefined });
        const scaling = standardize(data);
        const pairs = (part: { offset: Float64Array; scale: Float64Array }) =>
          Array.from(part.offset, (offset, j) => [offset, part.scale[j]]);
        expect(pairs(scaling.inputs)).toEqual(threePasses(data.inputs, 2, weights));
        expect(pairs(scaling.targets)).toEqual(threePasses(data.targets, 1, weights));
        expect(await standardizeInTurns(data, undefined)).toEqual(scaling);
        const path = at("some.gfd");
        await writeDataFile(
          path,
          { ...columns, weighted },
          rows.map(([, , y], i) => [...inputs[i], y, ...(weights === null ? [] : [weights[i]])]),
        );
        expect(standardize(openDataFile(path))).toEqual(scaling);
        expect(await standardizeInTurns(await openDataFileAsync(path), undefined)).toEqual(scaling);
      }),
      { numRuns: 60 },
    );
  });

  it("takes rows of weight zero for none", async () => {
    const data = dataset({ inputs: [[1], [2], [1e9]], targets: [1, 2, 3], weights: [2, 2, 0] });
    expect(standardize(data).inputs).toEqual({
      offset: Float64Array.of(1.5),
      scale: Float64Array.of(0.5),
    });
    expect(await standardizeInTurns(data, undefined)).toEqual(standardize(data));
  });
});

describe("a pass over a long data file", () => {
  it("turns the event loop at every block while it is opened, and finds what openDataFile finds", async () => {
    const path = await longFile();
    const { ticks, answer } = await ticksDuring(() => openDataFileAsync(path));
    // 43,690 rows of three numbers are a block.
    expect(ticks).toBeGreaterThanOrEqual(Math.floor(long / 43_690));
    const file = openDataFile(path);
    expect(answer).toEqual(file);
    const scan = await ticksDuring(() => standardizeInTurns(file, undefined));
    expect(scan.ticks).toBeGreaterThanOrEqual(Math.floor(long / 43_690));
  });

  it("ends at the next block once the signal is aborted", async () => {
    const path = await longFile();
    const stop = new AbortController();
    let blocks = 0;
    const scan = async () => {
      for await (const { row } of openDataFile(path).blocksInTurns(stop.signal)) {
        expect(row).toBe(blocks * 43_690);
        if (++blocks === 3) stop.abort(new Error("enough"));
      }
    };
    await expect(scan()).rejects.toThrow("enough");
    expect(blocks).toBe(3);
    await expect(openDataFileAsync(path, { signal: stop.signal })).rejects.toThrow("enough");
    await expect(openDataFileAsync(path, { signal: 3 as never })).rejects.toThrow(
      "options.signal must be an AbortSignal",
    );
  });

  it("is a reason, not an exception, where train or flow are aborted in it", async () => {
    const file = openDataFile(await longFile());
    const stop = new AbortController();
    setImmediate(() => stop.abort(new Error("enough")));
    const net = network({ layers: [2, 3, 1], seed: 1 });
    const result = await train(net, file, { signal: stop.signal });
    expect(result).toMatchObject({
      reason: { code: "aborted", message: "the caller aborted the run: enough" },
      iterations: 0,
      records: [],
    });
    expect(result.network.parameters).toEqual(net.parameters);
    const rows = new Float64Array(600_000).map((_, k) => Math.sin(k));
    const data = new Dataset({
      inputs: rows,
      targets: rows.slice(0, 300_000),
      weights: null,
      featureNames: ["a", "b"],
      targetNames: ["y"],
    });
    const aborted = await flow(net, data, { signal: AbortSignal.abort(new Error("enough")) });
    expect(aborted).toMatchObject({ reason: { code: "aborted" }, time: 0, records: [] });
  });

  it("refuses a file that changes between two passes, or between two blocks, with the row", async () => {
    const path = at("changing.gfd");
    writeFileSync(path, readFileSync(await longFile()));
    const file = await openDataFileAsync(path);
    const blocks = file.blocksInTurns();
    await blocks.next();
    utimesSync(path, 1, 1);
    const rest = async () => {
      for await (const _ of blocks);
    };
    await expect(rest()).rejects.toThrow(/cannot be read at row \d+, or has changed since it was opened/);
    await expect(standardizeInTurns(file, undefined)).rejects.toThrow(/has changed since it was opened/);
    await expect(train(network({ layers: [2, 3, 1] }), file)).rejects.toThrow(/has changed since it was opened/);
  });
});
