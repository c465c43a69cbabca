/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
// The report in a real browser: that it draws, can be read and used by all, and asks the network for nothing. Skipped where there
// is no Chromium.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { htmlReport } from "../../src/report/html-report.js";
import { findChromium, launchArguments, renderPng } from "../../src/report/png.js";
import { faintTexts } from "./contrast.js";
import { HOSTILE_META, hostileOutcome, oddOutcome } from "./odd-outcomes.js";
import { META, sampleOutcomes } from "./outcomes.js";

const executablePath = findChromium();
const CHARTS = ["flow-loss", "flow-order", "flow-spectrum", "teacher-runs", "teacher-steps"];

describe.skipIf(executablePath === null)("the report in a browser", () => {
  let folder: string;
  let browser: Browser;
  let pages: { page: Page; troubles: string[] }[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "gaussflow-report-"));
    writeFileSync(join(folder, "report.html"), htmlReport(sampleOutcomes(), META));
    writeFileSync(join(folder, "odd.html"), htmlReport([oddOutcome(), hostileOutcome()], HOSTILE_META));
    browser = await chromium.launch({ executablePath: executablePath!, args: launchArguments() });
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  // Whatever a test was about: no request beside the file, no word on the console, no exception, no violation of the policy.
  afterEach(async () => {
    const troubles = pages.flatMap((one) => one.troubles);
    for (const { page } of pages) await page.context().close();
    pages = [];
    expect(troubles).toEqual([]);
  });

  async function open(name = "report.html", options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1000, height: 900 }, ...options });
    const page = await context.newPage();
    const address = pathToFileURL(join(folder, name)).href;
    const troubles: string[] = [];
    page.on("console", (message) => troubles.push(`console ${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => troubles.push(String(error.stack)));
    page.on("dialog", (dialog) => troubles.push(`dialog: ${dialog.message()}`));
    page.on("request", (request) => {
      if (request.url().split("#")[0] !== address && !request.url().startsWith("data:"))
        troubles.push(`request: ${request.url()}`);
    });
    pages.push({ page, troubles });
    await page.goto(address);
    await page.waitForSelector('html[data-charts="drawn"]', { state: "attached" });
    return page;
  }

  // Pixels of a chart's canvas that are painted, or painted in about the color of a custom property.
  function pixels(page: Page, figure: string, property: string | null = null): Promise<number> {
    return page.evaluate(
      ([id, name]) => {
        const canvas = document.querySelector<HTMLCanvasElement>(`#${id} canvas`)!;
        // A copy: Chromium speaks up when a canvas is read that was not made for it.
        const copy = new OffscreenCanvas(canvas.width, canvas.height);
        const context = copy.getContext("2d", { willReadFrequently: true })!;
        context.drawImage(canvas, 0, 0);
        const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
        const value = name ? getComputedStyle(document.documentElement).getPropertyValue(name).trim() : "";
        const wanted = [1, 3, 5].map((at) => Number.parseInt(value.slice(at, at + 2), 16));
        let count = 0;
        for (let at = 0; at < data.length; at += 4) {
          const near = wanted.every((one, channel) => !name || Math.abs(one - data[at + channel]!) < 12);
          if (data[at + 3]! > 128 && near) count++;
        }
        return count;
      },
      [figure, property] as const,
    );
  }

  function frame(page: Page): Promise<void> {
    return page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))));
  }

  const overlay = (page: Page, figure: string): Locator => page.locator(`#${figure} .u-over`);

  async function range(page: Page, figure: string, axis: "x" | "y"): Promise<[number, number]> {
    const text = await page.locator(`#${figure} .canvas`).getAttribute(`data-${axis}`);
    const [low, high] = text!.split(" ").map(Number);
    return [low!, high!];
  }

  // Moves over a part of a chart's plotting area, in shares of its width and height; with the button down it zooms.
  async function drag(page: Page, figure: string, from: [number, number], to: [number, number]): Promise<void> {
    await overlay(page, figure).scrollIntoViewIfNeeded();
    const box = (await overlay(page, figure).boundingBox())!;
    await page.mouse.move(box.x + from[0] * box.width, box.y + from[1] * box.height);
    await page.mouse.down();
    await page.mouse.move(box.x + to[0] * box.width, box.y + to[1] * box.height, { steps: 6 });
    await page.mouse.up();
    await frame(page);
  }

  it("draws every chart, in each series' color", async () => {
    const page = await open();
    const ids = await page.locator("figure").evaluateAll((figures) => figures.map((figure) => figure.id));
    expect(ids).toEqual(CHARTS);
    expect(await page.locator("figure canvas").count()).toBe(CHARTS.length);
    for (const id of CHARTS) expect(await pixels(page, id)).toBeGreaterThan(3000);
    for (const hue of [0, 1, 2]) {
      expect(await pixels(page, "flow-loss", `--hue-${hue}`)).toBeGreaterThan(300);
      expect(await pixels(page, "flow-loss", `--promise-${hue}`)).toBeGreaterThan(100);
    }
    for (let hue = 0; hue < 8; hue++) expect(await pixels(page, "teacher-runs", `--hue-${hue}`)).toBeGreaterThan(50);
  });

  it("has title, language, landmarks and headings in order", async () => {
    const page = await open();
    expect(await page.title()).toBe("gaussflow: report of experiments");
    expect(await page.locator("html").getAttribute("lang")).toBe("en");
    for (const role of ["banner", "navigation", "main", "contentinfo"] as const)
      expect(await page.getByRole(role).count()).toBe(1);
    const levels = await page.locator("h1,h2,h3,h4").evaluateAll((all) => all.map((one) => Number(one.tagName[1])));
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    for (const [index, level] of levels.entries())
      if (index > 0) expect(level - levels[index - 1]!).toBeLessThanOrEqual(1);
    for (const table of await page.locator("table").all()) expect(await table.locator("caption").count()).toBe(1);
  });

  it("says in words what each picture shows, and keeps the canvas to itself", async () => {
    const page = await open();
    for (const outcome of sampleOutcomes())
      for (const chart of outcome.charts) {
        const group = page.getByRole("group", { name: chart.title, exact: true });
        expect(await group.getByRole("img", { name: chart.alt, exact: true }).count()).toBe(1);
      }
    expect(await page.locator("canvas").count()).toBe(await page.locator('[aria-hidden="true"] canvas').count());
    const claims = page.getByRole("table", { name: "3 of 4 claims hold" });
    expect(await claims.getByRole("rowheader").count()).toBe(4);
    expect(await claims.getByRole("cell", { name: "does not hold" }).count()).toBe(1);
  });

  it("leads the keyboard past the navigation", async () => {
    const page = await open();
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement!.textContent)).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement!.id)).toBe("main");
  });

  it.each(["light", "dark"] as const)("has text of contrast 4.5:1 and more in the %s", async (colorScheme) => {
    const page = await open("report.html", { colorScheme });
    await page.evaluate(() => {
      for (const details of document.querySelectorAll("details")) details.open = true;
    });
    await page.locator("#flow-loss li button").first().click();
    await overlay(page, "flow-loss").hover();
    const { seen, faint } = await page.evaluate(faintTexts, 4.5);
    expect(faint).toEqual([]);
    expect(seen).toBeGreaterThan(1000);
    // The measure itself: nothing reaches 22:1.
    expect((await page.evaluate(faintTexts, 22)).faint).toHaveLength(seen);
  });

  it("follows a change between light and dark", async () => {
    const page = await open("report.html", { colorScheme: "light" });
    const before = await pixels(page, "flow-spectrum", "--hue-0");
    await page.emulateMedia({ colorScheme: "dark" });
    await frame(page);
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe("rgb(20, 24, 29)");
    expect(await pixels(page, "flow-spectrum", "--hue-0")).toBeGreaterThan(before / 2);
  });

  it("is printed in light colors at the width of paper", async () => {
    const page = await open("report.html", { colorScheme: "dark" });
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    await frame(page);
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--ground"))).toBe(
      "#ffffff",
    );
    const width = (): Promise<number> => page.locator("#flow-loss canvas").evaluate((one) => one.clientWidth);
    expect(await width()).toBe(660);
    expect(await pixels(page, "flow-loss", "--hue-0")).toBeGreaterThan(200);
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
    await frame(page);
    expect(await width()).toBeGreaterThan(700);
  });

  it.each(["Enter", "Space"])("hides and shows a series by %s on its legend entry", async (key) => {
    const page = await open();
    const toggle = page.getByRole("button", { name: "largest" });
    const wide = await range(page, "flow-spectrum", "y");
    expect(await toggle.getAttribute("aria-pressed")).toBe("true");
    expect(await pixels(page, "flow-spectrum", "--hue-0")).toBeGreaterThan(300);
    await toggle.focus();
    await page.keyboard.press(key);
    await frame(page);
    expect(await toggle.getAttribute("aria-pressed")).toBe("false");
    expect(await pixels(page, "flow-spectrum", "--hue-0")).toBe(0);
    expect((await range(page, "flow-spectrum", "y"))[1]).toBeLessThan(wide[1] / 1.5);
    await page.keyboard.press(key);
    await frame(page);
    expect(await toggle.getAttribute("aria-pressed")).toBe("true");
    await toggle.blur();
    await frame(page);
    expect(await pixels(page, "flow-spectrum", "--hue-0")).toBeGreaterThan(300);
    expect(await range(page, "flow-spectrum", "y")).toEqual(wide);
  });

  it("hides and shows all of many series at once", async () => {
    const page = await open();
    const figure = page.locator("#teacher-runs");
    await figure.getByRole("button", { name: "Hide all" }).click();
    expect(await figure.locator('[aria-pressed="false"]').count()).toBe(40);
    expect(await pixels(page, "teacher-runs", "--hue-0")).toBe(0);
    await figure.getByRole("button", { name: "seed 1", exact: true }).click();
    await page.mouse.move(0, 0);
    await frame(page);
    expect(await pixels(page, "teacher-runs", "--hue-0")).toBeGreaterThan(50);
    await figure.getByRole("button", { name: "Show all" }).click();
    expect(await figure.locator('[aria-pressed="true"]').count()).toBe(40);
  });

  it("shows the values under the cursor, all at the measured x that is nearest to it", async () => {
    const page = await open();
    await overlay(page, "flow-order").scrollIntoViewIfNeeded();
    const box = (await overlay(page, "flow-order").boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + 20);
    await frame(page);
    const h = 2 ** -5;
    expect(await page.locator("#flow-order .reading").textContent()).toBe("step h: 0.03125");
    const values = await page.locator("#flow-order li .value").allTextContents();
    for (const [index, p] of [1, 2, 4].entries()) {
      expect(Number(values[2 * index]) / (0.3 * h ** p * (1 + h))).toBeCloseTo(1, 3);
      expect(Number(values[2 * index + 1]) / (0.3 * h ** p)).toBeCloseTo(1, 3);
    }
    await page.mouse.move(0, 0);
    await frame(page);
    expect(await page.locator("#flow-order .reading").isVisible()).toBe(false);
    // In a gap there is no value; beyond its end a series has none either.
    await overlay(page, "flow-spectrum").hover();
    const spectrum = (await overlay(page, "flow-spectrum").boundingBox())!;
    const read = async (share: number): Promise<string[]> => {
      await page.mouse.move(spectrum.x + share * spectrum.width, spectrum.y + 20);
      await frame(page);
      return page.locator("#flow-spectrum li .value").allTextContents();
    };
    expect((await read(0.36))[0]).toBe("-");
    expect(Number((await read(0.36))[1])).toBeGreaterThan(1e-10);
    expect((await read(0.9))[1]).toBe("-");
    // Of several points of one x the one nearest to the cursor.
    await overlay(page, "teacher-steps").hover();
    const steps = (await overlay(page, "teacher-steps").boundingBox())!;
    const counts: (string | null)[] = [];
    for (const y of [2, steps.height - 2]) {
      await page.mouse.move(steps.x + 0.4 * steps.width, steps.y + y);
      await frame(page);
      counts.push(await page.locator("#teacher-steps li .value").first().textContent());
    }
    expect(Number(counts[0])).toBeGreaterThan(Number(counts[1]));
  });

  it("zooms into what is dragged over, in both directions, and back", async () => {
    const page = await open();
    const all = { x: await range(page, "flow-loss", "x"), y: await range(page, "flow-loss", "y") };
    const reset = page.locator("#flow-loss .reset");
    expect(await reset.isVisible()).toBe(false);
    await drag(page, "flow-loss", [0.5, 0.5], [0.9, 0.95]);
    const x = await range(page, "flow-loss", "x");
    expect(x[0]).toBeCloseTo(all.x[0] + 0.5 * (all.x[1] - all.x[0]), 0);
    expect(x[1]).toBeCloseTo(all.x[0] + 0.9 * (all.x[1] - all.x[0]), 0);
    expect((await range(page, "flow-loss", "y"))[1]).toBeLessThan(1e-8);
    await overlay(page, "flow-loss").dblclick();
    await frame(page);
    expect(await range(page, "flow-loss", "x")).toEqual(all.x);
    expect(await range(page, "flow-loss", "y")).toEqual(all.y);
    // Again, deep into the smallest values, and back by the button.
    await drag(page, "flow-loss", [0.3, 0.7], [0.6, 0.98]);
    await drag(page, "flow-loss", [0.3, 0.8], [0.6, 0.98]);
    expect((await range(page, "flow-loss", "y"))[1]).toBeLessThan(1e-16);
    await reset.click();
    await frame(page);
    expect(await range(page, "flow-loss", "x")).toEqual(all.x);
    expect(await range(page, "flow-loss", "y")).toEqual(all.y);
    expect(await reset.isVisible()).toBe(false);
  });

  it("opens the data of a chart as tables", async () => {
    const page = await open();
    const figure = page.locator("#flow-loss");
    expect(await figure.getByRole("table").count()).toBe(0);
    await figure.locator("summary").focus();
    await page.keyboard.press("Enter");
    expect(await figure.getByRole("table").count()).toBe(4);
    const caption = figure.getByRole("table", { name: "λ = 0.5, integrated: 60 of 100 rows" });
    expect(await caption.getByRole("row").count()).toBe(61);
  });

  it.each([360, 768, 1440])("needs no sideways scrolling at %i px, whatever was there before", async (width) => {
    const page = await open();
    await page.setViewportSize({ width, height: 800 });
    await page.evaluate(() => {
      for (const details of document.querySelectorAll("details")) details.open = true;
    });
    await frame(page);
    await frame(page);
    const [needed, there] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    expect(needed).toBeLessThanOrEqual(there!);
    const figures = await page
      .locator("figure")
      .evaluateAll((all) => all.map((one) => [one.clientWidth, one.querySelector("canvas")!.clientWidth]));
    for (const [figure, canvas] of figures) expect(canvas).toBe(figure);
  });

  it("scrolls smoothly only for those who do not mind", async () => {
    for (const reducedMotion of ["reduce", "no-preference"] as const) {
      const page = await open("report.html", { reducedMotion });
      const behavior = await page.evaluate(() => getComputedStyle(document.documentElement).scrollBehavior);
      expect(behavior).toBe(reducedMotion === "reduce" ? "auto" : "smooth");
    }
  });

  it("survives hostile text and charts of nothing", async () => {
    const page = await open("odd.html");
    expect(await page.locator("figure canvas").count()).toBe(14);
    expect(await page.evaluate(() => "pwned" in window)).toBe(false);
    for (const id of ["one-point", "one-value", "tiny", "huge", "whole-range", "narrow-log", "rounding"])
      expect(await pixels(page, `odd-${id}`, "--ink"), id).toBeGreaterThan(30);
    for (const id of ["one-point", "one-point-log", "one-x", "tiny", "huge", "whole-range", "narrow-log", "rounding"])
      expect(await pixels(page, `odd-${id}`, id === "narrow-log" ? "--hue-5" : "--hue-0"), id).toBeGreaterThan(10);
    await drag(page, "odd-tiny", [0.2, 0.2], [0.7, 0.7]);
    expect((await range(page, "odd-tiny", "x"))[1]).toBeLessThan(2e-30);
  });

  it("becomes one PNG file a chart", async () => {
    const paths = await renderPng(join(folder, "report.html"), join(folder, "png"), { width: 700, scale: 1 });
    expect(paths).toEqual(CHARTS.map((id) => join(folder, "png", `${id}.png`)));
    for (const path of paths) {
      const file = readFileSync(path);
      expect(file.subarray(1, 4).toString("latin1")).toBe("PNG");
      expect(file.readUInt32BE(16)).toBe(700);
      expect(file.readUInt32BE(20)).toBeGreaterThan(300);
    }
  });

  it("draws heat maps without its script, and writes them as PNG files too", async () => {
    const values = Array.from({ length: 96 }, (_, i) => i - 40);
    const axis = { label: "x", from: 0, to: 1 };
    const value = { label: "u", scale: "linear" } as const;
    const map = { id: "map", title: "A map", alt: "It rises.", x: axis, y: axis, value, columns: 12, rows: 8, values };
    const [first] = sampleOutcomes();
    writeFileSync(join(folder, "map.html"), htmlReport([{ ...first!, maps: [map] }], META));
    const page = await open("map.html");
    const figure = page.getByRole("group", { name: "A map", exact: true });
    expect(await figure.getByRole("img", { name: "It rises.", exact: true }).count()).toBe(1);
    const [place, frameBox] = [(await figure.boundingBox())!, (await figure.locator("rect.frame").boundingBox())!];
    expect(frameBox.width).toBeGreaterThan(0.6 * place.width);
    for (const text of await figure.locator("svg.map text").all()) {
      const box = (await text.boundingBox())!;
      expect(box.x).toBeGreaterThanOrEqual(place.x);
      expect(box.x + box.width).toBeLessThanOrEqual(place.x + place.width + 1);
    }
    const paths = await renderPng(join(folder, "map.html"), join(folder, "png"), { width: 700, scale: 1 });
    expect(paths.at(-1)).toBe(join(folder, "png", "flow-map.png"));
  });
});
