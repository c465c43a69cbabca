// Names the routes, that is, the ways in which a step is solved. The options of `train` and `flow`, the planner, the steps and the records
// use these names.

/** How a step is solved (docs/architecture.md). */
export type Route = "primal" | "dual" | "orthogonal" | "matrix-free";

/** How a training solves for its steps: by a p x p matrix, by an (n c) x (n c) matrix, or by products with the curvature. */
export type TrainRoute = "primal" | "dual" | "matrix-free";
/** All names. */
export const TRAIN_ROUTES: readonly TrainRoute[] = ["primal", "dual", "matrix-free"];

/** The routes of flows. */
export const FLOW_ROUTES = ["primal", "dual", "orthogonal"] as const satisfies readonly Route[];
export type FlowRoute = (typeof FLOW_ROUTES)[number];
