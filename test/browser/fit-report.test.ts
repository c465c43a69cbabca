/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
// The report of a fit in a real browser: it draws without a word on the console, in light and dark, at any width, and can be used by
// keyboard. Skipped where there is no Chromium.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { fitReport } from "../../src/report/fit-report.js";
import { findChromium, launchArguments } from "../../src/report/png.js";
import { faintTexts } from "./contrast.js";
import { META } from "./outcomes.js";
import { sampleFit } from "./sample-fit.js";

const executablePath = findChromium();

describe.skipIf(executablePath === null)("the report of a fit in a browser", () => {
  let folder: string;
  let browser: Browser;
  let troubles: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "gaussflow-fit-"));
    writeFileSync(join(folder, "fit.html"), fitReport(await sampleFit(), META));
    browser = await chromium.launch({ executablePath: executablePath!, args: launchArguments() });
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  afterEach(() => {
    expect(troubles).toEqual([]);
    troubles = [];
  });

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 1000, height: 900 }, ...options });
    const address = pathToFileURL(join(folder, "fit.html")).href;
    page.on("console", (message) => troubles.push(`console ${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => troubles.push(String(error.stack)));
    page.on("request", (request) => {
      if (request.url().split("#")[0] !== address && !request.url().startsWith("data:")) troubles.push(request.url());
    });
    await page.goto(address);
    await page.waitForSelector('html[data-charts="drawn"]', { state: "attached" });
    return page;
  }

  /** Pixels of a chart that are painted as thinly as the area between the ends of an interval. */
  function thinPixels(page: Page): Promise<number> {
    return page.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>("#chart-curve canvas")!;
      const copy = new OffscreenCanvas(canvas.width, canvas.height);
      const context = copy.getContext("2d", { willReadFrequently: true })!;
      context.drawImage(canvas, 0, 0);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let at = 3; at < data.length; at += 4) if (data[at]! > 16 && data[at]! < 80) count++;
      return count;
    });
  }

  it("draws every chart, and fills the intervals until one of their ends is hidden", async () => {
    const page = await open();
    const ids = await page.locator("figure").evaluateAll((figures) => figures.map((figure) => figure.id));
    expect(ids).toEqual(["chart-curve", "chart-residuals", "chart-quantiles", "chart-profile-1", "chart-profile-2"]);
    const filled = await thinPixels(page);
    expect(filled).toBeGreaterThan(10_000);
    const ends = page.getByRole("button", { name: "upper end, 95% interval of an observation" });
    await ends.focus();
    await page.keyboard.press("Enter");
    await ends.blur();
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    expect(await ends.getAttribute("aria-pressed")).toBe("false");
    expect(await thinPixels(page)).toBeLessThan(filled / 1.5);
    await page.close();
  });

  it("has landmarks, headings in order, and captions of all tables", async () => {
    const page = await open();
    for (const role of ["banner", "navigation", "main", "contentinfo"] as const)
      expect(await page.getByRole(role).count()).toBe(1);
    const levels = await page.locator("h1,h2,h3,h4").evaluateAll((all) => all.map((one) => Number(one.tagName[1])));
    for (const [index, level] of levels.entries())
      if (index > 0) expect(level - levels[index - 1]!).toBeLessThanOrEqual(1);
    for (const table of await page.locator("table").all()) expect(await table.locator("caption").count()).toBe(1);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement!.id)).toBe("main");
    await page.close();
  });

  it.each(["light", "dark"] as const)("has text of contrast 4.5:1 and more in the %s", async (colorScheme) => {
    const page = await open({ colorScheme });
    await page.evaluate(() => {
      for (const details of document.querySelectorAll("details")) details.open = true;
    });
    const { seen, faint } = await page.evaluate(faintTexts, 4.5);
    expect(faint).toEqual([]);
    expect(seen).toBeGreaterThan(300);
    await page.close();
  });

  it.each([360, 1440])("needs no sideways scrolling at %i px", async (width) => {
    const page = await open({ viewport: { width, height: 800 } });
    const [needed, there] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    expect(needed).toBeLessThanOrEqual(there!);
    await page.close();
  });
});
