// Initial value problems with known solutions. `exact` is a closed form, written without any integrator.
import type { RightHandSide } from "../../src/ode/types.js";

export interface OdeCase {
  readonly rightHandSide: (time: number, state: Float64Array) => Float64Array;
  readonly initial: readonly number[];
  readonly exact: (time: number) => readonly number[];
}

/** sup over components of |a - b|. */
export function gap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let j = 0; j < a.length; j++) largest = Math.max(largest, Math.abs(a[j] - b[j]));
  return largest;
}

/** Slope of the least-squares line through (x, y). */
export function slope(x: readonly number[], y: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  const top = x.reduce((sum, value, i) => sum + (value - mx) * (y[i] - my), 0);
  return top / x.reduce((sum, value) => sum + (value - mx) ** 2, 0);
}

/** A right-hand side that counts its calls. */
export function counted<Answer extends ReturnType<RightHandSide>>(
  rightHandSide: (time: number, state: Float64Array) => Answer,
): ((time: number, state: Float64Array) => Answer) & { calls: number } {
  const counting = Object.assign(
    (time: number, state: Float64Array) => {
      counting.calls++;
      return rightHandSide(time, state);
    },
    { calls: 0 },
  );
  return counting;
}

/** y'' = -y: (cos t, -sin t). */
export const oscillator: OdeCase = {
  rightHandSide: (_, [x, v]) => Float64Array.of(v, -x),
  initial: [1, 0],
  exact: (t) => [Math.cos(t), -Math.sin(t)],
};

/** y' = -y. */
export const decay: OdeCase = {
  rightHandSide: (_, [y]) => Float64Array.of(-y),
  initial: [1],
  exact: (t) => [Math.exp(-t)],
};

/** Two bodies, eccentricity 0.5, period 2 pi, from the pericenter: Kepler's equation by Newton. */
export const kepler: OdeCase = {
  rightHandSide: (_, [x, y, u, v]) => {
    const cube = (x * x + y * y) ** 1.5;
    return Float64Array.of(u, v, -x / cube, -y / cube);
  },
  initial: [0.5, 0, 0, Math.sqrt(3)],
  exact: (t) => {
    const e = 0.5;
    let anomaly = t + e * Math.sin(t);
    for (let k = 0; k < 20; k++) anomaly -= (anomaly - e * Math.sin(anomaly) - t) / (1 - e * Math.cos(anomaly));
    const [cos, sin, minor] = [Math.cos(anomaly), Math.sin(anomaly), Math.sqrt(1 - e * e)];
    const r = 1 - e * cos;
    return [cos - e, minor * sin, -sin / r, (minor * cos) / r];
  },
};

/** sn, cn, dn of parameter m by the arithmetic-geometric mean (descending Landen transformation). */
function jacobi(u: number, m: number): [sn: number, cn: number, dn: number] {
  const a = [1];
  const c = [Math.sqrt(m)];
  let b = Math.sqrt(1 - m);
  while (c[c.length - 1] > Number.EPSILON / 4) {
    const before = a[a.length - 1];
    a.push((before + b) / 2);
    c.push((before - b) / 2);
    b = Math.sqrt(before * b);
  }
  let phase = 2 ** (a.length - 1) * a[a.length - 1] * u;
  for (let k = a.length - 1; k > 0; k--) phase = (phase + Math.asin((c[k] * Math.sin(phase)) / a[k])) / 2;
  const sn = Math.sin(phase);
  return [sn, Math.cos(phase), Math.sqrt(1 - m * sn * sn)];
}

/** Euler's equations of a rigid body without torque: (cn, B sn, 0.9 dn) of omega t. */
export const rigidBody: OdeCase = {
  rightHandSide: (_, [a, b, c]) => Float64Array.of(-2 * b * c, 1.25 * a * c, -0.5 * a * b),
  initial: [1, 0, 0.9],
  exact: (t) => {
    // From the three equations: B^2 = 1.25/2, omega B = 1.25 * 0.9, 0.9 omega m = 0.5 B.
    const amplitude = Math.sqrt(0.625);
    const omega = (1.25 * 0.9) / amplitude;
    const [sn, cn, dn] = jacobi(omega * t, (0.5 * amplitude) / (0.9 * omega));
    return [cn, amplitude * sn, 0.9 * dn];
  },
};

/** The rigid body against an uneven clock: neither linear nor autonomous. */
export const unevenBody: OdeCase = {
  rightHandSide: (t, state) => rigidBody.rightHandSide(t, state).map((value) => (1 + Math.cos(t / 2) / 10) * value),
  initial: rigidBody.initial,
  exact: (t) => rigidBody.exact(t + Math.sin(t / 2) / 5),
};

/** Predator and prey; 3 log x - x + 1.5 log y - y does not change. */
export const lotkaVolterra = {
  rightHandSide: (_: number, [x, y]: Float64Array) => Float64Array.of(1.5 * x - x * y, -3 * y + x * y),
  initial: [10, 5],
  invariant: ([x, y]: ArrayLike<number> & Iterable<number>) => 3 * Math.log(x) - x + 1.5 * Math.log(y) - y,
};

const mu = 0.012277471;
/** Arenstorf's orbit, in the frame that turns with earth and moon: periodic. */
export const arenstorf = {
  rightHandSide: (_: number, [x, y, u, v]: Float64Array) => {
    const earth = ((x + mu) ** 2 + y ** 2) ** 1.5;
    const moon = ((x - (1 - mu)) ** 2 + y ** 2) ** 1.5;
    return Float64Array.of(
      u,
      v,
      x + 2 * v - ((1 - mu) * (x + mu)) / earth - (mu * (x - (1 - mu))) / moon,
      y - 2 * u - ((1 - mu) * y) / earth - (mu * y) / moon,
    );
  },
  initial: [0.994, 0, 0, -2.0015851063790824],
  period: 17.065216560157964,
};

/** Slow and fast phases in turn: steps are rejected often. mu = 20. */
export const vanDerPol = {
  rightHandSide: (_: number, [x, v]: Float64Array) => Float64Array.of(v, 20 * (1 - x * x) * v - x),
  initial: [2, 0],
};
