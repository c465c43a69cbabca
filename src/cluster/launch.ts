// Recognizes the processes that an MPI launcher has started, by the variables that it sets. Nothing of MPI is loaded where there is none:
// the library would take half a second to find that out.

/** Variables of a process. */
type Variables = Readonly<Record<string, string | undefined>>;

/** A run of mpirun, mpiexec or srun. */
export interface Launch {
  /** Number of its processes; null where the launcher does not say it. */
  readonly size: number | null;
  /** This process, from 0; null where the launcher does not say it. */
  readonly rank: number | null;
  /** The variable by which it was recognized. */
  readonly variable: string;
}

/** Open MPI; MPICH, Intel MPI and srun --mpi=pmi2. */
const SIZES = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"];
const RANKS = ["OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID"];

/** How this process was launched, or null where it was started alone. */
export function launchOf(variables: Variables): Launch | null {
  const rank = RANKS.map((name) => numberIn(variables[name])).find((found) => found !== null) ?? null;
  for (const variable of SIZES) {
    const size = numberIn(variables[variable]);
    if (size !== null) return { size, rank, variable };
  }
  // `srun --mpi=...`. A batch script has SLURM_NTASKS too, and is one process.
  const { PMIX_RANK, SLURM_MPI_TYPE = "none", SLURM_STEP_NUM_TASKS } = variables;
  const tasks = numberIn(SLURM_STEP_NUM_TASKS);
  if (PMIX_RANK !== undefined) return { size: tasks, rank, variable: "PMIX_RANK" };
  if (SLURM_MPI_TYPE !== "none" && tasks !== null) return { size: tasks, rank, variable: "SLURM_STEP_NUM_TASKS" };
  return null;
}

/** Number of processes that `srun` without `--mpi` has started, which know nothing of each other; null where there is no such step. */
export function unrelatedTasks(variables: Variables): number | null {
  const tasks = numberIn(variables.SLURM_STEP_NUM_TASKS);
  const started = variables.SLURM_PROCID !== undefined && launchOf(variables) === null;
  return started && tasks !== null && tasks > 1 ? tasks : null;
}

/** Number of ranks on this machine, this one included; 1 where no launcher says it. */
export function ranksHere(variables: Variables): number {
  if (launchOf(variables) === null) return 1;
  // Open MPI; MPICH and Intel MPI.
  const found = [variables.OMPI_COMM_WORLD_LOCAL_SIZE, variables.MPI_LOCALNRANKS].map(numberIn);
  return Math.max(1, ...found.flatMap((count) => count ?? []));
}

function numberIn(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
}
