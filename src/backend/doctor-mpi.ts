// What `gaussflow doctor --mpi` reports: the MPI addon, the ranks and their machines, how fast they exchange, and remedies for what slows such
// runs down.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import type { Cluster } from "../cluster/cluster.js";
import { BUILD_MPI, mpiFile } from "../cluster/load.js";
import { gatherTexts } from "../cluster/texts.js";
import { chooseThreads } from "./create.js";
import type { DoctorReport } from "./doctor.js";

/** What a rank says of itself. */
interface RankFacts {
  readonly host: string;
  /** Processors of the machine, and those that this process may use. */
  readonly processors: number;
  readonly usable: number;
  readonly threads: number;
}

/** Numbers of a sum that is limited by the transport: 32 MiB. */
const LARGE = 2 ** 22;
const [SMALL_ROUNDS, LARGE_ROUNDS] = [200, 5];

/** Looks at one process, or measures the exchanges of several, all of which call it. */
export async function doctorMpi(cluster: Cluster): Promise<DoctorReport> {
  return cluster.size === 1 ? oneProcess() : several(cluster);
}

/** Nothing is measured and nothing is loaded: MPI would take a process alone for a run of one. */
function oneProcess(): DoctorReport {
  const { stdout, status } = spawnSync("mpirun", ["--version"], { encoding: "utf8" });
  const version = status === 0 ? (stdout.trim().split("\n")[0] ?? "").trim() : null;
  const built = existsSync(mpiFile());
  const facts: [string, string][] = [
    ["mpirun", version ?? "not found"],
    ["MPI addon", built ? "built" : "not built"],
    ["ranks", "1: mpirun has not started this process"],
  ];
  const install = "apt-get install openmpi-bin libopenmpi-dev (Debian, Ubuntu), or the module of your cluster, then ";
  const remedy = built && version !== null ? null : `${version === null ? install : ""}${BUILD_MPI}`;
  if (remedy === null) facts.push(["measure by", `${asRoot()}mpirun --bind-to none -np 2 npx gaussflow doctor --mpi`]);
  return { ok: remedy === null, facts, remedy };
}

function asRoot(): string {
  return process.getuid?.() === 0 ? "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 " : "";
}

async function several(cluster: Cluster): Promise<DoctorReport> {
  const own: RankFacts = {
    host: cluster.host ?? "",
    processors: cpus().length,
    usable: availableParallelism(),
    threads: chooseThreads(),
  };
  const ranks = (await gatherTexts(cluster, JSON.stringify(own))).map((text) => JSON.parse(text) as RankFacts);
  const latency = await cluster.timeSum(1, SMALL_ROUNDS);
  const large = await cluster.timeSum(LARGE, LARGE_ROUNDS);
  const hosts = [...new Set(ranks.map(({ host }) => host))].map((host) => ranks.filter((rank) => rank.host === host));
  const facts: [string, string][] = [
    ["library", cluster.library ?? ""],
    ["ScaLAPACK", cluster.scalapack ? "there, for a Gram matrix that the ranks hold together" : "not there (optional)"],
    ["ranks", `${ranks.length} on ${hosts.length === 1 ? "one machine" : `${hosts.length} machines`}`],
    ["machines", hosts.map(describeHost).join("; ")],
    ["latency", `${(latency * 1e6).toFixed(1)} us for a sum of one number over all ranks`],
    ["bandwidth", `${((8 * LARGE) / large / 1e9).toFixed(2)} GB/s in a sum of 32 MiB (${(large * 1e3).toFixed(1)} ms)`],
    ["sums", "right"],
  ];
  const remedies = hosts.flatMap(remediesOf);
  const remedy = remedies.length === 0 ? null : [...new Set(remedies)].join("; ");
  return { ok: true, facts, remedy };
}

function describeHost(ranks: readonly RankFacts[]): string {
  const list = (values: readonly number[]) => [...new Set(values)].sort((a, b) => a - b).join(" or ");
  const [first] = ranks;
  const each = `${list(ranks.map(({ usable }) => usable))} usable and ${list(ranks.map(({ threads }) => threads))} threads a rank`;
  return `${first?.host ?? ""}: ${ranks.length} ranks, ${first?.processors ?? 0} processors, ${each}`;
}

/** What makes the ranks of one machine slow, as commands or sentences in the imperative. */
function remediesOf(ranks: readonly RankFacts[]): string[] {
  const processors = ranks[0]?.processors ?? 1;
  const remedies: string[] = [];
  const threads = ranks.reduce((sum, rank) => sum + rank.threads, 0);
  const share = Math.floor(processors / ranks.length);
  if (ranks.some(({ usable }) => usable < Math.max(1, share)))
    remedies.push("mpirun --bind-to none: a rank is bound to fewer processors than its share, and its threads with it");
  if (ranks.length > processors)
    remedies.push(
      `start at most ${processors} ranks on a machine of ${processors} processors: more of them wait for each other`,
    );
  else if (threads > processors)
    remedies.push(
      `export GAUSSFLOW_THREADS=${Math.max(1, share)}: the ranks have more threads than there are processors`,
    );
  return remedies;
}
