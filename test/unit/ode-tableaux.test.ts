// The coefficients of the methods against the theory they come from: order conditions by rooted trees, and what the interpolants
// promise at the ends of a step.
import { describe, expect, it } from "vitest";
import { DORMAND_PRINCE, EULER, RUNGE_KUTTA_4, type Tableau, TSITOURAS } from "../../src/ode/tableau.js";
import { elementaryWeight, rootedTrees, type Tree } from "../helpers/ode-trees.js";

const trees = rootedTrees(6);
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const at = (polynomial: readonly number[], theta: number) =>
  polynomial.reduceRight((value, coefficient) => (value + coefficient) * theta, 0);
const slopeAt = (polynomial: readonly number[], theta: number) =>
  polynomial.reduceRight((value, coefficient, power) => value * theta + (power + 1) * coefficient, 0);

/** With the derivative at the end as one stage more. */
const rows = (tableau: Tableau) => [...tableau.stages, tableau.weights];
const weights = (tableau: Tableau) => [...tableau.weights, 0];

/** Violation of a tree's condition in units of its rounding: coefficients to 1/2 eps, up to 6 factors and 7 terms a node. */
function violation(tableau: Tableau, b: readonly number[], tree: Tree, theta = 1) {
  const { value, scale } = elementaryWeight(rows(tableau), b, tree);
  return Math.abs(value - theta ** tree.order / tree.gamma) / (4 * tree.order * Number.EPSILON * scale);
}
const worst = (order: number, of: (tree: Tree) => number) =>
  Math.max(...trees.filter((tree) => tree.order <= order).map(of));
/** A condition that does not hold is missed by far more than rounding. */
const missed = (order: number, of: (tree: Tree) => number) =>
  Math.max(...trees.filter((tree) => tree.order === order).map(of)) > 1e6;

it("there are 1, 1, 2, 4, 9, 20 rooted trees", () => {
  expect([1, 2, 3, 4, 5, 6].map((order) => trees.filter((tree) => tree.order === order).length)).toEqual([
    1, 1, 2, 4, 9, 20,
  ]);
});

describe.each([
  { tableau: EULER, continuous: 1 },
  { tableau: RUNGE_KUTTA_4, continuous: 3 },
  { tableau: DORMAND_PRINCE, continuous: 4 },
  { tableau: TSITOURAS, continuous: 4 },
])("$tableau.name", ({ tableau, continuous }) => {
  const { nodes, stages, order, error, errorOrder, interpolant } = tableau;
  const b = weights(tableau);

  it("the nodes are the sums of the rows, and every row, weight and polynomial has its place", () => {
    const s = nodes.length;
    expect([stages.length, tableau.weights.length, interpolant.length]).toEqual([s, s, s + 1]);
    for (const [i, row] of stages.entries()) {
      expect(row.length).toBe(i);
      expect(Math.abs(sum(row) - nodes[i])).toBeLessThanOrEqual(8 * Number.EPSILON * sum(row.map(Math.abs)));
    }
  });

  it(`the weights meet all conditions up to order ${order} and not those of order ${order + 1}`, () => {
    expect(worst(order, (tree) => violation(tableau, b, tree))).toBeLessThan(1);
    expect(missed(order + 1, (tree) => violation(tableau, b, tree))).toBe(true);
  });

  it(`the interpolant meets all conditions up to order ${continuous} for every theta and not those of the next`, () => {
    const between = (theta: number) => interpolant.map((polynomial) => at(polynomial, theta));
    for (const theta of [0.1, 0.25, 0.5, 0.77, 0.9]) {
      // Polynomials whose coefficients are larger than their values: Tsitouras' by a factor of up to 100.
      expect(worst(continuous, (tree) => violation(tableau, between(theta), tree, theta))).toBeLessThan(100);
      expect(missed(continuous + 1, (tree) => violation(tableau, between(theta), tree, theta))).toBe(true);
    }
  });

  it("the interpolant starts at y with slope k_1 and ends at y1 with the slope there", () => {
    for (const [i, polynomial] of interpolant.entries()) {
      const rounding = 4 * Number.EPSILON * sum(polynomial.map((value, power) => (power + 1) * Math.abs(value)));
      expect(at(polynomial, 0)).toBe(0);
      expect(Math.abs(at(polynomial, 1) - b[i])).toBeLessThanOrEqual(rounding);
      expect(slopeAt(polynomial, 0)).toBe(i === 0 ? 1 : 0);
      expect(Math.abs(slopeAt(polynomial, 1) - (i === nodes.length ? 1 : 0))).toBeLessThanOrEqual(rounding);
    }
  });

  if (error === null) {
    it("has no error estimate", () => expect(errorOrder).toBe(0));
    return;
  }
  it(`the embedded solution is of order ${errorOrder} and no higher: the estimate is O(h^${errorOrder + 1})`, () => {
    const embedded = b.map((weight, i) => weight - error[i]);
    expect(Math.abs(sum(error))).toBeLessThanOrEqual(8 * Number.EPSILON * sum(error.map(Math.abs)));
    expect(worst(errorOrder, (tree) => violation(tableau, embedded, tree))).toBeLessThan(1);
    expect(missed(errorOrder + 1, (tree) => violation(tableau, embedded, tree))).toBe(true);
  });
});
