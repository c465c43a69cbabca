/// <reference lib="dom" />
// Draws the charts of an HTML report as PNG files with a headless Chromium; gaussflow experiment --png calls it on the finished report.
// playwright-core, which controls the browser, is an optional peer dependency; without --png neither is needed.
import { accessSync, constants, mkdirSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { fileError, GaussflowError } from "../errors.js";

export interface PngOptions {
  /** Width of a figure in CSS pixels; default 860. */
  readonly width?: number;
  /** Device pixels a CSS pixel; default 2. */
  readonly scale?: number;
  /** Path of the browser; default: GAUSSFLOW_CHROMIUM, else the first Chromium or Chrome on PATH. */
  readonly chromium?: string;
}

const NAMES = ["chromium", "chromium-browser", "google-chrome", "chrome"];
const DRAWN_WITHIN_MILLISECONDS = 30_000;
// The page's margin on both sides of a figure.
const MARGINS = 32;

/**
 * Writes each chart of a report as `<experiment>-<chart id>.png` in light colors and returns the paths, in the report's order.
 *
 * @throws GaussflowError GAUSSFLOW_FILE when playwright-core or a browser is missing, or when the file is no report.
 */
export async function renderPng(htmlPath: string, directory: string, options: PngOptions = {}): Promise<string[]> {
  const executablePath = options.chromium ?? findChromium();
  if (executablePath === null)
    throw new GaussflowError(
      "GAUSSFLOW_FILE",
      "PNG files are drawn by Chromium, and none was found: install it (on Debian: apt install chromium) or set GAUSSFLOW_CHROMIUM to the path of a Chromium or Chrome",
      { names: NAMES },
    );
  const { chromium } = await playwright();
  const browser = await chromium
    .launch({ executablePath, args: launchArguments() })
    .catch((cause: Error) =>
      Promise.reject(
        fileError(executablePath, `does not start as a browser: ${cause.message.split("\n")[0]}`, {}, cause),
      ),
    );
  try {
    const page = await browser.newPage({
      viewport: { width: Math.round(options.width ?? 860) + MARGINS, height: 900 },
      deviceScaleFactor: options.scale ?? 2,
      colorScheme: "light",
      reducedMotion: "reduce",
    });
    await page.goto(pathToFileURL(resolve(htmlPath)).href);
    await page
      .waitForSelector('html[data-charts="drawn"]', { state: "attached", timeout: DRAWN_WITHIN_MILLISECONDS })
      .catch((cause: Error) =>
        Promise.reject(fileError(htmlPath, "draws no charts: is it a report of gaussflow?", {}, cause)),
      );
    mkdirSync(directory, { recursive: true });
    const paths: string[] = [];
    for (const figure of await page.locator("figure").all()) {
      // What is for hands and not for the eye stays out of the picture.
      for (const part of await figure.locator("details, .reset, .at-x").all())
        await part.evaluate((element) => element.toggleAttribute("hidden", true));
      const path = join(directory, `${await figure.getAttribute("id")}.png`);
      await figure.screenshot({ path, animations: "disabled" });
      paths.push(path);
    }
    return paths;
  } finally {
    await browser.close();
  }
}

/** The path of a Chromium: GAUSSFLOW_CHROMIUM, else the first of its names on PATH; null when there is none. */
export function findChromium(env: NodeJS.ProcessEnv = process.env): string | null {
  const named = env.GAUSSFLOW_CHROMIUM;
  if (named !== undefined && named !== "") return named;
  const folders = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What Chromium is started with: nothing that talks to the network by itself; root has no sandbox to offer. */
export function launchArguments(): string[] {
  return [
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
  ];
}

async function playwright(): Promise<typeof import("playwright-core")> {
  try {
    return await import("playwright-core");
  } catch (cause) {
    throw new GaussflowError(
      "GAUSSFLOW_FILE",
      "PNG files need the package playwright-core, which is not installed: npm install playwright-core",
      {},
      { cause },
    );
  }
}
