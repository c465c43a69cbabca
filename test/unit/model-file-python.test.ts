// The Python of docs/model-file.md reads model files as the library does.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ACTIVATION_NAMES, dataset, network, readCsv, saveModel, standardise } from "../../src/index.js";

const page = readFileSync(join(import.meta.dirname, "../../docs/model-file.md"), "utf8");
const reader = /```python\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
const python = spawnSync("python3", ["--version"]).status === 0;
const folder = mkdtempSync(join(tmpdir(), "gaussflow-python-"));
writeFileSync(join(folder, "reader.py"), reader);

const rows = Array.from({ length: 20 }, (_, i) => [Math.sin(i) * 3 + 10, Math.cos(2 * i) / 50]);
const data = dataset({ inputs: rows, targets: rows.map(([a = 0, b = 0]) => [a * b, a - 40 * b]) });

async function agrees(name: string, net: ReturnType<typeof network>, inputs: readonly (readonly number[])[]) {
  const path = join(folder, `${name}.json`);
  await saveModel(path, net);
  const script =
    "import json,sys; from reader import predict; p,x=json.load(sys.stdin); print(json.dumps([predict(p,r) for r in x]))";
  const run = spawnSync("python3", ["-c", script], {
    cwd: folder,
    input: JSON.stringify([path, inputs]),
    encoding: "utf8",
  });
  expect(run.stderr).toBe("");
  const found = (JSON.parse(run.stdout) as number[][]).flat();
  const own = net.predict(inputs);
  // Sums of at most 8 terms through 3 layers, and the last digit of each elementary function: c n eps with c n = 200, of the largest value.
  const largest = own.reduce((most, value) => Math.max(most, Math.abs(value)), net.options.outputScale);
  expect(found.length).toBe(own.length);
  found.forEach((value, i) => {
    expect(Math.abs(value - own[i]!)).toBeLessThanOrEqual(200 * Number.EPSILON * largest);
  });
}

describe.skipIf(!python)("the reader of docs/model-file.md", () => {
  it.each(ACTIVATION_NAMES)("predicts as the library does: %s", async (activation) => {
    const options = { layers: [2, 8, 4, 2], activation, bias: [true, false, true], seed: 3 };
    await agrees(`raw-${activation}`, network(options), rows);
    const scaled = network({ ...options, initialisation: "ntk", centred: true, outputScale: 3 }).withScaling(
      standardise(data),
    );
    await agrees(`scaled-${activation}`, scaled.withParameters(scaled.parameters.map((value) => value * 1.1)), rows);
    await agrees(`out-${activation}`, network({ layers: [2, 3, 2], outputActivation: activation }), rows);
  });

  it("reads a model with categories", async () => {
    const path = join(folder, "table.csv");
    writeFileSync(path, `a,kind,y\n${rows.map(([a], i) => `${a},${i % 2 === 0 ? "red" : "blue"},${i}`).join("\n")}\n`);
    const table = await readCsv(path, { target: "y" });
    const net = network({ layers: [3, 4, 1] })
      .withScaling(standardise(table))
      .withEncoding(table.encoding);
    const inputs = Array.from({ length: 20 }, (_, i) => [...table.inputs.subarray(3 * i, 3 * i + 3)]);
    await agrees("categories", net, inputs);
  });
});
