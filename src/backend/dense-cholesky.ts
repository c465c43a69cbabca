// Factors dense symmetric positive definite matrices and solves with the factor, in plain TypeScript: for methods with systems that no engine
// forms (ggn-score/row-form.ts) and for the oracles of experiments. The arithmetic is that of the TypeScript engine.
export { cholesky, solveFactored } from "./reference/cholesky.js";
