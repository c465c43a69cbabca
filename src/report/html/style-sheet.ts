// Makes the style sheet of the report, for html-report.ts. Colors come from the palette as custom properties; the canvas reads the same
// ones.
import { figureStyle } from "./figure-style.js";
import { DARK, LIGHT, schemeVariables } from "./palette.js";

/** The whole style sheet, uPlot's own apart. */
export function styleSheet(): string {
  // `printing` is set while the page is printed from a dark screen: paper is light.
  return `:root{color-scheme:light dark;${schemeVariables(LIGHT)}}
@media screen and (prefers-color-scheme:dark){:root:not(.printing){${schemeVariables(DARK)}}}
${PAGE}
${TABLES}
${figureStyle()}
${WIDE}
${PRINT}`;
}

const PAGE = `*,*::before,*::after{box-sizing:border-box}
[hidden]{display:none!important}
html{font:100%/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;text-size-adjust:100%}
body{margin:0;padding:0 1rem;background:var(--ground);color:var(--ink);overflow-wrap:break-word}
header,nav,main,footer{max-width:56rem;margin-inline:auto}
@media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
a{color:var(--link)}
:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:2px}
main:focus{outline:none}
.skip{position:absolute;left:1rem;top:-4rem;padding:.5rem .9rem;background:var(--ground);border:2px solid var(--link);z-index:9}
.skip:focus{top:.5rem}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
h1{font-size:clamp(1.6rem,4.5vw,2.1rem);line-height:1.2;margin:2.2rem 0 .9rem;letter-spacing:-.01em}
h2{font-size:1.45rem;line-height:1.25;margin:0 0 .6rem;letter-spacing:-.005em}
h3{font-size:1.05rem;line-height:1.35;margin:2rem 0 .5rem}
section{margin:0 0 3rem;padding-top:1.8rem;border-top:1px solid var(--rule);scroll-margin-top:0}
#summary{border-top:none;padding-top:.4rem}
p{margin:.6rem 0}
.purpose{max-width:46rem}
.note{color:var(--muted);font-size:.9rem}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.875rem}
.command{margin:.6rem 0;padding:.55rem .8rem;background:var(--raised);border-radius:6px;white-space:pre-wrap;overflow-wrap:anywhere}
.command span{display:inline-block;max-width:100%}
.facts{display:flex;flex-wrap:wrap;gap:.1rem 1.4rem;margin:.6rem 0;font-size:.9rem}
.facts dt,.facts dd{display:inline;margin:0}
.facts dt{color:var(--muted)}
.facts dd{font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
nav ul{list-style:none;margin:.8rem 0 1.4rem;padding:.7rem 0;border-block:1px solid var(--rule);font-size:.95rem}
nav li{padding:.12rem 0}
nav a{text-decoration:none}
nav a:hover,nav a:focus{text-decoration:underline}
nav .bad{font-size:.85rem;white-space:nowrap}
.good,.bad{font-weight:600}
.good{color:var(--good)}
.bad{color:var(--bad)}
.verdict{margin:.8rem 0 1.2rem;padding:.5rem 1rem;border-radius:6px;border-left:5px solid currentcolor;font-weight:400}
.verdict.good{background:var(--good-ground)}
.verdict.bad{background:var(--bad-ground)}
.verdict>*{color:var(--ink)}
.verdict strong{font-size:1.15rem}
.verdict ul{margin:.3rem 0 .6rem;padding-left:1.2rem}
footer{padding:1rem 0 2rem;border-top:1px solid var(--rule);color:var(--muted);font-size:.85rem}`;

const TABLES = `table{border-collapse:collapse;font-size:.9rem;line-height:1.45;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--muted);padding:0 0 .35rem}
th,td{padding:.38rem .75rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}
thead th{background:var(--raised);border-bottom-color:var(--rule);font-weight:600}
tbody th{font-weight:400}
.number,.numbers th,.numbers td{text-align:right}
.number,.numbers td,.numbers tbody th{white-space:nowrap}
.numbers caption{font-variant-numeric:normal}
.numbers th,.numbers td{padding:.15rem .75rem;font-size:.85rem}
.wide{overflow-x:auto;margin:.5rem 0 1.2rem}
.claims,#summary table{width:100%}
.claims tbody th{width:44%}
.claims td:last-child{white-space:nowrap}
@media (max-width:40rem){
.claims thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.claims,.claims tbody,.claims caption{display:block}
.claims tr{display:block;padding:.6rem 0;border-bottom:1px solid var(--rule)}
.claims tbody th,.claims td{display:block;width:auto;padding:.1rem 0;border:none}
.claims tbody th{font-weight:600}
.claims td::before{content:attr(data-label) ": ";color:var(--muted)}
}`;

// From this width on the list of experiments is beside the text and stays visible.
const WIDE = `@media screen and (min-width:80rem){
body{display:grid;grid-template-columns:15rem minmax(0,56rem);grid-template-rows:auto 1fr auto;column-gap:3rem;justify-content:center}
header,main,footer{grid-column:2;margin:0;width:100%}
nav{grid-column:1;grid-row:1/3;margin:0}
nav ul{position:sticky;top:0;max-height:100vh;overflow-y:auto;margin:2.2rem 0 0;padding:.6rem 0;border-block:none}
nav li{padding:.25rem 0;line-height:1.35}
}`;

const PRINT = `@media print{
body{padding:0;font-size:10.5pt}
nav,.skip,.tools,details{display:none}
figure,table,.verdict{break-inside:avoid}
h2,h3{break-after:avoid}
section{border-top:none}
a{color:inherit;text-decoration:none}
}`;
