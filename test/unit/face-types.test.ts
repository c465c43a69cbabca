// Code of a user under the strictest settings of the compiler.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";

const USE = `
import * as gf from "../../src/index.js";
declare const maybe: number | undefined;
declare const flag: boolean | undefined;
export const train: gf.TrainOptions = { stop: { seconds: maybe, iterations: maybe }, seed: maybe, matrixFree: { rank: maybe } };
export const flow: gf.FlowOptions = { stop: { seconds: maybe }, from: maybe };
export const made = [
  gf.levenbergMarquardt({ acceleration: flag, initialDamping: maybe }),
  gf.gaussNewton({ lineSearch: flag, step: maybe }),
  gf.squaredError({ decay: maybe }),
  gf.spectralDamping({ c: maybe }),
  gf.lossProportionalDamping({ initial: maybe }),
  gf.dormandPrince({ steps: maybe }),
  gf.monitor({ every: maybe }),
  gf.network({ layers: [1, 1], seed: maybe }),
];
const net = gf.network({ layers: [1, 1] });
const { architecture, parameters } = net;
const given: gf.EngineData = { sampleCount: 1, inputs: new Float64Array(1), targets: new Float64Array(1) };
export const engine: gf.Engine = gf.createEngine(architecture, given);
export const predictions: Promise<Float64Array> = gf.createEngine(architecture, given).forward(parameters);
export const whole = (made: gf.NetworkEngine): gf.Engine => made;
export const data: gf.DatasetInput = { inputs: new Float32Array(2), targets: [1, 2], weights: new Float32Array(2), inputSize: maybe };
const points = { onEnd: (reason: gf.Reason): string => reason.message };
export const watched: Promise<string | null> = gf.train(net, data, { monitor: points }).then(({ monitor }) => monitor);
export const judged: Promise<gf.Verdict | undefined> = gf.flow(net, data, { monitor: gf.monitor() }).then(({ monitor }) => monitor?.verdict);
export const unwatched: Promise<null> = gf.train(net, data).then(({ monitor }) => monitor);
`;

it("optional members may be undefined under exactOptionalPropertyTypes", () => {
  const folder = mkdtempSync(join(import.meta.dirname, "use-"));
  try {
    const file = join(folder, "use.ts");
    writeFileSync(file, USE.replaceAll("../../src", "../../../src"));
    const program = ts.createProgram([file], {
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2023,
      lib: ["lib.es2023.d.ts"],
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: ["node"],
    });
    const found = ts.getPreEmitDiagnostics(program, program.getSourceFile(file));
    expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, " "))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
