// The addon is in the package and cannot be loaded: the TypeScript engine goes on, and the true cause and its cure are named once.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasAddon, type PackedApp, packedApp } from "../helpers/packed-app.js";

const script = `
import { network, train } from "gaussflow";
const inputs = Array.from({ length: 30 }, (_, i) => [i / 15 - 1]);
const result = await train(network({ layers: [1, 4, 1] }), { inputs, targets: inputs.map(([x]) => x * x) }, { stop: { iterations: 5 } });
console.log(result.engine);
`;

describe.skipIf(!hasAddon || process.platform !== "linux")("an addon that cannot be loaded", () => {
  let app: PackedApp;
  let whole: Buffer;

  beforeAll(() => {
    app = packedApp("module");
    app.write("use.mjs", script);
    whole = readFileSync(app.addon);
  }, 300_000); // may compile dist, on a machine that may be busy

  afterAll(() => app.remove());

  /** The engine that trained, and the one warning. */
  function use(flags: readonly string[] = []) {
    const { code, out, err } = app.node([...flags, "use.mjs"]);
    const warnings = err.match(/GAUSSFLOW_NO_NATIVE[^\n]*/g) ?? [];
    return { code, out, warnings };
  }

  function expectFallback(found: ReturnType<typeof use>, cause: RegExp, cure: RegExp) {
    expect([found.code, found.out, found.warnings.length]).toEqual([0, "reference", 1]);
    expect(found.warnings[0]).toMatch(cause);
    expect(found.warnings[0]?.split("To get the native one: ")[1]).toMatch(cure);
  }

  it("is used while nothing is wrong", () => {
    expect(use()).toEqual({ code: 0, out: "native", warnings: [] });
  });

  it("node --no-addons: the flag is the cause, and leaving it out the cure", () => {
    expectFallback(use(["--no-addons"]), /--no-addons/, /^start Node without --no-addons/);
  });

  it("a library that is not installed: installing it is the cure, in doctor as well", () => {
    // As in a container that was built in one image and runs in another.
    const text = whole.toString("latin1").replaceAll("libstdc++.so.6", "libstdc++.so.9");
    writeFileSync(app.addon, Buffer.from(text, "latin1"));
    expectFallback(use(), /shared library libstdc\+\+\.so\.9.*is not installed/, /install/);
    const doctor = app.node([join(app.home, "dist", "cli", "main.js"), "doctor"]);
    expect(doctor.code).toBe(1);
    expect(doctor.out).toMatch(/libstdc\+\+\.so\.9[\s\S]*Remedy: .*install/);
    expect(doctor.out).not.toMatch(/gaussflow build/);
  });

  it("another processor, another system: building here is the cure", () => {
    const other = Buffer.from(whole);
    // e_machine of the ELF header: neither x86-64 nor ARM.
    other.writeUInt16LE(0x15, 18);
    writeFileSync(app.addon, other);
    expectFallback(use(), /built for another processor/, /^npx gaussflow build$/m);
    writeFileSync(app.addon, "not a library");
    expectFallback(use(), /another system or processor, or is damaged/, /^npx gaussflow build$/m);
  });
});
