// Checks the relations between the samples of a data set, groups or an order, that splits and folds respect (split.ts, folds.ts).
// dataset.ts calls it for the arrays and relations that a user passes.
import { argumentError } from "../errors.js";
import { isTypedNumbers, type NumberArray, numbersOf } from "../options.js";
import type { RowRelations } from "./split.js";

/** Group of each sample: equal numbers or texts belong together. */
export type GroupList = ArrayLike<number | string>;

/**
 * Checked copies of what a caller gives; groups are numbered in order of appearance.
 * @param name how errors call the data set
 */
export function checkRelations(
  given: { readonly groups?: GroupList | null | undefined; readonly order?: NumberArray | true | null | undefined },
  n: number,
  name: string,
): RowRelations {
  const { groups = null, order = null } = given;
  if (groups !== null && order !== null)
    throw argumentError(
      `${name}.order`,
      "must not be given together with groups: they may contradict each other",
      order,
    );
  if (groups !== null) return { groups: numbered(groups, n, `${name}.groups`), order: null };
  if (order === null) return { groups: null, order: null };
  if (order === true) return { groups: null, order: Float64Array.from({ length: n }, (_, i) => i) };
  const values = numbersOf(`${name}.order`, order);
  if (values.length !== n) throw argumentError(`${name}.order`, `must be ${n} numbers, one a sample, or true`, order);
  return { groups: null, order: values };
}

function numbered(groups: GroupList, n: number, name: string): Uint32Array {
  if (!(Array.isArray(groups) || isTypedNumbers(groups)) || groups.length !== n)
    throw argumentError(name, `must be ${n} numbers or texts, one a sample`, groups);
  const codes = new Map<number | string, number>();
  return Uint32Array.from(Array.from(groups as ArrayLike<number | string>), (group, i) => {
    if (typeof group !== "string" && !Number.isFinite(group))
      throw argumentError(`${name}[${i}]`, "must be a finite number or a text", group);
    const code = codes.get(group) ?? codes.size;
    codes.set(group, code);
    return code;
  });
}
