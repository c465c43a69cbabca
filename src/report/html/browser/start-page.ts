/// <reference lib="dom" />
// Starts the report's page in the browser: draws every chart and connects it to its figure. page-program.ts embeds the function as text and
// the call of it, which the browser makes when the page is loaded; the function refers to nothing but its parameters and the browser.
import type { ChartData } from "../chart-data.js";
import type { DrawnChart, drawChart, Kit } from "./draw-chart.js";
import type { wireFigure } from "./wire-figure.js";

/** Draws all charts of the page and keeps them as wide as their places and as dark as their surroundings. */
export function startPage(kit: Kit, draw: typeof drawChart, wire: typeof wireFigure): void {
  const PRINT_WIDTH = 660;
  const root = document.documentElement;
  const all = JSON.parse(document.getElementById("report-data")!.textContent!) as ChartData[];
  const charts = new Map<Element, DrawnChart>();
  for (const data of all) {
    const figure = document.getElementById(data.id)!;
    const place = figure.querySelector<HTMLElement>(".canvas")!;
    const parts = wire(figure);
    const chart = draw(kit, place, data, parts);
    parts.attach(chart);
    charts.set(place, chart);
  }

  // In the next frame: a size set while sizes are observed would be observed again at once.
  const observer = new ResizeObserver((entries) =>
    requestAnimationFrame(() => {
      if (root.classList.contains("printing")) return;
      for (const { target } of entries) charts.get(target)!.fit();
    }),
  );
  for (const place of charts.keys()) observer.observe(place);

  const redraw = (): void => {
    for (const chart of charts.values()) chart.redraw();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  // Paper is light, and a canvas does not know that it is printed.
  addEventListener("beforeprint", () => {
    root.classList.add("printing");
    for (const chart of charts.values()) chart.fit(PRINT_WIDTH);
    redraw();
  });
  addEventListener("afterprint", () => {
    root.classList.remove("printing");
    for (const chart of charts.values()) chart.fit();
    redraw();
  });

  // For those who look on from outside: the PNG writer waits for it.
  requestAnimationFrame(() => requestAnimationFrame(() => root.setAttribute("data-charts", "drawn")));
}
