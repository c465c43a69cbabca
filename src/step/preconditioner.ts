// The interface of a preconditioner, which kronecker.ts, nystrom.ts and make-preconditioner.ts implement for the matrix-free route.

/** Made once a linearization. */
export interface Preconditioner {
  /** r -> P^-1 r for this damping. */
  at(damping: number): Promise<(r: Float64Array) => Float64Array>;
}
