// fast-check with the seed of the run, for every test of properties. The draws are the same in every run, so that a failure belongs to the
// change that it appears with; GAUSSFLOW_FUZZ_SEED draws others: a number, or "random" for a new one in every file, which a failure prints.
import fc from "fast-check";

const given = process.env.GAUSSFLOW_FUZZ_SEED ?? "15";

/** Seed of the draws. */
export const SEED = given === "random" ? Math.floor(Math.random() * 2 ** 31) : Number(given);
if (!Number.isSafeInteger(SEED))
  throw new Error(`GAUSSFLOW_FUZZ_SEED must be an integer or "random"; received ${given}`);
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: SEED });

export { fc };
