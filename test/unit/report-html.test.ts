// The report as text: what it promises about foreign text, numbers, the network and its own structure. How it looks and acts in a
// browser is test/browser/report.test.ts.
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { chartData } from "../../src/report/html/chart-data.js";
import { thinned } from "../../src/report/html/data-table.js";
import { escapeHtml, scriptJson, slug } from "../../src/report/html/escape.js";
import { htmlReport } from "../../src/report/html-report.js";
import { HOSTILE, HOSTILE_META, hostileOutcome, oddOutcome } from "../browser/odd-outcomes.js";
import { META, sampleOutcomes } from "../browser/outcomes.js";

const html = htmlReport(sampleOutcomes(), META);

function embedded(text: string): unknown {
  return JSON.parse(/<script type="application\/json" id="report-data">(.*?)<\/script>/s.exec(text)![1]!);
}

describe("foreign text", () => {
  it("cannot leave the place it was put into", () => {
    const hostile = htmlReport([hostileOutcome()], HOSTILE_META);
    expect(hostile).not.toContain("<img");
    expect(hostile).not.toContain("<script>window");
    expect(hostile).not.toContain("<!--");
    expect(hostile).not.toContain("\0");
    expect(/application\/json.*?<\/script>/s.exec(hostile)![0]).not.toContain("\u2028");
    expect(hostile.match(/<script/g)).toHaveLength(2);
    expect(hostile.match(/<\/script/g)).toHaveLength(2);
    // Nothing is lost either: every field is there, as text.
    expect(hostile.split(escapeHtml(HOSTILE)).length - 1).toBeGreaterThan(20);
    expect(embedded(hostile)).toMatchObject([{ x: { label: HOSTILE }, series: [{ label: HOSTILE }] }]);
  });

  it("is escaped for markup, for scripts and for names", () => {
    expect(escapeHtml(`<a href="x">'&\0`)).toBe("&lt;a href=&quot;x&quot;&gt;&#39;&amp;\ufffd");
    expect(scriptJson("</script>\u2028&")).toBe('"\\u003c/script\\u003e\\u2028\\u0026"');
    expect(JSON.parse(scriptJson("</script>\u2028&"))).toBe("</script>\u2028&");
    expect(slug(" ../Näme 1 ")).toBe("N-me-1");
    expect(slug("///")).toBe("unnamed");
  });

  it("does not let two charts share a place", () => {
    const [first] = sampleOutcomes();
    expect(() => htmlReport([first!, first!], META)).toThrow(expect.objectContaining({ code: "GAUSSFLOW_ARGUMENT" }));
    const twice = { ...first!, charts: [first!.charts[0]!, first!.charts[0]!] };
    expect(() => htmlReport([twice], META)).toThrow(/flow-loss/);
  });
});

describe("numbers", () => {
  it("that have no place on an axis become gaps, or go with their point where x is the one", () => {
    const series = [{ label: "a", x: [0, 1, Number.NaN, 3, 4], y: [1, Number.POSITIVE_INFINITY, 5, -3, null] }];
    const axis = (scale: "linear" | "log") => ({ label: "", scale });
    const chart = { id: "c", title: "", alt: "", x: axis("linear"), y: axis("log"), series };
    const data = chartData(chart, "c");
    expect(data.grids).toEqual([[0, 1, 3, 4]]);
    expect(data.series[0]!.y).toEqual([1, null, null, null]);
    expect(chartData({ ...chart, x: axis("log"), y: axis("linear") }, "c").grids).toEqual([[1, 3, 4]]);
  });

  it("of one grid are held once, and hues go round", () => {
    const points = (hue: number) => ({ label: "", x: [1, 2], y: [1 / 3, 2], hue });
    const axis = { label: "", scale: "linear" } as const;
    const series = [points(0), points(9), points(-1), points(Number.NaN), { ...points(1), x: [1, 3] }];
    const data = chartData({ id: "c", title: "", alt: "", x: axis, y: axis, series }, "c");
    expect(data.grids).toEqual([
      [1, 2],
      [1, 3],
    ]);
    expect(data.series.map((one) => one.grid)).toEqual([0, 0, 0, 0, 1]);
    expect(data.series.map((one) => one.hue)).toEqual([0, 1, 7, 0, 1]);
    expect(data.series[0]!.y[0]).toBe(0.3333333333);
  });

  it("are all finite in the page", () => {
    expect(htmlReport([oddOutcome()], META)).not.toMatch(/NaN[,\]]|Infinity[,\]]/);
    expect(htmlReport([oddOutcome()], META)).toContain("There are no finite values to draw.");
  });

  it("are thinned evenly in tables, with both ends, and that is said", () => {
    expect(thinned(5, 60)).toEqual([0, 1, 2, 3, 4]);
    expect(thinned(101, 5)).toEqual([0, 25, 50, 75, 100]);
    expect(new Set(thinned(61, 60)).size).toBe(60);
    expect(html).toContain("60 of 200 rows");
    const rows = [...html.matchAll(/<tbody>(.*?)<\/tbody>/gs)].map(([body]) => body.match(/<tr>/g)?.length ?? 0);
    expect(Math.max(...rows)).toBe(60);
  });
});

describe("the file", () => {
  it("asks for nothing: no address but the names of XML's languages", () => {
    expect(html.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:/);
    expect(html).not.toMatch(/\s(src|srcset|action|data|poster)=/);
    expect([...html.matchAll(/\shref="([^"]*)"/g)].filter(([, to]) => !/^(#|data:image\/svg)/.test(to!))).toEqual([]);
    expect(html).not.toMatch(/@import|url\(/);
  });

  it("admits its own script and style by their hashes and nothing else", () => {
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)![1]!;
    const hash = (text: string) => createHash("sha256").update(text).digest("base64");
    expect(policy).toMatch(/^default-src 'none';/);
    expect(policy).toContain(`script-src 'sha256-${hash(/<script>(.*?)<\/script>/s.exec(html)![1]!)}'`);
    expect(policy).toContain(`style-src 'sha256-${hash(/<style>(.*?)<\/style>/s.exec(html)![1]!)}'`);
    expect(policy).not.toMatch(/unsafe|\*/);
  });

  it("holds uPlot's license", () => {
    expect(html).toContain("Copyright (c) 2022 Leon Sorokin");
    expect(html).toContain("The MIT License (MIT)");
  });

  it("is the same for the same outcomes, and well below a megabyte", () => {
    expect(htmlReport(sampleOutcomes(), META)).toBe(html);
    expect(html.length).toBeLessThan(400_000);
  });
});

describe("what it says", () => {
  it("begins with the command and its surroundings", () => {
    const head = html.slice(html.indexOf("<header>"), html.indexOf("</header>")).replace(/<\/?span>/g, "");
    for (const text of Object.values(META)) expect(head).toContain(text);
  });

  it("counts the claims and names those that do not hold", () => {
    expect(html).toContain("<strong>6 of 7 claims hold.</strong>");
    expect(html).toContain("3 of 4 claims hold");
    const summary = html.slice(html.indexOf('id="summary"'), html.indexOf('id="flow"'));
    expect(summary).toContain("The time of a step does not depend on the conditioning");
    expect(html.match(/>does not hold</g)).toHaveLength(1);
    expect(html.match(/>holds</g)).toHaveLength(6);
  });

  it("bears the title of the experiment when there is one only", () => {
    expect(htmlReport(sampleOutcomes().slice(1), META)).toContain(
      "<title>Teacher and student: gaussflow report</title>",
    );
    expect(htmlReport([], META)).toContain("0 of 0 claims hold");
  });

  it("keeps settings as they were given and sets numbers of tables", () => {
    expect(html).toContain("<dt>relative tolerance</dt> <dd>1e-8</dd>");
    expect(html).toContain('<td class="number">1.012</td>');
    expect(html).toContain('<td class="number">4096</td>');
  });

  it("closes every element it opens", () => {
    const open: string[] = [];
    const body = html.slice(html.indexOf("<body>"), html.indexOf("<script"));
    for (const [, slash, name, rest] of body.matchAll(/<(\/?)([a-z][a-z0-9]*)([^>]*)>/g)) {
      if (slash) expect(open.pop()).toBe(name);
      else if (!rest!.endsWith("/")) open.push(name!);
    }
    expect(open).toEqual(["body"]);
  });

  it("has no id twice and points only to ids that are there", () => {
    const ids = [...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id!);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, id] of html.matchAll(/\s(?:href="#|aria-labelledby=")([^"]*)"/g)) expect(ids).toContain(id);
  });
});
