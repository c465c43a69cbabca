// Evaluates a polynomial by Horner's rule, for the rational approximations of erf (network/error-function.ts) and of the normal quantile
// (normal-quantile.ts).

/** sum_i coefficients[i] x^i by Horner's rule. */
export function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) sum = sum * x + coefficients[i];
  return sum;
}
