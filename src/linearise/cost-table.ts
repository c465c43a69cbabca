// Written by `npm run bench:costs -- --write`: do not edit by hand.
import type { CostTable } from "./cost-model.js";

// biome-ignore format: as bench/costs.mjs writes it
export const COST_TABLE: CostTable = {
  machine: "AMD EPYC, node v20.20.2",
  threads: 2,
  native: {
    callSeconds: 0.0000128,
    iterationSeconds: 0.0003,
    processBytes: 66100000,
    operations: {
      passes: { rates: [[5.14, 1.45], [8, 1.97], [12.1, 3.41], [20.2, 5.69], [36.2, 9.08], [68.2, 13], [132, 16.9], [260, 21.5]], parallel: 1 },
      forward: { rates: [[5.14, 0.778], [8, 1.13], [12.1, 1.66], [20.2, 2.75], [36.2, 4.43], [68.2, 7.92], [132, 12.7], [260, 18.9]], parallel: 0.96 },
      gram: { rates: [[27, 17.3], [61, 29.2], [153, 29.6], [433, 36.3], [1380, 40.9], [4800, 40]], parallel: 0.96 },
      kernel: { rates: [[5.78, 11], [12.1, 20.7], [36.2, 28.4], [132, 26.7], [516, 14.2]], parallel: 1 },
      cholesky: { rates: [[20, 0.21], [60, 2.29], [200, 15.3], [500, 26.8], [1000, 31.1], [2000, 32.3], [3500, 31.6]], parallel: 0.98 },
      triangle: { rates: [[27, 7.69], [153, 23.6], [433, 31.4], [841, 33], [1380, 30.8]], parallel: 1 },
      fold: { rates: [[27, 0.202], [153, 6.84], [433, 18.5], [841, 24.9], [1380, 28.2]], parallel: 0.95 },
      product: { rates: [[5.14, 1.82], [8, 2.56], [20.2, 5.54], [68.2, 13.2], [260, 21.2]], parallel: 0.88 },
    },
  },
  typescript: {
    callSeconds: 0.00000328,
    iterationSeconds: 0.0001,
    processBytes: 59200000,
    operations: {
      passes: { rates: [[5.14, 0.432], [8, 0.73], [20.2, 1.17], [68.2, 1.52]], parallel: 0 },
      forward: { rates: [[5.14, 0.371], [8, 0.617], [20.2, 1.19], [68.2, 2.58]], parallel: 0 },
      gram: { rates: [[27, 1.58], [153, 3.26], [433, 3.37], [841, 3.2]], parallel: 0 },
      kernel: { rates: [[5.78, 1.52], [12.1, 2.56], [36.2, 3.88]], parallel: 0 },
      cholesky: { rates: [[20, 0.147], [60, 0.781], [200, 1.52], [500, 2.3], [1000, 2.8]], parallel: 0 },
      triangle: { rates: [[27, 0.147], [153, 1.21], [277, 1.29]], parallel: 0 },
      fold: { rates: [[27, 0.00498], [153, 0.0525], [277, 0.0581]], parallel: 0 },
      product: { rates: [[5.14, 0.577], [8, 0.912], [20.2, 1.56], [68.2, 2.17]], parallel: 0 },
    },
  },
};
