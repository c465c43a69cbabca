// Defines the interface of a preconditioner: kronecker.ts, nystrom.ts and make-preconditioner.ts implement it, and matrix-free.ts applies
// it in every conjugate-gradient step.

/** Made once a linearization. */
export interface Preconditioner {
  /** r -> P^-1 r for this damping. */
  at(damping: number): Promise<(r: Float64Array) => Float64Array>;
}
