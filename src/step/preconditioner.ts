// What the conjugate gradients are preconditioned with, whatever it is made of.

/** Made once a linearization. */
export interface Preconditioner {
  /** r -> P^-1 r for this damping. */
  at(damping: number): Promise<(r: Float64Array) => Float64Array>;
}
