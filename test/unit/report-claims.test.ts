// The claims as a text table. Expectations are written out: what people see in a terminal shows here.
import { describe, expect, it } from "vitest";
import type { Claim } from "../../src/document.js";
import { claimsTable } from "../../src/report/claims-table.js";
import { painterFor } from "../../src/report/paint.js";

const SHORT: Claim[] = [
  { claim: "The order is 4.", promised: "4", measured: "3.998", holds: true },
  { claim: "All runs arrive.", promised: "40 of 40", measured: "39 of 40", holds: false },
];
const LONG: Claim = {
  claim: "The residuals decay at the promised rate along the whole flow, whatever the conditioning of the Jacobian is.",
  promised: "slope -2 of the logarithm of the loss",
  measured: "slope -2.0000001 with a largest deviation of 7e-6 over 40 runs",
  holds: true,
};

describe("claimsTable", () => {
  it("sets short claims on a line each", () => {
    expect(claimsTable(SHORT)).toBe(
      [
        "  claim             promised  measured  holds",
        "  The order is 4.   4         3.998     yes",
        "  All runs arrive.  40 of 40  39 of 40  NO",
      ].join("\n"),
    );
  });

  it("wraps long ones inside of their cells, with an empty line between claims", () => {
    expect(claimsTable([LONG, SHORT[1]!])).toBe(
      [
        "  claim                                     promised               measured               holds",
        "  The residuals decay at the promised rate  slope -2 of the        slope -2.0000001 with  yes",
        "  along the whole flow, whatever the        logarithm of the loss  a largest deviation",
        "  conditioning of the Jacobian is.                                 of 7e-6 over 40 runs",
        "",
        "  All runs arrive.                          40 of 40               39 of 40               NO",
      ].join("\n"),
    );
  });

  it.each([60, 80, 100, 140])("fits into %i columns", (width) => {
    const wide = { ...LONG, measured: `${"x".repeat(150)} ${LONG.measured}` };
    for (const line of claimsTable([LONG, wide, ...SHORT], undefined, width).split("\n"))
      expect([...line].length).toBeLessThanOrEqual(width);
  });

  it("loses no word", () => {
    const text = claimsTable([LONG], undefined, 70);
    for (const word of `${LONG.claim} ${LONG.promised} ${LONG.measured}`.split(" ")) expect(text).toContain(word);
  });

  it("paints the verdict, and only that, without moving a column", () => {
    const paint = painterFor({ isTTY: true }, {});
    const painted = claimsTable([...SHORT, { ...SHORT[0]!, measured: "no or yes" }], paint);
    expect(painted).toContain("\x1b[32myes\x1b[39m");
    expect(painted).toContain("\x1b[31mNO\x1b[39m");
    expect(painted.split("\x1b[3")).toHaveLength(1 + 2 * 3);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the codes are what we are after
    expect(painted.replace(/\x1b\[\d+m/g, "")).toBe(claimsTable([...SHORT, { ...SHORT[0]!, measured: "no or yes" }]));
  });

  it("of no claims is its heading; cells may be empty or hold control characters", () => {
    expect(claimsTable([])).toBe("  claim  promised  measured  holds");
    expect(claimsTable([{ claim: "a\x1b[2Jb", promised: "", measured: "\n", holds: true }])).toBe(
      "  claim   promised  measured  holds\n  a·[2Jb                      yes",
    );
  });
});
