// Reads the text of a checkpoint for `train` and `flow`: of several ranks rank 0 reads it and sends it to the others, whose machines may not have the
// file.
import type { Agreement } from "../cluster/agreement.js";
import { readText } from "../sealed-json.js";

/** @throws GAUSSFLOW_FILE, on every rank */
export function sharedText(path: string, agreement: Agreement | null): Promise<string> {
  return agreement === null ? readText(path) : agreement.byFirst(() => readText(path));
}
