// A fit as people read it: the table of a statistics package, and the report's text. How the report looks in a browser is
// test/browser/fit-report.test.ts.
import { describe, expect, it } from "vitest";
import { curveFit, fitSummary } from "../../src/index.js";
import { fitReport } from "../../src/report/fit-report.js";
import { summaryText } from "../../src/report/fit-summary.js";
import { formatPercent } from "../../src/report/numbers.js";
import { META } from "../browser/outcomes.js";
import { sampleFit } from "../browser/sample-fit.js";

const fit = await sampleFit();

/** Without the page in the message of a failure. */
function expectText(html: string, text: string): void {
  expect(html.includes(text), text).toBe(true);
}

describe("the table of a fit", () => {
  it("has estimates, standard errors, t and intervals, and the figures of the fit below", () => {
    expect(summaryText(fit)).toBe(
      [
        "  parameter   estimate  std. error      t  lower 95%  upper 95%",
        "  V            212.684      6.9472  30.61    197.205    228.163",
        "  K          0.0641213   0.0082809  7.743  0.0456702  0.0825724",
        "",
        "  residual standard deviation 10.934 on 10 degrees of freedom; 12 observations",
        "  R² 0.961261, adjusted 0.957387; AIC 95.2710, BIC 96.7257",
        "  the step was below the tolerance",
      ].join("\n"),
    );
  });

  it("is there for every result of a fit", async () => {
    const { rows } = fit;
    const x = Array.from(rows.x!.values);
    const result = await curveFit("V*x/(K+x)", x, rows.observed, { start: { V: 200, K: 0.05 } });
    expect(fitSummary(result).split("\n").slice(0, 6)).toEqual(summaryText(fit).split("\n").slice(0, 6));
    expect(() => fitSummary({ ...result })).toThrow(/^fit must be the result of leastSquares or curveFit; received/);
  });

  it("says which parameters were not estimated, and warns", () => {
    const statistics = {
      ...fit.statistics,
      states: ["fixed", "lower bound"] as const,
      standardErrors: new Float64Array(2),
      warnings: ["something is so"],
    };
    const text = summaryText({ ...fit, statistics });
    expect(text).toMatch(/^ {2}V .* 212\.684 +fixed$/m);
    expect(text).toMatch(/^ {2}K .* 0\.0641213 +at lower bound$/m);
    expect(text).toContain("\n  warning: something is so");
  });

  it("shows more digits of an estimate that is known to more", () => {
    const statistics = { ...fit.statistics, standardErrors: Float64Array.of(2e-6, Infinity) };
    const text = summaryText({ ...fit, statistics });
    expect(text).toContain("212.68374309");
    expect(text).toMatch(/K +0\.0641213 +inf +- /);
  });

  it("shows R² near 1 in digits that are not all nines", () => {
    const statistics = { ...fit.statistics, r2: 0.99999987654, adjustedR2: 0.9999998 };
    expect(summaryText({ ...fit, statistics })).toContain("R² 0.999999877, adjusted 0.999999800");
  });

  it("has no deviation without degrees of freedom", () => {
    const statistics = {
      ...fit.statistics,
      residualDeviation: null,
      degreesOfFreedom: 0,
      r2: null,
      aic: null,
      bic: null,
    };
    const lines = summaryText({ ...fit, statistics }).split("\n");
    expect(lines[4]).toBe("  sum of squares 1195.4, no degrees of freedom; 12 observations");
    expect(lines[5]).toBe("  the step was below the tolerance");
  });

  it.each([
    [0.95, "95%"],
    [0.999, "99.9%"],
    [0.6827, "68.27%"],
  ])("writes %f as %s", (level, text) => {
    // biome-ignore format: a table
    expect(formatPercent(level)).toBe(text);
  });
});

describe("the report of a fit", () => {
  it("has all sections, and the numbers of the fit in words", () => {
    const html = fitReport(fit, META);
    for (const name of ["Parameters", "Data and fit", "Residuals", "Correlation", "Profiles"])
      expectText(html, `:title">${name}</h2>`);
    expectText(html, "The 95% interval is from 197.302 to 229.289.");
    expectText(html, "12 observations of rate by conc");
    expectText(html, 'class="verdict good"');
    expect(html.slice(0, html.indexOf("<script>")).match(/NaN|undefined/)).toBeNull();
  });

  it("of a model of several variables shows observed against fitted values, and no profiles that were not made", () => {
    const html = fitReport({ ...fit, curve: null, rows: { ...fit.rows, x: null }, profiles: [] }, META);
    expectText(html, "Observed and fitted values");
    expect(html.includes("Profiles")).toBe(false);
    expectText(html, "rate, fitted");
  });

  it("says that an interval has no end, and that a fit did not converge", () => {
    const [first] = fit.profiles;
    const html = fitReport(
      { ...fit, converged: false, profiles: [{ ...first!, upper: Infinity, upperEnd: "open" }] },
      META,
    );
    expectText(html, "from 197.302 to no upper bound");
    expectText(html, 'class="verdict bad"');
  });

  it("draws a part of very many observations, and says how many there are", () => {
    const many = 100_000;
    const values = Float64Array.from({ length: many }, (_, i) => i / many);
    const rows = { ...fit.rows, observed: values, fitted: values, standardized: values, x: { name: "conc", values } };
    const html = fitReport({ ...fit, rows, profiles: [] }, META);
    expectText(html, "100000 observations of rate by conc");
    expect(html.length).toBeLessThan(2e6);
  });

  it("keeps foreign text in its place, and parameters of any name apart", () => {
    const hostile = '</script><img src=x onerror="x">';
    const names = ["α", hostile];
    const profiles = fit.profiles.map((one, k) => ({ ...one, parameter: names[k]! }));
    const html = fitReport(
      { ...fit, names, profiles, formula: hostile, reason: { message: hostile } },
      { ...META, command: hostile },
    );
    expect(html.includes("<img")).toBe(false);
    expect(html.match(/<\/script/g)).toHaveLength(2);
  });
});
