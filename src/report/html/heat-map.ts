// Makes a heat map as a figure of the report, for experiment-section.ts: a drawing of colored cells with axes, a bar that says which color is
// which value, and a description with some of the values in a fold. It needs no script: the drawing is a part of the document.
import type { HeatMap } from "../../document.js";
import { type ColorScale, colorScale, LEVELS } from "./color-scale.js";
import { thinned } from "./data-table.js";
import { escapeHtml } from "./escape.js";
import { numberText } from "./number-text.js";

/** The drawing: its size, and the place of the cells and of the bar in it. */
const SIZE = { width: 860, height: 380 } as const;
const CELLS = { left: 84, top: 12, width: 630, height: 310 } as const;
const BAR = { left: 740, width: 18 } as const;
const TICKS = 5;
/** Rows and columns of values in the fold. */
const MOST_VALUES = 9;

/** The figure of one map; `id` is its own in the document. */
export function heatMapFigure(map: HeatMap, id: string): string {
  const scale = colorScale(map.values, map.value.scale);
  const drawing =
    scale === null
      ? '<p class="note">There are no finite values to draw.</p>'
      : `<div class="picture" role="img" aria-label="${escapeHtml(map.alt)}">
<svg class="map" viewBox="0 0 ${SIZE.width} ${SIZE.height}" aria-hidden="true">${cells(map, scale)}${axes(map)}${bar(map, scale)}</svg></div>`;
  return `<figure role="group" id="${id}" aria-labelledby="${id}:title">
<figcaption><h3 id="${id}:title">${escapeHtml(map.title)}</h3></figcaption>
${drawing}
<details><summary>Description and data</summary>
<p>${escapeHtml(map.alt)}</p>
${valueTable(map)}
</details>
</figure>`;
}

/** One path a color; neighbors of one color in a row are one rectangle. */
function cells({ values, columns, rows }: HeatMap, scale: ColorScale): string {
  const paths = Array.from({ length: LEVELS }, () => "");
  for (let row = 0; row < rows; row++)
    for (let from = 0, to = 0; from < columns; from = to) {
      const level = scale.level(values[row * columns + from]);
      for (to = from + 1; to < columns && scale.level(values[row * columns + to]) === level; ) to++;
      // The first row is the lowest.
      if (level !== null) paths[level] += `M${from} ${rows - 1 - row}h${to - from}v1h${from - to}z`;
    }
  const { left, top, width, height } = CELLS;
  const shapes = paths.map((path, level) => (path === "" ? "" : `<path fill="${scale.color(level)}" d="${path}"/>`));
  return `<g shape-rendering="crispEdges" transform="translate(${left} ${top}) scale(${width / columns} ${height / rows})">${shapes.join("")}</g>`;
}

/** Values at equal distances from one end to the other. */
function divisions(from: number, to: number): number[] {
  return Array.from({ length: TICKS }, (_, k) => from + ((to - from) * k) / (TICKS - 1));
}

/** A coordinate, without the rounding of its computation. */
const tick = (value: number): string => String(Number(value.toPrecision(4)));

function axes({ x, y }: HeatMap): string {
  const { left, top, width, height } = CELLS;
  const bottom = top + height;
  const below = divisions(x.from, x.to).map(
    (value, k) =>
      `<text x="${left + (width * k) / (TICKS - 1)}" y="${bottom + 20}" text-anchor="middle">${tick(value)}</text>`,
  );
  const beside = divisions(y.from, y.to).map(
    (value, k) =>
      `<text x="${left - 8}" y="${bottom - (height * k) / (TICKS - 1) + 4}" text-anchor="end">${tick(value)}</text>`,
  );
  const middle = top + height / 2;
  return `<rect class="frame" x="${left}" y="${top}" width="${width}" height="${height}"/>${below.join("")}${beside.join("")}
<text x="${left + width / 2}" y="${bottom + 44}" text-anchor="middle">${escapeHtml(x.label)}</text>
<text transform="translate(14 ${middle}) rotate(-90)" text-anchor="middle">${escapeHtml(y.label)}</text>`;
}

function bar({ value }: HeatMap, { ends, color }: ColorScale): string {
  const { top, height } = CELLS;
  const step = height / LEVELS;
  const colors = Array.from(
    { length: LEVELS },
    (_, level) =>
      `<path fill="${color(level)}" d="M${BAR.left} ${top + height - (level + 1) * step}h${BAR.width}v${step}h${-BAR.width}z"/>`,
  );
  const [low, high] = ends;
  const texts = divisions(0, 1).map((share, k) => {
    const at = value.scale === "log" ? low ** (1 - share) * high ** share : low * (1 - share) + high * share;
    const y = top + height - (height * k) / (TICKS - 1) + 4;
    return `<text x="${BAR.left + BAR.width + 8}" y="${y}">${numberText(at, 3)}</text>`;
  });
  const middle = BAR.left + BAR.width / 2;
  return `<g shape-rendering="crispEdges">${colors.join("")}</g>${texts.join("")}
<text x="${middle}" y="${top + height + 44}" text-anchor="middle">${escapeHtml(value.label)}</text>`;
}

/** Some of the values, the corners among them, the highest row first as in the drawing. */
function valueTable({ x, y, values, columns, rows }: HeatMap): string {
  const center = (axis: HeatMap["x"], at: number, count: number): string =>
    numberText(axis.from + ((axis.to - axis.from) * (at + 0.5)) / count);
  const across = thinned(columns, MOST_VALUES);
  const up = thinned(rows, MOST_VALUES).toReversed();
  const head = across.map((column) => `<th scope="col">${center(x, column, columns)}</th>`);
  const body = up.map((row) => {
    const own = across.map((column) => `<td>${numberText(values[row * columns + column])}</td>`);
    return `<tr><th scope="row">${center(y, row, rows)}</th>${own.join("")}</tr>`;
  });
  const [xLabel, yLabel] = [escapeHtml(x.label), escapeHtml(y.label)];
  return `<div class="wide" role="region" tabindex="0" aria-label="Values by ${xLabel} and ${yLabel}"><table class="numbers">
<caption>${across.length * up.length} of ${columns * rows} values</caption>
<thead><tr><th scope="col">${yLabel} \\ ${xLabel}</th>${head.join("")}</tr></thead>
<tbody>${body.join("")}</tbody></table></div>`;
}
