// An application that is bundled with gaussflow inside and runs in a folder with no package.json above, as in a container image: it
// trains by the TypeScript engine in one thread, and says that keeping gaussflow external would give the native one.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PackedApp, packedApp, run } from "../helpers/packed-app.js";

const script = `
import { doctor, network, restarts, train, trainMany } from "gaussflow";
async function main() {
  const inputs = Array.from({ length: 30 }, (_, i) => [i / 15 - 1]);
  const data = { inputs, targets: inputs.map(([x]) => x * x) };
  const net = network({ layers: [1, 4, 1] });
  const options = { stop: { iterations: 5 } };
  const { engine } = await train(net, data, options);
  const many = await trainMany(restarts({ network: net, data, options }, 3), { threads: 2 });
  const { ok, remedy } = doctor();
  console.log(JSON.stringify({ engine, states: many.results.map(({ state }) => state), ok, remedy }));
}
main();
`;

describe("a bundle that holds gaussflow", () => {
  let app: PackedApp;
  const empty = mkdtempSync(join(tmpdir(), "gaussflow-empty-"));

  beforeAll(() => {
    app = packedApp("module");
    app.write("app.mjs", script);
  }, 300_000); // may compile dist, on a machine that may be busy

  afterAll(() => {
    app.remove();
    rmSync(empty, { recursive: true, force: true });
  });

  it.each([
    ["as a module", "esm", undefined],
    ["as CommonJS", "cjs", undefined],
    // What esbuild makes of import.meta in CommonJS.
    ["as CommonJS without import.meta.url", "cjs", { "import.meta.url": "undefined" }],
  ] as const)("trains %s", async (name, format, define) => {
    const bundle = await rolldown({
      input: join(app.folder, "app.mjs"),
      platform: "node",
      ...(define && { transform: { define } }),
    });
    const file = join(empty, `${name.replaceAll(" ", "-")}.${format === "esm" ? "mjs" : "cjs"}`);
    await bundle.write({ file, format });
    await bundle.close();
    const { code, out, err } = run(process.execPath, [file], empty);
    expect(code, err).toBe(0);
    const { engine, states, ok, remedy } = JSON.parse(out);
    expect({ engine, states, ok }).toEqual({ engine: "reference", states: Array(3).fill("trained"), ok: false });
    expect(remedy).toMatch(/^keep gaussflow out of the bundle.*npm install gaussflow$/);
    for (const warning of ["GAUSSFLOW_NO_NATIVE", "GAUSSFLOW_NO_WORKER"]) {
      const lines = err.match(new RegExp(`\\[${warning}\\][^\\n]*`, "g")) ?? [];
      expect(lines, err).toHaveLength(1);
      expect(lines[0]).toMatch(/part of a bundle.*keep gaussflow out of the bundle/);
    }
  });
});
