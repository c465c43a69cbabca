/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
// Connects the legend and the buttons of a figure to its chart in the browser, called by start-page.ts for every chart. page-program.ts
// embeds the function as text, so it refers to nothing but its parameters and the browser.
import type { ChartListener, DrawnChart } from "./draw-chart.js";

/** The elements around a chart in its figure. */
export interface FigureParts extends ChartListener {
  /** Lets the buttons act on the chart. */
  attach(chart: DrawnChart): void;
}

/** The legend, its live values and the buttons of one figure. The markup is figure.ts's. */
export function wireFigure(figure: HTMLElement): FigureParts {
  const toggles = [...figure.querySelectorAll<HTMLButtonElement>(".legend li button")];
  const values = [...figure.querySelectorAll<HTMLElement>(".legend li .value")];
  const atX = figure.querySelector<HTMLElement>(".at-x .reading")!;
  const reset = figure.querySelector<HTMLButtonElement>(".reset")!;

  function attach(chart: DrawnChart): void {
    const press = (series: number, visible: boolean): void => {
      const toggle = toggles[series]!;
      if ((toggle.getAttribute("aria-pressed") === "true") === visible) return;
      toggle.setAttribute("aria-pressed", String(visible));
      chart.show(series, visible);
    };
    for (const [series, toggle] of toggles.entries()) {
      toggle.addEventListener("click", () => press(series, toggle.getAttribute("aria-pressed") !== "true"));
      for (const event of ["mouseenter", "focus"]) toggle.addEventListener(event, () => chart.point(series));
      for (const event of ["mouseleave", "blur"]) toggle.addEventListener(event, () => chart.point(null));
    }
    for (const button of figure.querySelectorAll<HTMLButtonElement>("[data-show]")) {
      button.addEventListener("click", () => {
        for (const series of toggles.keys()) press(series, button.dataset.show === "all");
      });
    }
    reset.addEventListener("click", () => chart.resetZoom());
  }

  return {
    attach,
    readings: (readings) => {
      atX.hidden = readings === null;
      atX.querySelector(".value")!.textContent = readings?.x ?? "";
      for (const [series, value] of values.entries()) value.textContent = readings?.series[series] ?? "";
    },
    zoomed: (yes) => {
      // A button that vanishes under the finger would take the focus with it: it stays, without effect.
      reset.disabled = !yes;
    },
  };
}
