// The end of gaussflow train, called by train.ts for one run and by train-many.ts for many: computes the errors of the parts, saves the
// model, prints the result as text or JSON, and returns the exit code.
import { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import type { SetMetrics } from "../loss/set-metrics.js";
import { type Sparsity, sparsity } from "../method/ggn-score/sparsity.js";
import type { ReasonCode } from "../method/reason.js";
import type { Evidence } from "../method/regularization.js";
import type { MonitorReport } from "../monitor/monitor-report.js";
import type { Ensemble } from "../network/ensemble.js";
import { saveModel } from "../network/model-file.js";
import type { Network } from "../network/network.js";
import { jsonLine, resultLine } from "../report/json-lines.js";
import { lossChart } from "../report/loss-chart.js";
import { metricsTable } from "../report/metrics-table.js";
import { counted, formatSeconds } from "../report/numbers.js";
import { remainingAdvice } from "../search/advice.js";
import type { Advice, AdviceCode } from "../train/advice.js";
import type { TrainResult } from "../train/train-result.js";
import { assess } from "./assess.js";
import { EXIT, type ExitCode } from "./exit.js";
import { savable, uncertaintyFields, uncertaintyLine, uncertaintyWarnings } from "./intervals.js";
import { remedyFlags } from "./method-flag.js";
import { shellWord } from "./shell-word.js";
import type { SignalWatch } from "./signals.js";
import { type Terminal, warn } from "./terminal.js";
import type { TrainFlags, TrainSetup } from "./train-setup.js";

/** The flags and the setup of the command, and the signals that it received. */
export interface TrainCall {
  readonly setup: TrainSetup;
  readonly file: string;
  readonly flags: TrainFlags;
  readonly watch: SignalWatch;
  /** What is judged and saved in place of the one network: the best runs together. */
  readonly ensemble?: Ensemble | null;
}

/** Saves and shows the network that was chosen. */
export async function conclude(
  result: TrainResult<MonitorReport>,
  call: TrainCall,
  terminal: Terminal,
): Promise<ExitCode> {
  const { setup, file, flags, watch, ensemble = null } = call;
  const advice = remainingAdvice(result.advice, setup.search);
  const { fit, validation, test, warnings } = setup;
  const model = ensemble ?? result.network;
  // Without the signal: what an interrupted training has found is judged and saved all the same.
  const { backend, threads } = flags;
  const judged = (set: string, data: Dataset | FileDataset) =>
    assess(model, set, data, { backend, threads, costs: flags.thresholdCost });
  const sets: SetMetrics[] = [await judged("train", fit)];
  if (validation !== null) sets.push(await judged("validation", validation));
  if (test !== null) sets.push(await judged("test", test));
  if (flags.out !== undefined) await saveModel(flags.out, savable(model, setup.caution));
  if (flags.json) {
    terminal.out.write(jsonLine("chosen", { chosen: result.chosen, details: result.details }));
    terminal.out.write(
      resultLine({
        reason: result.reason,
        iterations: result.iterations,
        seconds: result.seconds,
        route: result.plan.route,
        engine: result.engine,
        slots: result.slots,
        ranks: result.ranks,
        rankRows: result.rankRows,
        rankWaits: result.rankWaits,
        distributed: result.plan.chosen.distributed === true,
        interrupted: watch.received,
        monitor: result.monitor && {
          rate: result.monitor.rate,
          verdict: result.monitor.verdict,
          converged: result.monitor.converged,
          warnings: result.monitor.warnings,
        },
        sets,
        advice,
        evidence: result.evidence,
        uncertainty: uncertaintyFields(result.uncertainty),
        sparsity: ensemble === null ? sparsityOf(result, flags) : null,
        model: flags.out ?? null,
        ensemble: ensemble?.networks.length ?? null,
        // Those of the run were shown as they came.
        warnings: [...warnings, ...result.warnings],
      }),
    );
  } else {
    for (const warning of uncertaintyWarnings(result.uncertainty, result.warnings)) warn(terminal, warning);
    const next = fit instanceof FileDataset || file === "-" ? "FILE" : shellWord(file);
    show({ ...result, advice }, ensemble, sets, { fit, next }, flags, terminal);
  }
  return (
    watch.exitCode ??
    (result.reason.code === "non-finite" || result.reason.code === "memory" ? EXIT.numerical : EXIT.ok)
  );
}

/** The flags that follow a piece of advice. */
const FLAGS: Readonly<Record<AdviceCode, string>> = {
  floor: " (--decay, --hidden)",
  overfitting: " (--decay, --hidden)",
  rows: "",
  "few-rows": " (--cross-validate 5, --decay, --hidden)",
  decay: " (--decay)",
  iterations: " (--iterations, --seconds)",
  underfitting: " (--hidden)",
  imbalance: " (--class-weights balanced)",
};

/** The flags that follow a reason with a remedy. */
function reasonFlags(code: ReasonCode, batches: boolean, flags: TrainFlags): string {
  if (code === "separable") return " (--decay 1)";
  return code === "non-finite" && batches ? remedyFlags(flags) : "";
}

/** With ggn-score the counts of small parameters, else null. */
function sparsityOf({ network }: Pick<TrainResult, "network">, { method }: TrainFlags): Sparsity | null {
  return method === "ggn-score" ? sparsity(network) : null;
}

function sparsityLine({ parameters, small, threshold, zero, holding }: Sparsity): string {
  const zeros = zero === 0 ? "" : ` (${zero} of them exactly 0)`;
  return `${small} of ${counted(parameters, "parameter")} are below ${threshold} in size${zeros}; the largest ${holding} hold 99.9% of the sum of the sizes.`;
}

/** What the data say of the fit. With one target the noise is in its units. */
function evidenceLine(
  { decay, effectiveParameters, noise, logEvidence }: Evidence,
  { scaling, parameterCount }: Network,
): string {
  const scales = scaling?.targets.scale ?? [1];
  const shown = scales.length === 1 ? noise * scales[0]! : noise;
  const units = scales.length === 1 ? "" : " in the units of training";
  return `Evidence: weight decay ${decay.toPrecision(3)}, ${effectiveParameters.toPrecision(3)} effective of ${counted(parameterCount, "parameter")}, noise ${shown.toPrecision(3)}${units}, log evidence ${logEvidence.toFixed(2)}.`;
}

/** How the ranks of an MPI run shared the rows, and what repeats their bits elsewhere. */
function ranksLine({ ranks, slots, rankRows, rankWaits, plan }: TrainResult, rows: number): string {
  const waits =
    rankWaits && `, and waited ${formatSeconds(rankWaits.seconds)} for ${counted(rankWaits.count, "exchange")}`;
  const bits = plan.chosen.distributed
    ? "They held the Gram matrix together: the last bits depend on their number."
    : `--slots ${slots} gives the same bits on any number of ranks.`;
  return `ranks: ${ranks}; rank 0 summed ${rankRows} of the ${counted(rows, "row")}${waits}. ${bits}`;
}

function adviceLine({ code, message }: Advice, fit: Dataset | FileDataset, batches: boolean): string {
  // A data file is not cut into folds, and has its weights; a probability of yes is a number, which has no class weights.
  const whole = fit instanceof FileDataset;
  if (code === "imbalance" && (whole || fit.classes === null)) return `Advice: ${message}`;
  const given = batches && code === "iterations" ? " (--epochs, --seconds)" : FLAGS[code];
  const flags = whole ? given.replace("--cross-validate 5, ", "") : given;
  return `Advice: ${message}${flags}`;
}

/** "3 epochs", or "2.50 epochs". */
function formatEpochs(epochs: number): string {
  return Number.isInteger(epochs) ? counted(epochs, "epoch") : `${epochs.toFixed(2)} epochs`;
}

function show(
  result: TrainResult<MonitorReport>,
  ensemble: Ensemble | null,
  sets: readonly SetMetrics[],
  { fit, next }: { readonly fit: Dataset | FileDataset; readonly next: string },
  flags: TrainFlags,
  { out, paintOut }: Terminal,
): void {
  const { batch } = result.plan;
  const epochs = batch === undefined ? "" : ` (${formatEpochs(result.iterations / batch.stepsPerEpoch)})`;
  const counts = ensemble === null ? sparsityOf(result, flags) : null;
  const lines = [
    result.chosen,
    ...(flags.verbose ? [result.details] : []),
    "",
    metricsTable(sets, paintOut),
    "",
    `${counted(result.iterations, "iteration")}${epochs} in ${formatSeconds(result.seconds)}; stopped because ${result.reason.message}${reasonFlags(result.reason.code, batch !== undefined, flags)}`,
    ensemble === null
      ? `The model is that of iteration ${result.bestIteration}.`
      : `The model is an ensemble of the best ${ensemble.networks.length} networks, which predicts their mean. What is said of one run is about the best.`,
    ...(result.evidence === null ? [] : [evidenceLine(result.evidence, result.network)]),
    ...(result.uncertainty === null ? [] : [uncertaintyLine(result.uncertainty, fit.targetNames)]),
    ...(counts === null ? [] : [sparsityLine(counts)]),
    ...(result.ranks === 1 ? [] : [ranksLine(result, fit.sampleCount)]),
  ];
  if (result.advice.length > 0)
    lines.push("", ...result.advice.map((advice) => adviceLine(advice, fit, batch !== undefined)));
  if (result.monitor !== null)
    lines.push(
      "",
      `Speed: ${result.monitor.verdict.message} [${result.monitor.verdict.code}]`,
      `Converged: ${result.monitor.converged.message}`,
      ...result.monitor.warnings.map((warning) => `warning: ${warning}`),
    );
  if (flags.plot) {
    const width = Math.min(100, out.columns ?? 80);
    lines.push("", lossChart(result.records, { width, paint: paintOut, kept: result.bestIteration }));
  }
  // Along a cosine the rate is at its end too.
  if (flags.resume !== undefined && result.reason.code === "iterations" && batch?.schedule !== "cosine") {
    const epoch = Math.floor(result.iterations / (batch?.stepsPerEpoch ?? 1));
    const [flag, least, unit] =
      batch === undefined ? ["--iterations", result.iterations, "iterations"] : ["--epochs", epoch, "epochs"];
    lines.push(
      "",
      `To go on: --resume ${shellWord(flags.checkpoint ?? flags.resume)} ${flag} N, with N above ${least} (${unit} count from the start of the run)`,
    );
  }
  lines.push("");
  lines.push(
    flags.out === undefined
      ? "Nothing was saved. To keep the model, add: --out model.json"
      : `Saved ${flags.out}. Next: gaussflow predict ${shellWord(flags.out)} ${next}`,
  );
  out.write(`${lines.join("\n")}\n`);
}
