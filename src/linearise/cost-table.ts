// Written by `npm run bench:costs -- --write`: do not edit by hand.
import type { CostTable } from "./cost-model.js";

// biome-ignore format: as bench/costs.mjs writes it
export const COST_TABLE: CostTable = {
  machine: "AMD EPYC, node v20.20.2",
  threads: 2,
  native: {
    callSeconds: 0.000002,
    iterationSeconds: 0.000144,
    processBytes: 70000000,
    operations: {
      passes: { rates: [[5.14, 3.8], [8, 8.24], [12.1, 14.1], [20.2, 10.4], [36.2, 26.9], [68.2, 24.8], [132, 32], [260, 33.5]], parallel: 0.86 },
      forward: { rates: [[5.14, 2.73], [8, 5.74], [12.1, 10.9], [20.2, 17.3], [36.2, 25.1], [68.2, 32.5], [132, 35.4], [260, 42.6]], parallel: 1 },
      gram: { rates: [[27, 3.96], [61, 13], [153, 28.6], [433, 41.7], [1380, 46.5], [4800, 44]], parallel: 0.99 },
      kernel: { rates: [[5.78, 11.6], [12.1, 22.3], [36.2, 31], [132, 30.9], [516, 23.9]], parallel: 1 },
      cholesky: { rates: [[20, 0.652], [60, 4.8], [200, 14.2], [500, 28.4], [1000, 32.6], [2000, 35.6], [3500, 36.5]], parallel: 1 },
      triangle: { rates: [[27, 10.6], [153, 25.5], [433, 32.8], [841, 34.6], [1380, 33.9]], parallel: 0.76 },
      fold: { rates: [[27, 0.239], [153, 6.6], [433, 19.1], [841, 23.9], [1380, 31.2]], parallel: 0.93 },
      product: { rates: [[5.14, 16.2], [8, 23.7], [20.2, 30.2], [68.2, 42.4], [260, 40.7]], parallel: 0.97 },
    },
  },
  typescript: {
    callSeconds: 0.00000344,
    iterationSeconds: 0.000182,
    processBytes: 68500000,
    operations: {
      passes: { rates: [[5.14, 0.409], [8, 0.676], [20.2, 0.732], [68.2, 1.46]], parallel: 0 },
      forward: { rates: [[5.14, 0.355], [8, 0.614], [20.2, 0.837], [68.2, 2.52]], parallel: 0 },
      gram: { rates: [[27, 8.16], [153, 6.77], [433, 3.38], [841, 3.24]], parallel: 0 },
      kernel: { rates: [[5.78, 2.17], [12.1, 2.94], [36.2, 17.3]], parallel: 0 },
      cholesky: { rates: [[20, 0.189], [60, 0.847], [200, 1.63], [500, 2.4], [1000, 2.99]], parallel: 0 },
      triangle: { rates: [[27, 0.98], [153, 1.26], [277, 1.3]], parallel: 0 },
      fold: { rates: [[27, 0.00638], [153, 0.0531], [277, 0.057]], parallel: 0 },
      product: { rates: [[5.14, 0.678], [8, 1.09], [20.2, 1.66], [68.2, 2.13]], parallel: 0 },
    },
  },
};
