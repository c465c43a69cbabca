// How the programs of bench start ranks: as root too, with more ranks than cores, and without spinning while they wait.
const ENVIRONMENT = {
  OMPI_ALLOW_RUN_AS_ROOT: "1",
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1",
  OMPI_MCA_rmaps_base_oversubscribe: "1",
  PRTE_MCA_rmaps_base_oversubscribe: "1",
  OMPI_MCA_mpi_yield_when_idle: "1",
  OMPI_MCA_btl_vader_single_copy_mechanism: "none",
};

/** Program, arguments and environment of `node ...args` on so many ranks; without mpirun for `null`. */
export function ranksCommand(ranks, args) {
  if (ranks === null) return { program: process.execPath, args, env: process.env };
  return {
    program: "mpirun",
    args: ["--bind-to", "none", "-np", String(ranks), process.execPath, ...args],
    env: { ...process.env, ...ENVIRONMENT },
  };
}
