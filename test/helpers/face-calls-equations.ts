// Right arguments for the functions of src/equations and the files of fields: a part of face-calls.ts.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetResiduals } from "../../src/backend/create-jets.js";
import * as face from "../../src/index.js";

const path = join(mkdtempSync(join(tmpdir(), "gaussflow-face-")), "field.json");
const terms = () => ({
  inside: { residual: "u_t - k*u_xx + p", points: { x: [0, 1], t: [0, 1], p: [1, 2] }, weight: 0.1 },
  start: {
    residual: ["u", "u_x"],
    points: face.sample({ x: [0, 1], t: 0 }, 4, { renew: 5, crowd: 2 }),
    weight: [1, 2],
  },
});
const options = () => ({
  inputs: ["x", "t"],
  outputs: ["u"],
  features: ["x", "sin(t)"],
  transform: { u: "x*u + c" },
  constants: { c: 1 },
  unknowns: { k: 2 },
});
const read = await face.equations(terms(), options());
const field = read.field(face.network({ layers: [2, 3, 1] }), Float64Array.of(2), jetResiduals);
await face.saveField(path, field);

/** By the name of the export. */
export const EQUATION_CALLS: Readonly<Record<string, { readonly args: () => unknown[] }>> = {
  equations: { args: () => [terms(), options()] },
  derivativeData: {
    args: () => [
      { inputs: [[1], [2], [3]], targets: [1, 4, 9], gradients: [[2], [4], [6]], weights: [1, 2, 1] },
      { gradientWeight: 0.5, standardize: true },
    ],
  },
  faces: { args: () => [{ x: [0, 1], t: [0, 2] }, 8, { method: "sobol", seed: 1, renew: 2, of: ["x"] }] },
  sample: { args: () => [{ x: [0, 1], t: 0 }, 8, { method: "uniform", seed: 1, renew: 2, crowd: 3 }] },
  saveField: { args: () => [path, field] },
  loadField: { args: () => [path] },
  fieldFromJson: { args: () => [field.toJson(), "field.json"] },
};
