// Samples read from a data file block by block: the same bits as samples in memory, in both engines, and an exact error where the file is not
// what it was.
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  renameSync,
  truncateSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { EngineData } from "../../src/backend/engine.js";
import { scaleColumns, standardize } from "../../src/data/scaling.js";
import { createEngine, dataset, network, openDataFile, Random, writeDataFile } from "../../src/index.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-file-"));

/** The same standardized samples in memory and in a file. */
async function both(name: string, n: number, d: number, c: number, weighted: boolean) {
  const random = new Random(n, 3);
  const inputs = Float64Array.from({ length: n * d }, (_, k) => (1 + (k % d)) * random.normal() + (k % d));
  const targets = Float64Array.from({ length: n * c }, (_, k) => Math.sin(inputs[Math.floor(k / c) * d]! + (k % c)));
  const weights = weighted ? Float64Array.from({ length: n }, () => random.uniform()) : undefined;
  const names = (stem: string, count: number) => Array.from({ length: count }, (_, k) => `${stem}${k}`);
  const path = join(folder, `${name}.gfd`);
  function* rows() {
    for (let i = 0; i < n; i++)
      yield [
        ...inputs.subarray(i * d, (i + 1) * d),
        ...targets.subarray(i * c, (i + 1) * c),
        ...(weights ? [weights[i]!] : []),
      ];
  }
  await writeDataFile(path, { featureNames: names("x", d), targetNames: names("y", c), weighted }, rows());
  const held = dataset({ inputs, targets, inputSize: d, outputSize: c, weights });
  const file = openDataFile(path);
  const scaling = standardize(held);
  expect(standardize(file)).toEqual(scaling);
  const memory: EngineData = {
    sampleCount: n,
    inputs: scaleColumns(inputs, scaling.inputs),
    targets: scaleColumns(targets, scaling.targets),
    weights,
  };
  const none = new Float64Array(0);
  const onDisk: EngineData = {
    sampleCount: n,
    inputs: none,
    targets: none,
    weights: file.weights ?? undefined,
    file: { layout: file.layout, ...scaling },
  };
  return { path, memory, onDisk };
}

describe("an engine on a data file", () => {
  // [layers, samples, weighted]; the first has two blocks of the native engine, all have several of the reference engine.
  const cases: [number[], number, boolean][] = [
    [[4, 30, 3], 26_000, true],
    [[3, 6, 5, 2], 700, true],
    [[5, 8, 1], 300, false],
  ];
  for (const backend of ["native", "typescript"] as const)
    for (const [layers, n, weighted] of cases) {
      if (backend === "typescript" && n > 10_000) continue;
      it(`${backend}, ${layers.join("-")}, n = ${n}: every answer has the bits of the one from memory`, async () => {
        const [d, c] = [layers[0]!, layers.at(-1)!];
        const { memory, onDisk } = await both(`${backend}-${n}`, n, d, c, weighted);
        const { architecture, parameters } = network({ layers, seed: 5 });
        const w = Float64Array.from(parameters);
        const away = w.map((value) => value * 1.01);
        const answers = [];
        for (const data of [memory, onDisk]) {
          const engine = createEngine(architecture, data, { backend, threads: 2 });
          const found: unknown[] = [await engine.evaluate(w), await engine.forward(w)];
          for (const curvature of n * c > 5000 ? (["primal"] as const) : (["primal", "dual", "orthogonal"] as const)) {
            const { seconds: _1, ...linearized } = (await engine.linearize(w, {
              curvature,
              decay: 0,
              scaling: null,
            })) as unknown as Record<string, unknown>;
            // A trial elsewhere must not disturb what the linearization holds.
            const trial = await engine.evaluate(away);
            const { seconds: _2, ...solved } = (await engine.solve({
              damping: 0.1,
              decay: 0,
              scaling: null,
            })) as unknown as Record<string, unknown>;
            expect(solved).toHaveProperty("ok", true);
            found.push(linearized, trial, solved);
          }
          // All samples, then one of every three: gathered from several blocks of the file.
          for (const subset of [null, Uint32Array.from({ length: Math.floor(n / 3) }, (_, k) => 3 * k)]) {
            await engine.linearize(w, { curvature: "matrix-free", decay: 0, scaling: null, subset });
            found.push(await engine.curvatureProduct(w));
          }
          found.push(
            await engine.jacobianProduct(w, away),
            await engine.transposeProduct(w, new Float64Array(n * c).fill(1)),
          );
          answers.push(found);
          engine.dispose();
        }
        expect(answers[1]).toEqual(answers[0]);
      });
    }

  for (const backend of ["native", "typescript"] as const)
    it(`${backend}: a number that is not finite is named with its sample, from memory and from the file`, async () => {
      const [n, d] = [700, 3];
      const { memory, onDisk } = await both(`${backend}-wild`, n, d, 1, false);
      const first = Array.from({ length: n }, (_, i) => Math.abs(memory.inputs[i * d]!));
      const [largest, next] = first.toSorted((a, b) => b - a);
      const { architecture } = network({ layers: [d, 1], activation: "identity", seed: 5 });
      // The prediction w x_0 overflows at the largest x_0 alone.
      const w = Float64Array.of(Number.MAX_VALUE / Math.sqrt(largest! * next!), 0, 0, 0);
      for (const data of [memory, onDisk]) {
        const engine = createEngine(architecture, data, { backend, threads: 2 });
        const where = { what: "activation", layer: 0, sample: first.indexOf(largest!), unit: 0 };
        expect(await engine.evaluate(w)).toMatchObject({ code: "non-finite", where });
        expect(await engine.linearize(w, { curvature: "dual", decay: 0, scaling: null })).toMatchObject({ where });
        engine.dispose();
      }
    });

  for (const backend of ["native", "typescript"] as const)
    for (const [what, damage] of [
      ["is cut off", (path: string) => truncateSync(path, 5000)],
      ["grows", (path: string) => appendFileSync(path, "more")],
    ] as const)
      it(`${backend}: a file that ${what} during a run is an error that names it, not a crash`, async () => {
        const { path, onDisk } = await both(`${backend}-${what}`, 400, 3, 1, false);
        const { architecture, parameters } = network({ layers: [3, 4, 1], seed: 5 });
        const engine = createEngine(architecture, onDisk, { backend });
        damage(path);
        const error = {
          code: "GAUSSFLOW_FILE",
          message: expect.stringMatching(/cannot be read at row \d+, or has changed/),
          details: { file: path },
        };
        await expect((async () => engine.evaluate(Float64Array.from(parameters)))()).rejects.toMatchObject(error);
        engine.dispose();
        // The native engine opens it when it is made, the other one at the first call.
        if (backend === "native")
          expect(() => createEngine(architecture, onDisk, { backend })).toThrow(
            expect.objectContaining({ code: "GAUSSFLOW_FILE", details: expect.objectContaining({ file: path }) }),
          );
      });

  for (const backend of ["native", "typescript"] as const) {
    /** Writes over row 10. */
    const overwrite = (path: string, offset: number, width: number, value: number) => {
      const file = openSync(path, "r+");
      writeSync(file, Buffer.from(new Float64Array(width).fill(value).buffer), 0, 8 * width, offset + 80 * width);
      closeSync(file);
    };
    /** Both ways in: engines made before the change and after it. */
    const refused = async (onDisk: EngineData, change: () => void) => {
      const { architecture, parameters } = network({ layers: [3, 4, 1], seed: 5 });
      const early = createEngine(architecture, onDisk, { backend });
      change();
      const error = { code: "GAUSSFLOW_FILE", message: expect.stringMatching(/has changed/) };
      await expect((async () => early.evaluate(parameters))()).rejects.toMatchObject(error);
      early.dispose();
      const late = async () => createEngine(architecture, onDisk, { backend }).evaluate(parameters);
      await expect(late()).rejects.toMatchObject(error);
    };

    for (const value of [50, Number.NaN])
      it(`${backend}: refuses a file with ${value} written into it since it was opened, of the same size`, async () => {
        const { path, onDisk } = await both(`${backend}-over-${value}`, 400, 3, 1, false);
        const { offset, width } = onDisk.file!.layout;
        await refused(onDisk, () => {
          overwrite(path, offset, width, value);
          utimesSync(path, 2e9, 2e9);
        });
      });

    it(`${backend}: refuses NaN also where the time of change is the old one`, async () => {
      const { path, onDisk } = await both(`${backend}-tick`, 400, 3, 1, false);
      utimesSync(path, 2e9, 2e9);
      const { layout } = openDataFile(path);
      await refused({ ...onDisk, file: { ...onDisk.file!, layout } }, () => {
        overwrite(path, layout.offset, layout.width, Number.NaN);
        utimesSync(path, 2e9, 2e9);
      });
    });

    it.skipIf(process.platform === "win32")(`${backend}: refuses another file of the same size and time`, async () => {
      const { path, onDisk } = await both(`${backend}-place`, 400, 3, 1, false);
      utimesSync(path, 2e9, 2e9);
      const { layout } = openDataFile(path);
      const { architecture, parameters } = network({ layers: [3, 4, 1], seed: 5 });
      copyFileSync(path, `${path}.new`);
      utimesSync(`${path}.new`, 2e9, 2e9);
      renameSync(`${path}.new`, path);
      const moved = { ...onDisk, file: { ...onDisk.file!, layout } };
      const late = async () => createEngine(architecture, moved, { backend }).evaluate(parameters);
      await expect(late()).rejects.toMatchObject({ code: "GAUSSFLOW_FILE" });
    });
  }
});
