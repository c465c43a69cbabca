// The Python of docs/model-file.md reads model files as the library does. One process of Python answers for all models.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { ACTIVATION_NAMES, dataset, modelToJson, network, networkOf, readCsv, standardize } from "../../src/index.js";

const page = readFileSync(join(import.meta.dirname, "../../docs/model-file.md"), "utf8");
const reader = /```python\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
const python = spawnSync("python3", ["--version"]).status === 0;
const folder = mkdtempSync(join(tmpdir(), "gaussflow-python-"));

const SCRIPT = `
import sys
from reader import *
answer, named = [], []
for text, rows in json.load(sys.stdin):
    body = json.loads(text)["body"]
    inputs = [encode(body, row) if isinstance(row, dict) else row for row in rows]
    answer.append([predict(body, x) for x in inputs])
    named.append([classify(body, x) for x in inputs] if "classes" in body else None)
print(json.dumps([answer, named]))`;

const rows = Array.from({ length: 20 }, (_, i) => [Math.sin(i) * 3 + 10, Math.cos(2 * i) / 50]);
const data = dataset({ inputs: rows, targets: rows.map(([a = 0, b = 0]) => [a * b, a - 40 * b]) });

interface Case {
  readonly name: string;
  readonly net: ReturnType<typeof network>;
  /** Rows as Python is given them: numbers, or a table's row by column. */
  readonly given: readonly (readonly number[] | object)[];
  readonly inputs: readonly (readonly number[])[];
}

function cases(): Case[] {
  return ACTIVATION_NAMES.flatMap((activation) => {
    const options = { layers: [2, 8, 4, 2], activation, bias: [true, false, true], seed: 3 };
    const scaled = network({ ...options, initialization: "ntk", centered: true, outputScale: 3 }).withScaling(
      standardize(data),
    );
    const nets = {
      raw: network(options),
      scaled: scaled.withParameters(scaled.parameters.map((value) => value * 1.1)),
      out: network({ layers: [2, 3, 2], outputActivation: activation }),
      logistic: network({ ...options, outputScale: 40 }).withLink("logistic"),
      softmax: network({ ...options, outputScale: 40 })
        .withLink("softmax")
        .withClasses(["no", "yes"]),
      gaussian: network(options)
        .withLink("gaussian")
        .withScaling({
          inputs: standardize(data).inputs,
          targets: { offset: Float64Array.of(7), scale: Float64Array.of(0.3) },
        }),
      exp: network({ ...options, outputScale: 4 }).withLink("exp"),
      given: networkOf({
        layers: [2, 3, 2],
        activation,
        parametrization: "ntk",
        parameters: Array.from({ length: 17 }, (_, j) => Math.sin(j)),
      }),
    };
    return Object.entries(nets).map(([kind, net]) => ({
      name: `${activation}, ${kind}`,
      net,
      given: rows,
      inputs: rows,
    }));
  });
}

async function tableCase(): Promise<Case> {
  const path = join(folder, "table.csv");
  const given = rows.map(([a], i) => ({ a, kind: i % 2 === 0 ? "red" : "blue" }));
  writeFileSync(path, `a,kind,y\n${given.map(({ a, kind }, i) => `${a},${kind},${i}`).join("\n")}\n`);
  const table = await readCsv(path, { target: "y" });
  const net = network({ layers: [3, 4, 1] })
    .withScaling(standardize(table))
    .withEncoding(table.encoding);
  const inputs = rows.map((_, i) => [...table.inputs.subarray(3 * i, 3 * i + 3)]);
  return { name: "a table with categories", net, given, inputs };
}

const all = cases();
let answers = new Map<string, readonly number[]>();
let classes = new Map<string, readonly string[] | null>();

beforeAll(async () => {
  if (!python) return;
  all.push(await tableCase());
  writeFileSync(join(folder, "reader.py"), reader);
  const input = JSON.stringify(all.map(({ net, given }) => [modelToJson(net), given]));
  const run = spawnSync("python3", ["-c", SCRIPT], { cwd: folder, input, encoding: "utf8" });
  expect(run.stderr).toBe("");
  const [found, named] = JSON.parse(run.stdout) as [number[][][], (string[] | null)[]];
  classes = new Map(all.map(({ name }, k) => [name, named[k]!]));
  answers = new Map(all.map(({ name }, k) => [name, found[k]!.flat()]));
});

describe.skipIf(!python)("the reader of docs/model-file.md", () => {
  it.each([...all.map(({ name }) => name), "a table with categories"])("predicts as the library does: %s", (name) => {
    const { net, inputs } = all.find((one) => one.name === name)!;
    const own = net.predict(inputs);
    const found = answers.get(name)!;
    // Sums of at most 8 terms through 3 layers, and the last digit of each elementary function: c n eps with c n = 200, of the largest value.
    const largest = own.reduce((most, value) => Math.max(most, Math.abs(value)), net.options.outputScale);
    expect(found.length).toBe(own.length);
    found.forEach((value, i) => {
      expect(Math.abs(value - own[i]!)).toBeLessThanOrEqual(200 * Number.EPSILON * largest);
    });
  });

  it.each(all.map(({ name }) => name).filter((name) => name.includes("softmax")))(
    "names classes as the library does: %s",
    (name) => {
      const { net, inputs } = all.find((one) => one.name === name)!;
      expect(classes.get(name)).toEqual(net.predictClass(inputs));
    },
  );

  it("is short, and the page names what it leaves out", () => {
    const lines = reader.split("\n").filter((line) => !line.startsWith("#") && line !== "");
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120);
    expect(page).toContain("`rowMarks`");
  });
});
