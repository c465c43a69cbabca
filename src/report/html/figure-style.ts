// Makes the part of the report's style sheet for charts, for style-sheet.ts: figure, legend, and the elements that uPlot draws over the
// canvas.
import { HUES } from "./palette.js";

/** Styles of figures. */
export function figureStyle(): string {
  // The marks of the legend: the hue for what was measured, the promise's shade for dashes.
  const hues = Array.from(
    { length: HUES },
    (_, hue) => `.hue-${hue}{color:var(--hue-${hue})}.dashed.hue-${hue}{color:var(--promise-${hue})}`,
  );
  return `${FIGURE}\n${LEGEND}\n${hues.join("\n")}`;
}

const FIGURE = `figure{margin:2rem 0 2.4rem;padding:0}
figcaption h3{margin:0 0 .3rem}
figure button{font:inherit;color:inherit;background:none;border:none;cursor:pointer}
.tools{display:flex;gap:.4rem;margin-left:auto}
figure .tools button{font-size:.82rem;padding:.1rem .55rem;border:1px solid var(--rule);border-radius:4px;white-space:nowrap;color:var(--link)}
.reset:disabled{visibility:hidden}
.picture{min-height:260px}
.canvas{width:100%;overflow:hidden}
.map{display:block;width:100%;height:auto;font-size:14px;fill:currentcolor;font-variant-numeric:tabular-nums}
.map .frame{fill:none;stroke:var(--rule)}
.uplot{font-family:inherit}
.u-over{cursor:crosshair}
.u-select{background:color-mix(in srgb,var(--link) 18%,transparent)}
.u-hz .u-cursor-x,.u-vt .u-cursor-y{border-color:var(--muted)}
.u-hz .u-cursor-y,.u-vt .u-cursor-x{border-color:var(--muted)}
details{margin-top:.5rem;font-size:.9rem}
summary{color:var(--link);cursor:pointer;width:fit-content;padding:.15rem 0}
details .wide{max-height:24rem;overflow:auto}`;

const LEGEND = `.legend{font-size:.87rem;line-height:1.4;font-variant-numeric:tabular-nums}
.legend ul{list-style:none;margin:.1rem 0 0;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(min(19rem,100%),1fr));gap:0 1.5rem}
.legend li,.at-x{display:flex;justify-content:space-between;align-items:baseline;gap:.6rem;min-width:0}
.legend li{max-width:23rem}
.at-x{justify-content:flex-start;min-height:1.7rem;flex-wrap:wrap}
.at-x .reading{color:var(--muted)}
.legend li button{display:flex;align-items:baseline;gap:.5rem;padding:.16rem .3rem;margin-left:-.3rem;border-radius:4px;text-align:left;min-width:0;overflow-wrap:anywhere}
.legend li button:hover{background:var(--raised)}
.legend .value{min-width:5.5em;text-align:right;color:var(--muted);white-space:nowrap}
.at-x .value{text-align:left}
.legend [aria-pressed=false] .name{color:var(--muted);text-decoration:line-through}
.legend [aria-pressed=false] .mark{opacity:.25}
.many{font-size:.8rem}
.many ul{grid-template-columns:repeat(auto-fill,minmax(min(10.5rem,45%),1fr));gap:0 1rem}
.many li{gap:.3rem}
.many li button{padding:.05rem .2rem;margin-left:-.2rem;gap:.35rem}
.mark{flex:none;width:26px;height:10px;fill:none;stroke:currentcolor;stroke-width:2.5}
.mark.dashed{stroke-width:2;stroke-dasharray:7 4}
.mark.points{fill:currentcolor;stroke:none}
.many .mark{width:16px}
.many .value{min-width:4.7em}`;
