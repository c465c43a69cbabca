// A misspelt option is an error that names the nearest right one, never a silent default.
import { suggestion } from "../data/suggest.js";
import { argumentError } from "../errors.js";

/**
 * `options` must be a plain object whose keys are among `names`.
 * @throws GAUSSFLOW_ARGUMENT that names the option and, where one is near, the spelling that was meant
 */
export function checkOptionNames(argument: string, options: unknown, names: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options) || ArrayBuffer.isView(options))
    throw argumentError(argument, "must be an object of options", options);
  const foreign = Object.keys(options).find((key) => !names.includes(key));
  if (foreign !== undefined)
    throw argumentError(argument, `has no option of that name; ${suggestion(foreign, names, names.length)}`, foreign);
}
