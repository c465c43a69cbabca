// Saves the network of a demo and loads it again, for the last part of each demo (cars.mjs, penguins.mjs).
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { loadModel, saveModel } from "../../dist/index.js";
import { root } from "../native/paths.mjs";

/** Where the model is, seen from the checkout, and what was loaded from there. */
export async function saveAndLoad(name, network) {
  const model = join("models", `${name}.json`);
  await mkdir(join(root, "models"), { recursive: true });
  await saveModel(join(root, model), network);
  return { model, loaded: await loadModel(join(root, model)) };
}
