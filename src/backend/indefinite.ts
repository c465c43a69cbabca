// Words the failure `indefinite` of a damped system: what was not positive definite depends on the factorization. Both engines call it where a
// factorization stops at a pivot: native/engine.ts, and the files of reference/ that factorize.
import type { Failure } from "./engine.js";

/** @param pivot of the Cholesky factorization, from 0, that is not positive */
export function indefinite(pivot: number): Failure {
  return {
    code: "indefinite",
    pivot,
    message: `the damped matrix is not positive definite: pivot ${pivot} of its Cholesky factorization is not positive`,
  };
}

/** @param pivot a column of the triangle, from 0, that depends on those before it */
export function singularTriangle(pivot: number): Failure {
  return {
    code: "indefinite",
    pivot,
    message:
      "the triangle of the damped Jacobian is singular in double precision, and a prediction is so sure and so wrong that the step has to be solved for from the gradient: that needs more damping",
  };
}
