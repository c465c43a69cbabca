// The MPI addon where it is missing, damaged or of another version: each error has the remedy.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadMpi } from "../../src/cluster/load.js";

describe("the MPI addon", () => {
  it("that is not there is an error with the remedy, because every process would compute the same thing", () => {
    expect(() => loadMpi("mpirun has started 4 processes", join(tmpdir(), "none.node"))).toThrow(
      /^mpirun has started 4 processes, and the addon by which they work together is not built: each would compute the same thing alone\. Remedy: npx gaussflow build --mpi /,
    );
  });

  it("that does not load says what the loader said", () => {
    const file = join(mkdtempSync(join(tmpdir(), "gaussflow-")), "odd.node");
    writeFileSync(file, "no addon");
    expect(() => loadMpi("a run", file)).toThrow(
      /^the addon of MPI does not load: .+\. Remedy: npx gaussflow build --mpi$/,
    );
  });
});
