// Writes a share as a percentage with two digits, for the sentences of the verdict, the assumptions and the recommended output scale.

/** A share in percent, two digits, without an exponent below a million. */
export function percent(share: number): string {
  return `${Number((100 * share).toPrecision(2))}%`;
}
