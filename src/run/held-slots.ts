// Writes and reads the number of slots in the checkpoints of trainings and flows, for train/checkpoint.ts and flow/flow-checkpoint.ts;
// `train` and `flow` take the number of a checkpoint from which they resume. The number is absent where it is 1, as in the files of
// releases without slots.
import { isSlotNumber } from "../backend/slots.js";
import type { Agreement } from "../cluster/agreement.js";
import { describe, fileError, GaussflowError } from "../errors.js";
import { isObject } from "../options.js";
import { unseal } from "../sealed-json.js";
import { sharedText } from "./shared-file.js";

/** The file from which a run resumes. @typeParam Print of the run that it must be of */
export interface ResumedFile<Print> {
  readonly path: string;
  /** The ranks that read it together; null where there is one. */
  readonly agreement: Agreement | null;
  readonly print: Print;
  readonly slots: number;
}

/** The entry of a checkpoint. */
export function writtenSlots(slots: number): { readonly slots?: number } {
  return slots === 1 ? {} : { slots };
}

/** @throws GAUSSFLOW_FILE where a checkpoint has other slots than the run that resumes it */
export function checkHeldSlots(held: unknown, slots: number, path: string): void {
  if (held !== undefined && (!isSlotNumber(held) || held === 1))
    throw fileError(path, `slots must be a power of two from 2 to 1024; received ${describe(held)}`);
  const of = held ?? 1;
  if (of !== slots)
    throw fileError(
      path,
      `was written with slots ${of}, and options.slots is ${slots}: sums have other bits then; leave options.slots out, or make it ${of}`,
    );
}

/** The slots of a checkpoint; 1 for a file that cannot be read, which is an error once the run resumes it. */
export async function slotsIn(
  path: string,
  format: string,
  version: number,
  agreement: Agreement | null,
): Promise<number> {
  try {
    const body = unseal(await sharedText(path, agreement), format, version, path);
    return isObject(body) && isSlotNumber(body.slots) ? body.slots : 1;
  } catch (error) {
    if (error instanceof GaussflowError) return 1;
    throw error;
  }
}

/** A run that resumes a checkpoint keeps its slots where the caller names none. */
export async function withHeldSlots<
  Completed extends {
    readonly slots: number;
    readonly resume: string | null;
    readonly agreement: Agreement | null;
  },
>(
  completed: Completed,
  asked: { readonly slots?: number | undefined },
  held: (path: string, agreement: Agreement | null) => Promise<number>,
): Promise<Completed> {
  const { resume, agreement } = completed;
  if (resume === null || asked.slots !== undefined) return completed;
  return { ...completed, slots: await held(resume, agreement) };
}
