// Defines explicit Runge-Kutta methods as tables of coefficients, which `integrator.ts` offers and `runge-kutta.ts` evaluates:
//   k_i = f(t + c_i h, y + h sum_j a_ij k_j),   y1 = y + h sum b_i k_i,   error = h sum e_i k_i
// Interpolant: y(t + theta h) = y + h sum_i b_i(theta) k_i, b_i a polynomial without constant term (coefficients of theta, theta^2, ...).
// k_(s+1) = f at the end of the step counts as a stage of error and interpolant; it is the first stage of the next step.
//
// Sources: Dormand and Prince 1980 (dense output: Hairer, Norsett, Wanner, Solving ODEs I, II.6); Tsitouras 2011.

/** Coefficients of a Runge-Kutta method (Butcher tableau). */
export interface Tableau {
  /** Name of the method. */
  readonly name: string;
  /** Order of the solution that is carried on. */
  readonly order: number;
  /** c_i, one a stage. */
  readonly nodes: readonly number[];
  /** Row i: a_ij for j < i. */
  readonly stages: readonly (readonly number[])[];
  /** b_i; where the last row of `stages` equals b the method has the first-same-as-last property. */
  readonly weights: readonly number[];
  /** b - b^ over the stages and the derivative at the end; null = no error estimate, fixed steps only. */
  readonly error: readonly number[] | null;
  /** Order of the embedded solution: the error estimate is O(h^(errorOrder+1)). */
  readonly errorOrder: number;
  /** b_i(theta) over stages and the derivative at the end. */
  readonly interpolant: readonly (readonly number[])[];
}

/** Cubic Hermite from both ends: h00 .. h11 with y1 - y0 = h sum b_i k_i. */
function hermite(weights: readonly number[]): readonly (readonly number[])[] {
  return [...weights.map((b, i) => (i === 0 ? [1, -2 + 3 * b, 1 - 2 * b] : [0, 3 * b, -2 * b])), [0, -1, 1]];
}

const eulerWeights = [1];
export const EULER: Tableau = Object.freeze({
  name: "euler",
  order: 1,
  nodes: [0],
  stages: [[]],
  weights: eulerWeights,
  error: null,
  errorOrder: 0,
  interpolant: hermite(eulerWeights),
});

const classicalWeights = [1 / 6, 1 / 3, 1 / 3, 1 / 6];
export const RUNGE_KUTTA_4: Tableau = Object.freeze({
  name: "runge-kutta-4",
  order: 4,
  nodes: [0, 1 / 2, 1 / 2, 1],
  stages: [[], [1 / 2], [0, 1 / 2], [0, 0, 1]],
  weights: classicalWeights,
  error: null,
  errorOrder: 0,
  interpolant: hermite(classicalWeights),
});

// Dormand-Prince: b, and the d_i of the free interpolant: y(theta) = hermite cubic + theta^2 (1-theta)^2 h sum d_i k_i.
const dp = [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84];
const dpDense = [
  -12715105075 / 11282082432,
  0,
  87487479700 / 32700410799,
  -10690763975 / 1880347072,
  701980252875 / 199316789632,
  -1453857185 / 822651844,
  69997945 / 29380423,
];
export const DORMAND_PRINCE: Tableau = Object.freeze({
  name: "dormand-prince",
  order: 5,
  nodes: [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1],
  stages: [
    [],
    [1 / 5],
    [3 / 40, 9 / 40],
    [44 / 45, -56 / 15, 32 / 9],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  ],
  weights: dp,
  error: [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40],
  errorOrder: 4,
  interpolant: hermite(dp).map(([one, two, three], i) => [one, two + dpDense[i], three - 2 * dpDense[i], dpDense[i]]),
});

const ts = [0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774];
export const TSITOURAS: Tableau = Object.freeze({
  name: "tsitouras",
  order: 5,
  nodes: [0, 0.161, 0.327, 0.9, 0.9800255409045097, 1],
  stages: [
    [],
    [0.161],
    [-0.008480655492356989, 0.335480655492357],
    [2.8971530571054935, -6.359448489975075, 4.3622954328695815],
    [5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525],
    [5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383],
  ],
  weights: ts,
  error: [
    -0.001780011052225777, -0.0008164344596567469, 0.007880878010261995, -0.1447110071732629, 0.5823571654525552,
    -0.45808210592918697, 0.015151515151515152,
  ],
  errorOrder: 4,
  interpolant: [
    [1, -2.763706197274826, 2.9132554618219126, -1.0530884977290216],
    [0, 0.13169999999999998, -0.2234, 0.1017],
    [0, 3.9302962368947516, -5.941033872131505, 2.490627285651253],
    [0, -12.411077166933676, 30.33818863028232, -16.548102889244902],
    [0, 37.50931341651104, -88.1789048947664, 47.37952196281928],
    [0, -27.896526289197286, 65.09189467479366, -34.87065786149661],
    [0, 1.5, -4, 2.5],
  ],
});
