// The option `distributed` of `train`: whether the ranks of an MPI run hold the Gram matrix of the primal route together. train-options.ts
// completes it, and plan.ts checks it once the route is known.
import type { Cluster } from "../cluster/cluster.js";
import { BUILD_MPI, mpiError } from "../cluster/load.js";
import { argumentError } from "../errors.js";
import type { Network } from "../network/network.js";
import { checkBoolean } from "../options.js";
import { leastHolders } from "../plan/distributed.js";
import type { Route } from "../plan/route.js";

const NAME = "options.distributed";

/**
 * The option as it holds: false on one process, which has the matrix to itself.
 * @param cluster undefined in plans for ranks that are not there
 * @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_MPI where it is requested and the addon has no ScaLAPACK
 */
export function completeDistributed(
  given: boolean | undefined,
  {
    ranks,
    condition,
    cluster,
  }: { readonly ranks: number; readonly condition: boolean; readonly cluster?: Cluster | undefined },
): "auto" | boolean {
  if (given !== undefined) checkBoolean(NAME, given);
  if (ranks === 1 || given === false) return false;
  const able = cluster?.scalapack ?? true;
  if (given === undefined) return able && !condition ? "auto" : false;
  if (condition)
    throw argumentError(
      NAME,
      "must be left out with options.condition, which needs the whole factor on one rank",
      given,
    );
  if (!able)
    throw mpiError(
      "options.distributed needs ScaLAPACK, and the addon of MPI was built without it",
      `install ScaLAPACK for this MPI (Debian: libscalapack-openmpi-dev, or libscalapack-mpich-dev), then ${BUILD_MPI}`,
    );
  return true;
}

/** @throws GAUSSFLOW_ARGUMENT where it is requested together with what it does not support */
export function checkDistributed(
  {
    distributed,
    slots,
    ranks,
  }: { readonly distributed: "auto" | boolean; readonly slots: number; readonly ranks: number },
  route: Route,
  { architecture }: Network,
): void {
  if (distributed !== true) return;
  if (route !== "primal")
    throw argumentError(
      NAME,
      `must be left out with the ${route} route: it is about the Gram matrix of the primal route`,
      true,
    );
  if (slots === 1) throw argumentError(NAME, "must be left out with options.slots 1, whose sums no ranks share", true);
  const least = leastHolders(architecture);
  if (ranks < least)
    throw argumentError(
      NAME,
      `must be left out below ${least} ranks, because the part of each would be beyond the range of ScaLAPACK`,
      true,
    );
}
