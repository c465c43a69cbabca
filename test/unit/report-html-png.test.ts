// Where the PNG writer looks for its browser, and what it says when there is none. That it draws: test/browser/report.test.ts.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findChromium, renderPng } from "../../src/report/png.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gaussflow-png-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("findChromium", () => {
  it("takes the path that is named, else the first name that can be run", () => {
    expect(findChromium({ PATH: folder })).toBeNull();
    expect(findChromium({})).toBeNull();
    writeFileSync(join(folder, "chromium"), "not to be run");
    const path = join(folder, "google-chrome");
    writeFileSync(path, "#!/bin/sh\nexit 3\n");
    chmodSync(path, 0o755);
    expect(findChromium({ PATH: `/nowhere:${folder}` })).toBe(path);
    expect(findChromium({ PATH: folder, GAUSSFLOW_CHROMIUM: "/a/browser" })).toBe("/a/browser");
    expect(findChromium({ PATH: folder, GAUSSFLOW_CHROMIUM: "" })).toBe(path);
  });
});

describe("renderPng", () => {
  it("says what to install when there is no browser, and which one does not start", async () => {
    const before = { ...process.env };
    try {
      delete process.env.GAUSSFLOW_CHROMIUM;
      process.env.PATH = "";
      await expect(renderPng("report.html", folder)).rejects.toMatchObject({
        code: "GAUSSFLOW_FILE",
        message: expect.stringMatching(/apt install chromium.*GAUSSFLOW_CHROMIUM/),
      });
    } finally {
      Object.assign(process.env, before);
    }
    const chromium = join(folder, "no-browser");
    await expect(renderPng("report.html", folder, { chromium })).rejects.toMatchObject({
      code: "GAUSSFLOW_FILE",
      details: { file: chromium },
    });
  });
});
