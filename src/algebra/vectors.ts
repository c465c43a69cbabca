// What is asked of a vector again and again.

/** a . b */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

// Plain loops: the first iterations of a training run before they are compiled, and there an iterator costs six times as much.

/** |vector|_inf; NaN where an entry is. */
export function largest(vector: Float64Array): number {
  let most = 0;
  for (let i = 0; i < vector.length; i++) most = Math.max(most, Math.abs(vector[i]));
  return most;
}

/** Euclidean norm, without over- or underflow of the squares. */
export function norm(vector: Float64Array): number {
  const most = largest(vector);
  if (most === 0 || !Number.isFinite(most)) return most;
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += (vector[i] / most) ** 2;
  return most * Math.sqrt(sum);
}
