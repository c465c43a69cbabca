// Ten models that curves are fitted with in practice, with parameters, starts and points, for bench/curve-fit.mjs. Each model is given as a function of a
// point, as text for `curveFit`, as a function of parameters for ml-levenberg-marquardt, and as an expression of numpy for SciPy.
import { Random } from "../../dist/index.js";

const { exp, sin, PI } = Math;

/** truth, start: parameters; from, to: range of the points; noise: standard deviation. */
export const models = [
  {
    name: "line",
    f: (x, b) => b[0] + b[1] * x,
    text: "b1 + b2*x",
    numpy: "a + b*x",
    truth: [2, -0.7],
    start: [1, 1],
    range: [0, 10],
    noise: 0.3,
  },
  {
    name: "quadratic",
    f: (x, b) => b[0] + x * (b[1] + x * b[2]),
    text: "b1 + x*(b2 + x*b3)",
    numpy: "a + x*(b + x*c)",
    truth: [1, -2, 0.5],
    start: [1, 1, 1],
    range: [-3, 5],
    noise: 0.5,
  },
  {
    name: "exponential decay",
    f: (x, b) => b[0] * exp(-b[1] * x) + b[2],
    text: "b1*exp(-b2*x) + b3",
    numpy: "a*np.exp(-b*x) + c",
    truth: [5, 0.8, 1],
    start: [3, 0.4, 0.5],
    range: [0, 8],
    noise: 0.1,
  },
  {
    name: "Gaussian peak",
    f: (x, b) => b[0] * exp((-(x - b[1]) * (x - b[1])) / (2 * b[2] * b[2])),
    text: "b1*exp(-(x - b2)^2/(2*b3^2))",
    numpy: "a*np.exp(-(x - b)**2/(2*c**2))",
    truth: [4, 5.2, 0.9],
    start: [3, 4.5, 1.5],
    range: [0, 10],
    noise: 0.1,
  },
  {
    name: "Lorentzian",
    f: (x, b) => b[0] / (1 + ((x - b[1]) / b[2]) ** 2),
    text: "b1/(1 + ((x - b2)/b3)^2)",
    numpy: "a/(1 + ((x - b)/c)**2)",
    truth: [3, 4.1, 0.7],
    start: [2, 4.6, 1.2],
    range: [0, 10],
    noise: 0.1,
  },
  {
    name: "logistic",
    f: (x, b) => b[0] / (1 + exp(-b[1] * (x - b[2]))),
    text: "b1/(1 + exp(-b2*(x - b3)))",
    numpy: "a/(1 + np.exp(-b*(x - c)))",
    truth: [10, 1.1, 4.5],
    start: [8, 0.7, 4],
    range: [0, 10],
    noise: 0.2,
  },
  {
    name: "Michaelis-Menten",
    f: (x, b) => (b[0] * x) / (b[1] + x),
    text: "b1*x/(b2 + x)",
    numpy: "a*x/(b + x)",
    truth: [12, 3.4],
    start: [8, 1.5],
    range: [0.1, 20],
    noise: 0.2,
  },
  {
    name: "power law",
    f: (x, b) => b[0] * x ** b[1],
    text: "b1*x^b2",
    numpy: "a*x**b",
    truth: [2.5, 0.63],
    start: [1.5, 1],
    range: [0.2, 30],
    noise: 0.2,
  },
  {
    name: "damped sine",
    f: (x, b) => b[0] * exp(-b[1] * x) * sin(b[2] * x + b[3]),
    text: "b1*exp(-b2*x)*sin(b3*x + b4)",
    numpy: "a*np.exp(-b*x)*np.sin(c*x + d)",
    truth: [3, 0.25, 2, 0.4],
    start: [2.5, 0.2, 2.1, 0.2],
    range: [0, 4 * PI],
    noise: 0.1,
  },
  {
    name: "two exponentials",
    f: (x, b) => b[0] * exp(-b[1] * x) + b[2] * exp(-b[3] * x),
    text: "b1*exp(-b2*x) + b3*exp(-b4*x)",
    numpy: "a*np.exp(-b*x) + c*np.exp(-d*x)",
    truth: [4, 2.5, 2, 0.3],
    start: [3, 2, 1.5, 0.5],
    range: [0, 8],
    noise: 0.02,
  },
];

/** n points of a model with noise. */
export function curve({ f, truth, range: [from, to], noise }, n, seed) {
  const random = new Random(seed, 1);
  const x = Array.from({ length: n }, (_, i) => from + ((to - from) * i) / (n - 1));
  const b = Float64Array.from(truth);
  return { x, y: x.map((t) => f(t, b) + noise * random.normal()) };
}
