// By which variables a process knows that an MPI launcher has started it.
import { describe, expect, it } from "vitest";
import { launchOf, ranksHere, unrelatedTasks } from "../../src/cluster/launch.js";

describe("a launch", () => {
  it.each([
    [{ OMPI_COMM_WORLD_SIZE: "4", PMIX_RANK: "1" }, 4],
    [{ PMI_SIZE: "3", PMI_RANK: "0" }, 3],
    [{ PMIX_RANK: "0", SLURM_STEP_NUM_TASKS: "8" }, 8],
    [{ PMIX_RANK: "0" }, null],
    [{ SLURM_MPI_TYPE: "pmi2", SLURM_STEP_NUM_TASKS: "2" }, 2],
  ])("is recognized by %j", (variables, size) => {
    expect(launchOf(variables)).toMatchObject({ size });
  });

  it.each([
    {},
    { SLURM_NTASKS: "8" },
    { SLURM_MPI_TYPE: "none", SLURM_STEP_NUM_TASKS: "8" },
    { OMPI_COMM_WORLD_SIZE: "" },
    { PMI_SIZE: "many" },
  ])("is none with %j", (variables) => {
    expect(launchOf(variables)).toBeNull();
  });

  it("is missed where srun starts several processes without one", () => {
    const step = { SLURM_PROCID: "1", SLURM_STEP_NUM_TASKS: "4" };
    expect(unrelatedTasks(step)).toBe(4);
    expect(unrelatedTasks({ ...step, SLURM_MPI_TYPE: "pmix" })).toBeNull();
    expect(unrelatedTasks({ ...step, SLURM_STEP_NUM_TASKS: "1" })).toBeNull();
    expect(unrelatedTasks({ SLURM_NTASKS: "4" })).toBeNull();
  });

  it("says how many ranks share the machine, whose threads they share", () => {
    expect(ranksHere({ OMPI_COMM_WORLD_SIZE: "8", OMPI_COMM_WORLD_LOCAL_SIZE: "4" })).toBe(4);
    expect(ranksHere({ PMI_SIZE: "8", MPI_LOCALNRANKS: "2" })).toBe(2);
    expect(ranksHere({ PMI_SIZE: "8" })).toBe(1);
    expect(ranksHere({ MPI_LOCALNRANKS: "2" })).toBe(1);
  });
});
