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

/** How a batch method finds its steps: by an exact route on each batch, by sampled rows of curvature, or by gradients alone. */
export type BatchRoute = "primal" | "dual" | "sampled" | "gradient";
/** All names. */
export const BATCH_ROUTES: readonly BatchRoute[] = ["primal", "dual", "sampled", "gradient"];

/** The route of any run, as plans and records name it. */
export type StepRoute = Route | BatchRoute;
