// The public API of gaussflow: every export that users import, and nothing else. package.json names it as the entry, and the programs in
// bench and examples import it from dist.
export type { VectorOperations } from "./algebra/vectors.js";
export { type Backend, type BackendOptions, createEngine } from "./backend/create.js";
export type { Accumulation, Curvature, Eigen, LowRank, Precision, SampledRows } from "./backend/curvature.js";
export { type DoctorReport, doctor } from "./backend/doctor.js";
export type {
  Accelerated,
  Engine,
  EngineData,
  Evaluation,
  Failure,
  FileSamples,
  LayerFactors,
  Linearized,
  LinearizeRequest,
  NonFinite,
  RankReport,
  Solved,
  SolveRequest,
} from "./backend/engine.js";
export type { NetworkEngine } from "./backend/network-engine.js";
export { type PredictOptions, predictAsync, predictDistributionAsync } from "./backend/predict.js";
export type { EngineRows } from "./backend/rows.js";
export type { Letter } from "./cluster/binding.js";
export type { Cluster, RankSlots, RankWaits } from "./cluster/cluster.js";
export { mpi } from "./cluster/mpi.js";
export type { ClassWeights } from "./data/class-weights.js";
export type { Task } from "./data/classes.js";
export { type Converted, type ConvertOptions, convertCsv } from "./data/convert-csv.js";
export type { Charset, ColumnReference } from "./data/csv-options.js";
export { FileDataset, type OpenDataFileOptions, openDataFile, openDataFileAsync } from "./data/data-file.js";
export { Dataset, type DatasetParts, type SplitOptions } from "./data/dataset.js";
export type { DatasetFields } from "./data/dataset-fields.js";
export { type DatasetInput, dataset } from "./data/dataset-input.js";
export type { CategoricalColumn, InputColumn, MissingRule, NumericColumn, TableEncoding } from "./data/encoding.js";
export { withExposure } from "./data/exposure.js";
export { type Fold, type FoldOptions, foldsOf } from "./data/folds.js";
export type { MatrixLike } from "./data/matrix.js";
export { outOfRange, type RangeReport } from "./data/range.js";
export { type CsvOptions, readCsv } from "./data/read-csv.js";
export type { GroupList } from "./data/relations.js";
export type { RowLayout } from "./data/row-reader.js";
export { type ColumnScaling, type Scaling, standardize } from "./data/scaling.js";
export { type DataFileColumns, writeDataFile } from "./data/write-data-file.js";
export type { FieldDefinition } from "./equations/definition.js";
export { type DerivativeDataOptions, derivativeData } from "./equations/derivative-data.js";
export type { EquationProblem, Renewal, ResidualsOf, TermPoints, Unknown } from "./equations/equation-problem.js";
export { type Equations, type EquationsOptions, type EquationTerm, equations } from "./equations/equations.js";
export type { Field } from "./equations/field.js";
export type { JetChannels, JetProblem, JetTerm, SecondDerivative } from "./equations/jet-problem.js";
export {
  type Box,
  type DrawnPoints,
  type FaceOptions,
  faces,
  type PointOptions,
  type Points,
  type PointTable,
  type SampleOptions,
  sample,
} from "./equations/points.js";
export { type ErrorCode, GaussflowError } from "./errors.js";
export type { Tape } from "./expression/tape.js";
export {
  type CheckDerivativesOptions,
  checkDerivatives,
  type DerivativeCheck,
  type DerivativeProblem,
  type FillArray,
  type WrongDerivative,
} from "./fit/check-derivatives.js";
export { type CurveFitOptions, type CurveModel, curveFit } from "./fit/curve-fit.js";
export type { CurvePoints } from "./fit/curve-model.js";
export type { FitAttempt } from "./fit/fit.js";
export type { Bound, FitOptions, FitParameters, LeastSquaresProblem, ParameterValues } from "./fit/fit-options.js";
export type { FitResult, ProfileOptions } from "./fit/fit-result.js";
export { leastSquares } from "./fit/least-squares.js";
export type { ParameterProfile, ProfileRefit } from "./fit/profile.js";
export type { ProfileEnd } from "./fit/profile-side.js";
export type { Evaluations } from "./fit/residual-engine.js";
export type { FitPoint, FitStatistics, ParameterState } from "./fit/statistics.js";
export {
  constantDamping,
  type DampingSchedule,
  dampingFunction,
  lossProportionalDamping,
  type ScheduleSpectrum,
  type ScheduleView,
  spectralDamping,
} from "./flow/damping-schedule.js";
export { type FlowResult, type FlowSample, flow, flowSteps } from "./flow/flow.js";
export {
  distanceAbove,
  driftAbove,
  type FlowEvent,
  type FlowEventView,
  gradientBelow,
  lossBelow,
} from "./flow/flow-events.js";
export type { FlowOptions } from "./flow/flow-options.js";
export type { GamePlan } from "./game/game-plan.js";
export { planMinmax } from "./game/game-plan.js";
export { minmax } from "./game/minmax.js";
export type { MinmaxOptions, MinmaxRecord, PlayerMethods } from "./game/minmax-options.js";
export type { MinmaxResult } from "./game/minmax-result.js";
export type { GameLoss, PenaltyName } from "./game/objective.js";
export { crossConformal } from "./jobs/cross-conformal.js";
export {
  type CrossValidateOptions,
  type CrossValidationResult,
  crossValidate,
  type FoldResult,
} from "./jobs/cross-validate.js";
export { crossValidation, type JobResult, restarts, sweep, type TrainJob, type Variant } from "./jobs/job.js";
export {
  type LearningCurve,
  type LearningCurveOptions,
  type LearningPoint,
  type LearningTarget,
  learningCurve,
} from "./jobs/learning-curve.js";
export type { LearningLaw } from "./jobs/learning-law.js";
export type { ScoreKind } from "./jobs/rank.js";
export { trainMany, trainManySteps } from "./jobs/train-many.js";
export type { JobProgress, TrainManyOptions, TrainManyResult } from "./jobs/train-many-options.js";
export type { MatrixFreeSettings, Point, PreconditionerName, Problem, ScalingKind } from "./linearize/problem.js";
export { type ClassCosts, classDecisions } from "./loss/class-decision.js";
export { binaryMetrics, type ClassMetricsOptions, classMetrics } from "./loss/class-metrics.js";
export type { ClassFigures, ClassMetrics, TargetClassMetrics } from "./loss/class-sums.js";
export { type CountMetrics, countMetrics } from "./loss/count-metrics.js";
export { type DistributionMetrics, distributionMetrics } from "./loss/distribution-metrics.js";
export { type GaussianNll, type GaussianNllOptions, gaussianNll } from "./loss/gaussian-nll.js";
export { type Huber, type HuberOptions, huber } from "./loss/huber.js";
export { type LogCosh, type LogCoshOptions, logCosh } from "./loss/log-cosh.js";
export { type Logistic, type LogisticOptions, logistic } from "./loss/logistic.js";
export { metrics, type TargetMetrics } from "./loss/metrics.js";
export { type Poisson, type PoissonOptions, poisson } from "./loss/poisson.js";
export { type PseudoHuber, type PseudoHuberOptions, pseudoHuber } from "./loss/pseudo-huber.js";
export { type Quantile, type QuantileOptions, quantile } from "./loss/quantile.js";
export { type QuantileMetrics, quantileMetrics } from "./loss/quantile-metrics.js";
export type { Loss } from "./loss/rules.js";
export type { LossFigures } from "./loss/set-metrics.js";
export {
  type SoftmaxCrossEntropy,
  type SoftmaxCrossEntropyOptions,
  softmaxCrossEntropy,
} from "./loss/softmax-cross-entropy.js";
export { type SquaredError, type SquaredErrorOptions, squaredError } from "./loss/squared-error.js";
export { type AdamOptions, adam } from "./method/adam.js";
export type {
  BatchContext,
  BatchEnd,
  BatchEngine,
  BatchMethod,
  BatchNeeds,
  BatchSeconds,
  BatchSizes,
  BatchStep,
  MethodReport,
} from "./method/batch-method.js";
export type { BatchSize } from "./method/batch-size.js";
export { bayesianRegularization } from "./method/bayesian/bayesian-regularization.js";
export type { BayesianRegularizationOptions } from "./method/bayesian/options.js";
export { cumulativeGaussNewton } from "./method/cumulative/cumulative.js";
export type { CumulativeForm, CumulativeGaussNewtonOptions } from "./method/cumulative/options.js";
export type { Adaptation } from "./method/egn-search.js";
export { type CurvatureChoice, type ExactGaussNewtonOptions, exactGaussNewton } from "./method/exact-gauss-newton.js";
export { type GaussNewtonOptions, gaussNewton } from "./method/gauss-newton.js";
export { ggnScore } from "./method/ggn-score/ggn-score.js";
export type { GgnScoreOptions, StepLength } from "./method/ggn-score/options.js";
export type { RegularizerName } from "./method/ggn-score/smooth-rules.js";
export { type Sparsity, sparsity } from "./method/ggn-score/sparsity.js";
export { unitGroups } from "./method/ggn-score/unit-groups.js";
export { type GradientDescentOptions, gradientDescent } from "./method/gradient-descent.js";
export { type LbfgsOptions, lbfgs } from "./method/lbfgs.js";
export type { DampingRuleName } from "./method/levenberg-marquardt/damping.js";
export type { HessianChoice } from "./method/levenberg-marquardt/exact-hessian.js";
export { levenbergMarquardt } from "./method/levenberg-marquardt/levenberg-marquardt.js";
export type { LevenbergMarquardtOptions } from "./method/levenberg-marquardt/options.js";
export type {
  FidelityPolicy,
  Judgment,
  Method,
  MethodState,
  PlannedFidelity,
  Proposal,
  RunPosition,
  Trial,
} from "./method/method.js";
export {
  type JointContext,
  type JointMethod,
  type JointStep,
  type MinmaxGaussNewtonOptions,
  minmaxGaussNewton,
} from "./method/minmax/minmax-gauss-newton.js";
export type { RateOptions, RateSchedule, RateScheduleName } from "./method/rate-schedule.js";
export type { Reason, ReasonCode } from "./method/reason.js";
export type { Evidence, KeptFit, RegularizationPolicy, Renewed } from "./method/regularization.js";
export { type Assumptions, checkAssumptions, type Finding } from "./monitor/assumptions.js";
export { type DiscretizationGap, discretizationGap, type GapOptions } from "./monitor/discretization-gap.js";
export { type Monitor, type MonitorOptions, monitor } from "./monitor/monitor.js";
export type {
  MonitorRecord,
  MonitorReport,
  MonitorSpectrum,
  RateFit,
  Verdict,
  VerdictCode,
} from "./monitor/monitor-report.js";
export { type OutputScaleAdvice, recommendOutputScale } from "./monitor/output-scale.js";
export type { AdviceOptions } from "./monitor/prepared.js";
export { fitRate, type RatePoint } from "./monitor/rate-fit.js";
export { VERDICT_THRESHOLDS } from "./monitor/verdict.js";
export { ACTIVATION_NAMES, isSmooth } from "./network/activations.js";
export type { ActivationName, Architecture, Layer } from "./network/architecture.js";
export { mostProbableClasses } from "./network/class-prediction.js";
export type { DistributionPrediction } from "./network/distribution.js";
export { Ensemble, type EnsemblePrediction, ensemble } from "./network/ensemble.js";
export type { InitializationName } from "./network/initialize.js";
export type { Link } from "./network/link.js";
export {
  ensembleFromJson,
  loadEnsemble,
  loadModel,
  modelFromJson,
  modelToJson,
  saveModel,
} from "./network/model-file.js";
export { Network, network, networkOf } from "./network/network.js";
export type {
  CompletedNetworkOptions,
  Draw,
  GivenNetworkOptions,
  NetworkOptions,
  NetworkShape,
  Parametrization,
} from "./network/network-options.js";
export type { Json, NetworkState, TrainingSummary } from "./network/network-state.js";
export type { ParameterBlock } from "./network/parameters.js";
export type { Posterior } from "./network/posterior.js";
export { type IntegrateOdeOptions, type IntegrateResult, integrate, type OdeFunction } from "./ode/integrate.js";
export {
  type AdaptiveOptions,
  dormandPrince,
  euler,
  type FixedStepOptions,
  type Integrator,
  type IntegratorSettings,
  rungeKutta4,
  tsitouras,
} from "./ode/integrator.js";
export type { Tableau } from "./ode/tableau.js";
export type { EventSample, OdeEnd, OdeEndCode, OdeEvent, Sample, Stage, StageFailure } from "./ode/types.js";
export type { NumberArray } from "./options.js";
export type { EquationPlan } from "./plan/equations-plan.js";
export type { MemoryEstimate } from "./plan/memory-model.js";
export type { ObserverNeeds } from "./plan/observation.js";
export type { BatchUse, Plan, RouteEstimate } from "./plan/plan.js";
export type { BatchRoute, Route, StepRoute, TrainRoute } from "./plan/route.js";
export { Random, type RandomState } from "./random.js";
export { fitSummary } from "./report/fit-summary.js";
export type { ObservedPoint, ObservedRun, Observer, ResidualTerms } from "./run/observer.js";
export type { FlowRecord, TrainRecord } from "./run/record.js";
export type { CheckpointFile } from "./run/run-options.js";
export type { Candidate } from "./search/candidates.js";
export type { FitTableOptions, FitTrainOptions } from "./search/fit-options.js";
export { type FitTableResult, fitTable } from "./search/fit-table.js";
export type { FitCriterion } from "./search/held-out-loss.js";
export type { TableSearch, TriedNetwork } from "./search/search.js";
export type { Fidelity, RunSizes } from "./step/fidelity.js";
export type { ForcingTerm, Tolerance } from "./step/forcing.js";
export type { HessianSolve, InnerEnd, InnerSolve } from "./step/inner-solve.js";
export type { PrecisionChoice } from "./step/precision.js";
export type { ResidualCurvature } from "./step/secant.js";
export type { DampedStep } from "./step/step-model.js";
export type { CurvatureSamples } from "./step/subset.js";
export type { PrecisionUse, TrialHistory } from "./step/trial-history.js";
export { ADVICE_THRESHOLDS, type Advice, type AdviceCode } from "./train/advice.js";
export type { BatchStart } from "./train/batch-start-options.js";
export type { EquationTrainOptions } from "./train/equations-options.js";
export type { EquationsResult, TermResiduals } from "./train/equations-result.js";
export type { UnknownEstimate } from "./train/equations-unknowns.js";
export { fieldFromJson, loadField, saveField } from "./train/field-file.js";
export { type PlanOptions, plan } from "./train/plan.js";
export type { StopOptions } from "./train/stop.js";
export { train, trainSteps } from "./train/train.js";
export type { TrainOptions } from "./train/train-options.js";
export type { TrainResult } from "./train/train-result.js";
export { type EstimateUncertaintyOptions, estimateUncertainty } from "./train/uncertainty.js";
export type { AveragedProbabilities } from "./uncertainty/class-probabilities.js";
export { type Conformal, type ConformalOptions, type ConformalPrediction, conformal } from "./uncertainty/conformal.js";
export type { RowDiagnostics } from "./uncertainty/measure.js";
export type { Decade, SpectrumReport } from "./uncertainty/spectrum-report.js";
export {
  type IntervalOptions,
  type IntervalPrediction,
  type ParameterOptions,
  type ProbabilityOptions,
  type Uncertainty,
  uncertaintyOf,
} from "./uncertainty/uncertainty.js";
