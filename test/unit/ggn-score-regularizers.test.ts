// The smoothing functions of ggnScore against their definitions: closed forms in plain arithmetic where those are exact, differences of
// values and gradients, limits far out, the majorizing property, and the constants of self-concordance.
import { describe, expect, it } from "vitest";
import { penaltyOf } from "../../src/method/ggn-score/penalty.js";
import {
  type Bounds,
  type RegularizerName,
  SMOOTH_RULES,
  type SmoothTerms,
  selfConcordance,
} from "../../src/method/ggn-score/smooth-rules.js";
import { sparsityOf } from "../../src/method/ggn-score/sparsity.js";
import { fc } from "../helpers/property.js";

const bounds: Bounds = { lower: -0.5, upper: 0.75 };
const names = Object.keys(SMOOTH_RULES) as RegularizerName[];
const eps = Number.EPSILON;

function terms(name: RegularizerName, x: number, mu: number, of = bounds): SmoothTerms {
  const out: SmoothTerms = { value: Number.NaN, gradient: Number.NaN, second: Number.NaN, majorizer: Number.NaN };
  SMOOTH_RULES[name].terms(x, mu, of, out);
  return out;
}

/** The definitions as the papers write them. Their differences cancel, so that x and mu must be of a size. */
const definitions: Readonly<Record<RegularizerName, (x: number, mu: number) => number>> = {
  "pseudo-huber": (x, mu) => Math.sqrt(mu * mu + x * x) - mu,
  "ostrovskii-bach": (x, mu) => {
    const s = Math.sqrt(mu * mu + 4 * x * x);
    return 0.5 * (s - mu + mu * Math.log((2 * mu) / (s + mu)));
  },
  exponential: (x, mu) => mu * Math.exp((bounds.lower - x) / mu),
  "log-exp-box": (x, mu) =>
    mu * Math.log((1 + Math.exp((bounds.lower - x) / mu)) * (1 + Math.exp((x - bounds.upper) / mu))),
  "pseudo-huber-box": (x, mu) => {
    const distance = Math.max(bounds.lower - x, x - bounds.upper, 0);
    return Math.sqrt(mu * mu + distance * distance) - mu;
  },
};

/** Points around 0 and around the bounds, in units of mu; never on a bound, where the box has a jump in h''. */
const points = (mu: number) =>
  [0, bounds.lower, bounds.upper].flatMap((center) =>
    [-6, -2.3, -1, -0.4, -0.05, 0.05, 0.4, 1, 2.3, 6].map((k) => center + k * mu),
  );

describe.each(names)("%s", (name) => {
  it("is its definition, and its derivatives are those of its value", () => {
    for (const mu of [1, 0.1])
      for (const x of points(mu)) {
        const { value, gradient, second } = terms(name, x, mu);
        const size = Math.max(value, mu);
        // The definition subtracts numbers of the size of mu + |x| with a few roundings each.
        expect(Math.abs(value - definitions[name](x, mu))).toBeLessThan(40 * eps * (size + Math.abs(x)));
        // Central differences of order 4: truncation h^4 h^(5) / 30 about 1e-12 relative to mu^-k, rounding eps / h.
        const h = mu * 2 ** -9;
        const at = (k: number) => terms(name, x + k * h, mu);
        const slope = (of: (one: SmoothTerms) => number) =>
          (of(at(-2)) - 8 * of(at(-1)) + 8 * of(at(1)) - of(at(2))) / (12 * h);
        expect(Math.abs(gradient - slope((one) => one.value))).toBeLessThan(1e-9 * (Math.abs(gradient) + 1));
        expect(Math.abs(second - slope((one) => one.gradient))).toBeLessThan((1e-9 * (second * mu + 1)) / mu);
      }
  });

  it("has no NaN and no wrong sign for |x| up to 1e8 and mu down to 1e-8", () => {
    for (const mu of [1e-8, 1e-5, 1e-3, 1, 1e3])
      for (const size of [0, 5e-324, 1e-160, 1e-8, 1e-3, 1, 1e4, 1e8, 1e160])
        for (const x of [size, -size]) {
          const { value, gradient, second, majorizer } = terms(name, x, mu);
          for (const one of [value, gradient, second, majorizer]) expect(one, `${x} ${mu}`).not.toBeNaN();
          expect(Math.min(value, second, majorizer), `${x} ${mu}`).toBeGreaterThanOrEqual(0);
          if (name !== "exponential") expect(Math.abs(gradient), `${x} ${mu}`).toBeLessThanOrEqual(1);
          if (name !== "exponential") expect(majorizer, `${x} ${mu}`).toBeGreaterThan(0);
        }
  });

  it.runIf(SMOOTH_RULES[name].majorizes)("lies below the quadratic of its majorizing curvature", () => {
    const place = fc.double({ min: -4, max: 4, noNaN: true });
    fc.assert(
      fc.property(place, place, fc.constantFrom(1e-3, 0.1, 1), (x, y, mu) => {
        const { value, gradient, majorizer } = terms(name, x, mu);
        const quadratic = value + gradient * (y - x) + 0.5 * majorizer * (y - x) ** 2;
        // Rounding of the terms of the quadratic, each at most 4 + 8 + 32/mu times eps.
        const rounding = 8 * eps * (value + 8 * Math.abs(gradient) + 32 * majorizer + 8);
        expect(terms(name, y, mu).value).toBeLessThanOrEqual(quadratic + rounding);
        expect(terms(name, x, mu).second).toBeLessThanOrEqual(majorizer * (1 + 8 * eps));
      }),
    );
  });
});

describe("far out", () => {
  it("the smoothed |x| is |x| less a constant, with slope 1", () => {
    for (const mu of [1e-8, 1e-3]) {
      for (const x of [1e8, -1e8]) {
        const huber = terms("pseudo-huber", x, mu);
        expect(Math.abs(huber.value - (1e8 - mu))).toBeLessThanOrEqual(4 * eps * 1e8);
        expect(huber.gradient).toBe(Math.sign(x));
        expect(huber.majorizer).toBeCloseTo(1e-8, 20);
        expect(huber.second / (mu ** 2 / 1e24)).toBeCloseTo(1, 12);
        const bach = terms("ostrovskii-bach", x, mu);
        // q = 2 |x| to rounding.
        expect(Math.abs(bach.value - (1e8 - 0.5 * mu + 0.5 * mu * Math.log(mu / 1e8)))).toBeLessThan(8 * eps * 1e8);
        expect(bach.gradient).toBeCloseTo(Math.sign(x), 9);
        expect(bach.second / (mu / (2 * 1e16))).toBeCloseTo(1, 9);
      }
    }
  });

  it("near 0 they are x^2/(2 mu) without loss of digits, which the published forms cancel to 0", () => {
    const [x, mu] = [1e-9, 1];
    expect(terms("pseudo-huber", x, mu).value / 5e-19).toBeCloseTo(1, 12);
    expect(terms("ostrovskii-bach", x, mu).value / 5e-19).toBeCloseTo(1, 12);
    expect(definitions["ostrovskii-bach"](x, mu)).toBe(0);
  });

  it("the boxes are the distance to the box, and the exponential function overflows to Infinity", () => {
    for (const name of ["log-exp-box", "pseudo-huber-box"] as const) {
      expect(terms(name, 1e8, 1e-8)).toMatchObject({ gradient: 1 });
      expect(terms(name, -1e8, 1e-8)).toMatchObject({ gradient: -1 });
      expect(terms(name, 1e8, 1e-8).value / (1e8 - bounds.upper)).toBeCloseTo(1, 14);
    }
    expect(terms("exponential", -1e8, 1e-8)).toMatchObject({ value: Infinity, gradient: -Infinity });
    expect(terms("exponential", 1e8, 1e-8)).toMatchObject({ value: 0, second: 0 });
  });
});

/** sup of |h'''| / (mu^(nu/2 - 2) h''^(nu/2)) over a fine grid of x / mu, by differences of h''. */
function measuredConstant(name: RegularizerName, mu: number): number {
  const { exponent: nu } = SMOOTH_RULES[name];
  let most = 0;
  for (let k = -4000; k <= 4000; k++) {
    const x = mu * Math.sinh(k / 400);
    const h = 1e-4 * mu;
    const third = (terms(name, x + h, mu).second - terms(name, x - h, mu).second) / (2 * h);
    const { second } = terms(name, x, mu);
    // Beyond lie numbers that leave the range of doubles.
    if (second > 1e-150 && second < 1e150)
      most = Math.max(most, Math.abs(third) / (mu ** (nu / 2 - 2) * second ** (nu / 2)));
  }
  return most;
}

describe("self-concordance", () => {
  it.each<[RegularizerName, number]>([
    ["ostrovskii-bach", 2 * Math.SQRT2],
    ["exponential", 1],
    ["log-exp-box", 1],
  ])("the published constant of %s bounds the third derivative", (name, constant) => {
    expect(SMOOTH_RULES[name].constant).toBe(constant);
    for (const mu of [1, 0.1]) expect(measuredConstant(name, mu)).toBeLessThanOrEqual(constant * (1 + 1e-6));
    expect(measuredConstant("ostrovskii-bach", 1)).toBeGreaterThan(2.8);
  });

  it("that of the pseudo-Huber function does not: its constant is 3 sqrt(10) 11^-0.55", () => {
    const exact = 3 * Math.sqrt(10) * 11 ** -0.55;
    expect(SMOOTH_RULES["pseudo-huber"].constant).toBe(2);
    expect(exact).toBeGreaterThan(2.53);
    for (const mu of [1, 1e-3]) expect(measuredConstant("pseudo-huber", mu)).toBeCloseTo(exact, 4);
  });

  it("M_g is the published function of mu and the number of weights", () => {
    expect(selfConcordance(SMOOTH_RULES["pseudo-huber"], 1e-2, 32)).toBeCloseTo(2 * 32 ** 0.2 * 1e-2 ** -0.7, 10);
    expect(selfConcordance(SMOOTH_RULES["ostrovskii-bach"], 1e-2, 32)).toBeCloseTo(2 * Math.SQRT2 * 10, 10);
    expect(selfConcordance(SMOOTH_RULES.exponential, 0.5, 9)).toBeCloseTo(3 * 2, 10);
    expect(selfConcordance({ ...SMOOTH_RULES.exponential, exponent: 4 }, 0.5, 9)).toBeCloseTo(0.5 ** -2, 10);
  });
});

describe("penalties of a vector", () => {
  const w = Float64Array.of(0.3, -0.4, 0, 1e-3, -2, 0.7);
  const groups = [2, 3, 1];
  const penalty = (name: RegularizerName, of: readonly number[] | null = null) =>
    penaltyOf({ rule: SMOOTH_RULES[name], mu: 0.1, bounds, groups: of }, w.length);
  const filled = (one: ReturnType<typeof penalty>, kind: "second" | "majorizer", at = w) => {
    const [gradient, curvature] = [new Float64Array(w.length), new Float64Array(w.length)];
    return { value: one.fill(at, kind, gradient, curvature), gradient, curvature };
  };

  it.each(names)("%s: the sum over the weights", (name) => {
    const one = penalty(name);
    const { value, gradient, curvature } = filled(one, "second");
    const each = [...w].map((x) => terms(name, x, 0.1));
    expect(value).toBeCloseTo(
      each.reduce((sum, { value: h }) => sum + h, 0),
      12,
    );
    expect(one.value(w)).toBe(value);
    expect([...gradient]).toEqual(each.map((term) => term.gradient));
    expect([...curvature]).toEqual(each.map(({ second }) => second));
    expect([...filled(one, "majorizer").curvature]).toEqual(each.map(({ majorizer }) => majorizer));
  });

  it.each(["pseudo-huber", "ostrovskii-bach"] as const)("%s: groups, by differences and by the norm", (name) => {
    const one = penalty(name, groups);
    const { value, gradient, curvature } = filled(one, "second");
    const length = Math.hypot(0, 1e-3, -2);
    const parts = [Math.SQRT2 * terms(name, 0.5, 0.1).value, Math.sqrt(3) * terms(name, length, 0.1).value];
    expect(value).toBeCloseTo(parts[0]! + parts[1]! + terms(name, 0.7, 0.1).value, 12);
    const h = 1e-4;
    for (let j = 0; j < w.length; j++) {
      const moved = (k: number) => w.map((x, i) => (i === j ? x + k * h : x));
      const [behind, ahead] = [filled(one, "second", moved(-1)), filled(one, "second", moved(1))];
      // Truncation h^2 h''''/6 with h'''' at most 3 / mu^3 = 3000, and 1 / mu times less for the gradient.
      expect(Math.abs(gradient[j]! - (ahead.value - behind.value) / (2 * h))).toBeLessThan(1e-6);
      expect(Math.abs(curvature[j]! - (ahead.gradient[j]! - behind.gradient[j]!) / (2 * h))).toBeLessThan(1e-5 * 3);
    }
  });

  it("groups of one weight are the sum over the weights", () => {
    const one = filled(penalty("pseudo-huber", [1, 1, 1, 1, 1, 1]), "second");
    const sum = filled(penalty("pseudo-huber"), "second");
    expect(one.value).toBeCloseTo(sum.value, 14);
    one.gradient.forEach((value, j) => {
      expect(value).toBeCloseTo(sum.gradient[j]!, 14);
    });
    one.curvature.forEach((value, j) => {
      expect(value).toBeCloseTo(sum.curvature[j]!, 12);
    });
  });

  it("the proximal operators minimize threshold |u| + (u - x)^2 / 2, also of groups, or project on the box", () => {
    const threshold = new Float64Array(w.length).fill(0.5);
    const soft = w.slice();
    penalty("pseudo-huber").proximal(soft, threshold);
    expect([...soft].map((x) => x + 0)).toEqual([0, 0, 0, 0, -1.5, 0.7 - 0.5]);
    const grouped = w.slice();
    penalty("pseudo-huber", groups).proximal(grouped, threshold);
    expect([grouped[0], grouped[1]]).toEqual([0, -0]);
    const length = Math.hypot(0, 1e-3, -2);
    expect(grouped[4]).toBeCloseTo(-2 * (1 - (Math.sqrt(3) * 0.5) / length), 14);
    const boxed = w.slice();
    penalty("log-exp-box").proximal(boxed, threshold);
    expect([...boxed]).toEqual([0.3, -0.4, 0, 1e-3, bounds.lower, 0.7]);
    const above = w.slice();
    penalty("exponential").proximal(above, threshold);
    expect([...above]).toEqual([0.3, -0.4, 0, 1e-3, bounds.lower, 0.7]);
  });

  it("groups that do not cover the parameters are refused with the function that makes them", () => {
    expect(() => penalty("pseudo-huber", [2, 2])).toThrow(
      /options\.groups must be lengths that sum to the 6 parameters .*unitGroups\(network\).*; received 4/,
    );
  });
});

describe("sparsity", () => {
  it("counts small weights, and those that hold 99.9% of the sum", () => {
    const w = Float64Array.of(1, -2, 1e-4, 0, -5e-4, 3e-3);
    // Of the sum 3.0036 the largest two hold 99.88%, with 3e-3 99.98%.
    expect(sparsityOf(w, 1e-3)).toEqual({ parameters: 6, small: 3, threshold: 1e-3, zero: 1, holding: 3 });
    expect(sparsityOf(new Float64Array(4), 1e-3)).toEqual({
      parameters: 4,
      small: 4,
      threshold: 1e-3,
      zero: 4,
      holding: 0,
    });
  });
});
