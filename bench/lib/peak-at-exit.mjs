// Preloaded (`node --import`) into a command whose peak memory is wanted: appends "RANK MEGABYTES" to the file that GAUSSFLOW_PEAKS names when
// the process ends. bench/cluster-table.mjs reads it.
import { appendFileSync } from "node:fs";
import { peakMegabytes } from "./memory.mjs";

const path = process.env.GAUSSFLOW_PEAKS;
if (path !== undefined)
  process.on("exit", () => appendFileSync(path, `${process.env.OMPI_COMM_WORLD_RANK ?? 0} ${peakMegabytes()}\n`));
