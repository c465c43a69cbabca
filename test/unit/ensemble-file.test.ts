// Ensembles in files: sealed as models are, every member to the last bit.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import * as face from "../../src/index.js";
import { seal, unseal } from "../../src/sealed-json.js";

const at = (name: string) => join(mkdtempSync(join(tmpdir(), "gaussflow-ensemble-")), name);
const data = face.dataset({
  inputs: [
    [1, 20],
    [2, 30],
    [4, 10],
  ],
  targets: [3, 5, 9],
});
const members = [1, 2, 3].map((seed) =>
  face.network({ layers: [2, 3, 1], seed, centered: seed === 2 }).withScaling(face.standardize(data)),
);
const text = face.modelToJson(face.ensemble(members));

it("come back to the last bit", async () => {
  const path = at("ensemble.json");
  await face.saveModel(path, face.ensemble(members));
  expect(readFileSync(path, "utf8")).toBe(text);
  const loaded = await face.loadEnsemble(path);
  expect(loaded).toBeInstanceOf(face.Ensemble);
  expect(loaded.networks).toEqual(members);
  expect(loaded.predict(data.inputs)).toEqual(face.ensemble(members).predict(data.inputs));
});

it("are told from models, and damage is told with the member", async () => {
  const path = at("ensemble.json");
  writeFileSync(path, text);
  await expect(face.loadModel(path)).rejects.toThrow(
    /is not a gaussflow-model file; its format is "gaussflow-ensemble"/,
  );
  expect(() => face.ensembleFromJson(face.modelToJson(members[0]!))).toThrow(/is not a gaussflow-ensemble file/);
  expect(() => face.ensembleFromJson(text.replace('"seed":2', '"seed":4'))).toThrow(/the checksum does not fit/);
  const { networks } = unseal(text, "gaussflow-ensemble", 2, "e") as { networks: Record<string, unknown>[] };
  const sealed = (list: unknown) => seal("gaussflow-ensemble", 2, { networks: list });
  expect(() => face.ensembleFromJson(sealed([networks[0], { ...networks[1], center: null }]), "e.json")).toThrow(
    "e.json, network 2: center must be there exactly when the network is centered",
  );
  expect(() => face.ensembleFromJson(sealed([]))).toThrow("ensemble: networks must be a list of at least one network");
  const other = JSON.parse(face.modelToJson(face.network({ layers: [1, 1] }))).body;
  expect(() => face.ensembleFromJson(sealed([networks[0], other]))).toThrow(
    /networks\[1\] must have 2 inputs and 1 outputs/,
  );
});
