// Activations and their slopes against literals of 60-digit arithmetic: every interval of the error function, both tails, and
// what no finite or missing number may become.
import { describe, expect, it } from "vitest";
import {
  ACTIVATION_NAMES,
  activate,
  activationCurvature,
  activationSlope,
  activationValue,
} from "../../src/network/activations.js";
import type { ActivationName } from "../../src/network/architecture.js";
import { activationFourth, activationThird } from "../../src/network/higher-derivatives.js";

// [name, z, value, slope], mpmath 1.3 at 60 digits, rounded to double; every z is exact in binary.
const LITERALS: readonly (readonly [ActivationName, number, number, number])[] = [
  ["tanh", -30.5, -1, 1.2885361143970064e-26],
  ["tanh", -6.25, -0.9999925467214317, 1.4906501585384827e-5],
  ["tanh", -1.25, -0.8482836399575129, 0.28041486618043265],
  ["tanh", -0.5, -0.46211715726000974, 0.7864477329659274],
  ["tanh", 0.0078125, 0.007812341058161014, 0.999938967327191],
  ["tanh", 0.875, 0.703905603936621, 0.5045169007466208],
  ["tanh", 1.5, 0.9051482536448664, 0.18070663892364852],
  ["tanh", 3, 0.9950547536867305, 0.00986603716544019],
  ["tanh", 9.5, 0.9999999887944072, 2.241118549901845e-8],
  ["logistic", -30.5, 5.6756852326324e-14, 5.6756852326320784e-14],
  ["logistic", -6.25, 0.0019267346633274755, 0.0019230223568646077],
  ["logistic", -1.25, 0.22270013882530884, 0.173104786992497],
  ["logistic", -0.5, 0.37754066879814546, 0.2350037122015945],
  ["logistic", 0.0078125, 0.5019531150659532, 0.24999618534153914],
  ["logistic", 0.875, 0.7057850278370112, 0.2076525223181205],
  ["logistic", 1.5, 0.8175744761936437, 0.14914645207033286],
  ["logistic", 3, 0.9525741268224333, 0.04517665973091213],
  ["logistic", 9.5, 0.9999251537724894, 7.484062555283866e-5],
  ["softplus", -30.5, 5.675685232632561e-14, 5.6756852326324e-14],
  ["softplus", -6.25, 0.0019285932042193807, 0.0019267346633274755],
  ["softplus", -1.25, 0.2519290813453729, 0.22270013882530884],
  ["softplus", -0.5, 0.4740769841801067, 0.37754066879814546],
  ["softplus", 0.0078125, 0.6970610599350741, 0.5019531150659532],
  ["softplus", 0.875, 1.2234445810050558, 0.7057850278370112],
  ["softplus", 1.5, 1.7014132779827524, 0.8175744761936437],
  ["softplus", 3, 3.048587351573742, 0.9525741268224333],
  ["softplus", 9.5, 9.500074849028628, 0.9999251537724894],
  ["silu", -30.5, -1.7310839959528822e-12, -1.6743271436264599e-12],
  ["silu", -6.25, -0.012042091645796721, -0.010092155067076324],
  ["silu", -1.25, -0.27837517353163604, 0.0063191550846875815],
  ["silu", -0.5, -0.18877033439907273, 0.2600388126973482],
  ["silu", 0.0078125, 0.003921508711452759, 0.5039062102639339],
  ["silu", 0.875, 0.6175618993573848, 0.8874809848653666],
  ["silu", 1.5, 1.2263617142904655, 1.041294154299143],
  ["silu", 3, 2.8577223804672998, 1.0881041060151697],
  ["silu", 9.5, 9.49928896083865, 1.0006361397152415],
  ["gelu", -30.5, -3.973960635193133e-203, -1.2120552074078686e-201],
  ["gelu", -6.25, -1.2826646407618368e-9, -8.00728502095238e-9],
  ["gelu", -1.25, -0.13206221708356908, -0.12266158306942213],
  ["gelu", -0.5, -0.15426876936299344, 0.13250487534383715],
  ["gelu", 0.0078125, 0.003930599256725333, 0.5062333463126785],
  ["gelu", 0.875, 0.7080614162540532, 1.047261170728715],
  ["gelu", 1.5, 1.399789198096713, 1.1274691922299795],
  ["gelu", 3, 2.99595030590511, 1.011945647204184],
  ["gelu", 9.5, 9.5, 1],
  ["erf", -30.5, -1, 0],
  ["erf", -6.25, -1, 1.2241280792599525e-17],
  ["erf", -1.25, -0.9229001282564583, 0.2365211224472908],
  ["erf", -0.5, -0.5204998778130465, 0.8787825789354448],
  ["erf", 0.0078125, 0.008815282895179188, 1.128310298398467],
  ["erf", 0.875, 0.7840750610598597, 0.5247450452901482],
  ["erf", 1.5, 0.9661051464753108, 0.11893028922362937],
  ["erf", 3, 0.9999779095030014, 0.00013925305194674786],
  ["erf", 9.5, 1, 7.2007555455399766e-40],
  ["sin", -30.5, 0.7931272394572851, 0.6090559761063562],
  ["sin", -6.25, 0.03317921654755682, 0.9994494182244994],
  ["sin", -1.25, -0.9489846193555862, 0.3153223623952687],
  ["sin", -0.5, -0.479425538604203, 0.8775825618903728],
  ["sin", 0.0078125, 0.0078124205273828315, 0.9999694825770951],
  ["sin", 0.875, 0.7675435022360271, 0.6409968581633251],
  ["sin", 1.5, 0.9974949866040544, 0.0707372016677029],
  ["sin", 3, 0.1411200080598672, -0.9899924966004454],
  ["sin", 9.5, -0.0751511204618093, -0.9971721561963784],
];

const eps = Number.EPSILON;

describe("activations", () => {
  it.each(LITERALS)("%s(%d)", (name, z, value, slope) => {
    // exp(-z^2 / 2) and erfc magnify the rounding of their argument by up to z^2; otherwise a few units in the last place.
    const units = (8 + 2 * z * z) * eps;
    const h = activationValue(name, z);
    expect(Math.abs(h - value)).toBeLessThanOrEqual(units * Math.abs(value));
    // tanh's slope is (1-h)(1+h): exact to eps absolutely, not relative to its vanishing tail. The slopes of silu and gelu
    // are sums of terms of order 1 near their zero between -1.3 and -0.7.
    const size = name === "tanh" ? 1 : Math.abs(slope) + (Math.abs(z) < 2 ? 0.5 : 0);
    expect(Math.abs(activationSlope(name, z, h) - slope)).toBeLessThanOrEqual(units * size);
  });

  it("relu has its kink at 0, where the slope is 0", () => {
    expect([-2, 0, 3].map((z) => activationValue("relu", z) + 0)).toEqual([0, 0, 3]);
    expect([-2, 0, 3].map((z) => activationSlope("relu", z, 0) + 0)).toEqual([0, 0, 1]);
  });

  it.each(ACTIVATION_NAMES)("%s is finite for every finite number, and NaN for NaN", (name) => {
    for (const z of [0, -0, 5e-324, 1e-300, 1, 27, 40, 800, 1e10, 1e200, Number.MAX_VALUE])
      for (const x of [z, -z]) {
        const h = activationValue(name, x);
        expect(Number.isFinite(h), `${name}(${x}) = ${h}`).toBe(true);
        expect(Number.isFinite(activationSlope(name, x, h)), `slope of ${name} at ${x}`).toBe(true);
      }
    expect(activationValue(name, Number.NaN)).toBeNaN();
  });

  it.each(ACTIVATION_NAMES)("%s: the array form may overwrite its input", (name) => {
    const z = Float64Array.of(-1.5, 0.25, 2);
    const values = z.map((x) => activationValue(name, x));
    const slopes = new Float64Array(3);
    const expected = z.map((x, i) => activationSlope(name, x, values[i]));
    activate(name, z, z, slopes, 3);
    expect(z).toEqual(values);
    expect(slopes).toEqual(expected);
  });
});

describe("the second derivative", () => {
  it.each(ACTIVATION_NAMES.filter((name) => name !== "relu"))("of %s is that of its slope", (name) => {
    for (let z = -12; z <= 12; z += 0.37) {
      const slope = (x: number) => activationSlope(name, x, activationValue(name, x));
      // Fourth-order differences of the slope: eps^(4/5) of truncation and of rounding each.
      const h = Number.EPSILON ** 0.2;
      const differences = (slope(z - 2 * h) - 8 * slope(z - h) + 8 * slope(z + h) - slope(z + 2 * h)) / (12 * h);
      const value = activationValue(name, z);
      expect(Math.abs(activationCurvature(name, z, value, slope(z)) - differences), `at ${z}`).toBeLessThan(1e-10);
    }
  });

  it.each(ACTIVATION_NAMES)("of %s vanishes or stays finite at the ends of the range", (name) => {
    for (const z of [-1e300, -800, 800, 1e300]) {
      const value = activationValue(name, z);
      const bend = activationCurvature(name, z, value, activationSlope(name, z, value));
      expect(Number.isFinite(bend), `${bend} at ${z}`).toBe(true);
    }
  });
});

describe("the third and the fourth derivative", () => {
  type Derivative = (name: ActivationName, z: number) => number;
  const at =
    (derivative: (name: ActivationName, z: number, h: number, slope: number) => number): Derivative =>
    (name, z) => {
      const h = activationValue(name, z);
      return derivative(name, z, h, activationSlope(name, z, h));
    };
  const [second, third, fourth] = [activationCurvature, activationThird, activationFourth].map(at);

  it.each(ACTIVATION_NAMES)("of %s are those of the derivative before them", (name) => {
    for (let z = -12.1; z <= 12; z += 0.37)
      for (const [of, derivative] of [
        [second, third],
        [third, fourth],
      ] as const) {
        // Fourth-order differences, as above.
        const h = Number.EPSILON ** 0.2;
        const f = (x: number) => of(name, x);
        const differences = (f(z - 2 * h) - 8 * f(z - h) + 8 * f(z + h) - f(z + 2 * h)) / (12 * h);
        expect(Math.abs(derivative(name, z) - differences), `at ${z}`).toBeLessThan(1e-10);
      }
  });

  it.each(ACTIVATION_NAMES)("of %s vanish or stay finite at the ends of the range", (name) => {
    for (const z of [-1e300, -800, 800, 1e300])
      for (const derivative of [third, fourth])
        expect(Number.isFinite(derivative(name, z)), `${derivative(name, z)} at ${z}`).toBe(true);
  });
});
