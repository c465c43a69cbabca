// Defines the state of a method, which checkpoints hold: method.ts passes it on, and regularization.ts takes it from here.

/** Named numbers and arrays, nothing else. */
export type MethodState = { readonly [name: string]: number | Float64Array };
