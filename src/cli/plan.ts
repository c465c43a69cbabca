// The command gaussflow plan FILE: prints what `gaussflow train` with the same options would choose, and the memory and time it would take,
// before anything runs. program.ts adds it.
import { type Command, Option } from "commander";
import { showBytes } from "../bytes.js";
import { mpi } from "../cluster/mpi.js";
import type { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import { outputCount } from "../loss/target-rules.js";
import { network } from "../network/network.js";
import type { Plan, RouteEstimate } from "../plan/plan.js";
import { type StepRoute, TRAIN_ROUTES, type TrainRoute } from "../plan/route.js";
import { jsonLine } from "../report/json-lines.js";
import { counted, formatCount, formatSeconds } from "../report/numbers.js";
import { textTable } from "../report/text-table.js";
import { layersText, sizeCandidates } from "../search/candidates.js";
import { comparedRows } from "../search/rows.js";
import { plan } from "../train/plan.js";
import { DEFAULT_VALIDATION } from "../train/train-options.js";
import { addEngineOptions, addRunOptions, DISTRIBUTED, type EngineFlags, type RunFlags } from "./engine-options.js";
import { EXIT, EXIT_CODES_HELP, type ExitCode, UsageError } from "./exit.js";
import { addLossOption, type LossChoice, lossOf } from "./loss-flag.js";
import { addMethodOptions, limitsOf, type MethodFlags, methodOf } from "./method-flag.js";
import { fraction, integer, orAuto, positive, sizes } from "./parse.js";
import { DEFAULT_TEST, type PartFlags, readParts } from "./read-parts.js";
import { addTableOptions, TRAINED_ON } from "./table-options.js";
import type { Terminal } from "./terminal.js";
import { asked, DEFAULT_HIDDEN } from "./train-search.js";

interface PlanFlags extends PartFlags, EngineFlags, RunFlags, MethodFlags {
  readonly hidden?: "auto" | readonly number[];
  readonly route: "auto" | TrainRoute;
  readonly loss?: LossChoice;
  readonly seconds?: number;
  readonly ranks?: number;
  readonly distributed?: true;
  readonly json?: true;
}

const EXAMPLES = `
Example:
  $ gaussflow plan rig.csv --target torque,speed --hidden 256,256 --memory-limit 2GiB
${EXIT_CODES_HELP}`;

/** Adds the command; `done` receives its exit code: 1 where training would be refused. */
export function addPlanCommand(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  const command = program.command("plan").argument("<file>", TRAINED_ON);
  command.description("predict route, memory and time of a training, and list the alternatives");
  addMethodOptions(addLossOption(addRunOptions(addEngineOptions(addTableOptions(command)))))
    .addOption(
      new Option(
        "--hidden <sizes>",
        "units of each hidden layer (default auto: the largest network that train compares on this table; of a data file 16,16)",
      ).argParser(orAuto(sizes)),
    )
    .addOption(
      new Option("--route <name>", "route by which steps are solved")
        .choices(["auto", ...TRAIN_ROUTES])
        .default("auto"),
    )
    .option(
      "--validation <fraction>",
      `share of the rows held out for validation (default ${DEFAULT_VALIDATION})`,
      fraction,
    )
    .option("--test <fraction>", `share of the rows held out for the test (default ${DEFAULT_TEST})`, fraction)
    .option("--seconds <number>", "most seconds of the training, by which --method auto chooses", positive)
    .option("--seed <number>", "seed of the split", integer(0), 0)
    .option(
      "--ranks <count>",
      "processes of an MPI run that share the rows: the plan is that of one of them (default 1; under mpirun its processes)",
      integer(1),
    )
    .option("--distributed", DISTRIBUTED)
    .option("--json", "write one JSON object")
    .addHelpText("after", EXAMPLES)
    .action(async (file: string, flags: PlanFlags) => done(await run(file, flags, terminal)));
}

async function run(file: string, flags: PlanFlags, terminal: Terminal): Promise<ExitCode> {
  const tell = (note: string) => {
    if (!flags.json) terminal.err.write(`  ${note}\n`);
  };
  if (flags.seconds !== undefined && flags.method !== "auto")
    throw new UsageError(
      "--seconds is about --method auto, which chooses by them: leave it out, or choose that method",
    );
  // Decays change neither route nor cost.
  const searched = asked(file, flags).hidden === null;
  const { fit: drawn, validation: held, merged } = await readParts(file, flags, tell, searched);
  const fit = merged?.fit ?? drawn;
  const loss = lossOf(flags.loss, fit);
  const outputs = outputCount(loss, fit.outputSize);
  const hidden = searched
    ? largestOf(merged === null ? fit : await comparedRows(merged.fit, flags.seed), outputs, tell)
    : flags.hidden === "auto"
      ? DEFAULT_HIDDEN
      : (flags.hidden ?? DEFAULT_HIDDEN);
  const net = network({ layers: [fit.inputSize, ...hidden, outputs], seed: flags.seed });
  const { route, backend, threads, memoryLimit, slots, ranks = (await mpi()).size, distributed } = flags;
  const method = methodOf(flags, net);
  const validation = merged === null ? (held ?? false) : (flags.validation ?? false);
  const stop = { ...limitsOf(flags), seconds: flags.seconds };
  const limits = { memoryLimit, slots, ranks, distributed, stop };
  const planned = plan(net, fit, { method, loss, validation, route, backend, threads, ...limits });
  terminal.out.write(
    flags.json ? jsonLine("plan", { ...planned, hidden, searched }) : `${describe(planned, terminal)}\n`,
  );
  return planned.chosen.fits ? EXIT.ok : EXIT.failure;
}

/** Hidden layers of the largest network that train compares on these rows. */
function largestOf(
  { sampleCount: rows, inputSize }: Dataset | FileDataset,
  outputSize: number,
  tell: (note: string) => void,
) {
  const hidden = sizeCandidates({ rows, inputSize, outputSize }).at(-1) ?? [];
  tell(
    `without --hidden train compares networks of several sizes: this is the plan of the largest, ${layersText(hidden)}`,
  );
  return hidden;
}

function describe(planned: Plan<StepRoute>, { paintOut }: Terminal): string {
  const { chosen, alternatives, memoryLimit, threads, slots, ranks, rankRows, batch } = planned;
  const unit = batch === undefined ? "An iteration" : `A step on ${counted(batch.rows, "row")}`;
  const columns = ["route", "data", "copies", "matrix", "factor", "work", "peak", "flops", "iteration", "fits"].map(
    (heading, i) => ({ heading, align: i === 0 ? ("left" as const) : ("right" as const) }),
  );
  const row = ({ route, bytes, flops, seconds, fits }: RouteEstimate) => [
    route === planned.route ? `${route} *` : route,
    showBytes(bytes.data),
    showBytes(bytes.copies),
    showBytes(bytes.curvature),
    showBytes(bytes.factor),
    showBytes(bytes.workspaces + bytes.vectors),
    showBytes(bytes.peak),
    flops.toExponential(1),
    formatSeconds(seconds),
    fits ? "yes" : "no",
  ];
  const peak = `The peak counts the process itself (Node, the library, its threads: ${showBytes(chosen.bytes.process)}).`;
  return [
    `${unit} takes about ${formatSeconds(chosen.seconds)}, and the process ${showBytes(chosen.bytes.most)} at most, of ${showBytes(memoryLimit)} that it may use.`,
    `${planned.route} route: ${planned.because}`,
    `${counted(planned.sampleCount, "sample")}, ${formatCount(planned.parameterCount)} parameters, ${counted(threads, "thread")}, ${slots === 1 ? "" : `${slots} slots, `}${formatCount(chosen.blockSamples)} samples a block`,
    ...(ranks === 1
      ? []
      : [
          `The plan is that of each of ${ranks} ranks, which sum at most ${counted(rankRows, "sample")} each, with sums between them over 10 Gbit/s.`,
        ]),
    "",
    textTable(columns, [chosen, ...alternatives].map(row), paintOut),
    "",
    batch === undefined
      ? `An iteration is one linearization, one solve with its acceleration and the loss at the new point. ${peak}`
      : `An epoch has ${counted(batch.stepsPerEpoch, "step")} (${batch.described}), and ends with the loss of all rows. ${peak}`,
    ...(chosen.bytes.most > chosen.bytes.peak
      ? [
          `Where single precision or a part of the samples no longer suffices for the curvature the peak may come to ${showBytes(chosen.bytes.most)}: that has to fit the memory limit.`,
        ]
      : []),
    ...(chosen.fits
      ? []
      : [`Training by the ${planned.route} route would be refused: it does not fit the memory limit.`]),
  ].join("\n");
}
