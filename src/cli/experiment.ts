// The command gaussflow experiment NAME: runs an experiment of the theory or of the methods, prints its claims, and writes JSON lines, an HTML
// report and PNG pictures. program.ts adds it.
import { basename, join } from "node:path";
import { Argument, type Command } from "commander";
import { writeFileAtomic } from "../atomic-file.js";
import type { ExperimentOutcome } from "../document.js";
import type { ExperimentSettings } from "../experiment/experiment.js";
import { completeSettings, EXPERIMENTS, runExperiment } from "../experiment/experiments.js";
import { claimsTable } from "../report/claims-table.js";
import { htmlReport } from "../report/html-report.js";
import { jsonLine } from "../report/json-lines.js";
import { counted, formatSeconds } from "../report/numbers.js";
import { renderPng } from "../report/png.js";
import { StatusLine } from "../report/status-line.js";
import { textTable } from "../report/text-table.js";
import { addEngineOptions, type EngineFlags } from "./engine-options.js";
import { EXIT, EXIT_CODES_HELP, type ExitCode, UsageError } from "./exit.js";
import { checkOutputs } from "./output-file.js";
import { directory, integer } from "./parse.js";
import { surroundings } from "./report-meta.js";
import { shellWord } from "./shell-word.js";
import { SignalWatch } from "./signals.js";
import { silentTerminal, type Terminal } from "./terminal.js";

interface ExperimentFlags extends EngineFlags {
  readonly seed?: number;
  readonly seeds?: number;
  readonly samples?: number;
  readonly width?: number;
  readonly out: string;
  readonly png?: true;
  readonly json?: true;
  readonly quiet?: true;
}

const EVERY = "all";

const ABOUT = `
Experiments (defaults: seed, seeds, samples, hidden units):
${EXPERIMENTS.map(({ name, title, defaults: { seed, seeds, samples, width } }) => `  ${name.padEnd(14)}${title} (${seed}, ${seeds}, ${samples}, ${width})`).join("\n")}
  ${EVERY.padEnd(14)}all experiments of the theory in one report

Sizes: all but damping need at least as many samples as parameters, damping needs fewer. A teacher network has 5 parameters
per hidden unit (real: 8 per unit and 1 more, and at most 398 samples). A --width from 9 to 40 suits every experiment.

Examples:
  $ gaussflow experiment conditioning
  $ gaussflow experiment all --out theory --png
  $ gaussflow experiment damping --seed 11 --width 400 --json > runs.jsonl
${EXIT_CODES_HELP}`;

/** Adds the command; `done` receives its exit code. */
export function addExperimentCommand(
  program: Command,
  version: string,
  terminal: Terminal,
  done: (code: ExitCode) => void,
): void {
  const command = program
    .command("experiment")
    .description(
      "run experiments on the claims of the theory and of the methods: print promised and measured values, and write a report with charts",
    )
    .addArgument(new Argument("[name]", "experiment to run").choices([...EXPERIMENTS.map(({ name }) => name), EVERY]))
    .option("--seed <number>", "first seed", integer(0))
    .option("--seeds <count>", "number of seeds, from the first one on", integer(1))
    .option("--samples <count>", "number of samples of each problem", integer(2))
    .option("--width <count>", "number of hidden units", integer(1))
    .option("--out <directory>", "directory of NAME.jsonl and NAME.html", directory, "gaussflow-experiments")
    .option("--png", "also write the charts as PNG files (needs playwright-core and Chromium)")
    .option("--json", "write one JSON object per line to standard output: runs, claims, outcome")
    .option("--quiet", "print only errors; the report is still written to --out");
  addEngineOptions(command)
    .addHelpText("after", ABOUT)
    .action(async (name: string | undefined, flags: ExperimentFlags) => {
      if (name === undefined)
        throw new UsageError(
          `which experiment? One of ${[...EXPERIMENTS.map((experiment) => experiment.name), EVERY].join(", ")}`,
        );
      // Machines that ask for lines get them.
      const shown = flags.quiet && !flags.json ? silentTerminal() : terminal;
      done(await run(name, flags, version, shown));
    });
}

async function run(name: string, flags: ExperimentFlags, version: string, terminal: Terminal): Promise<ExitCode> {
  const { out: directory, json = false, quiet = false } = flags;
  const html = join(directory, `${name}.html`);
  const chosen = EXPERIMENTS.filter((experiment) =>
    name === EVERY ? experiment.about === "theory" : experiment.name === name,
  );
  const settings: Partial<ExperimentSettings> = {
    ...(flags.seed === undefined ? {} : { seed: flags.seed }),
    ...(flags.seeds === undefined ? {} : { seeds: flags.seeds }),
    ...(flags.samples === undefined ? {} : { samples: flags.samples }),
    ...(flags.width === undefined ? {} : { width: flags.width }),
  };
  // Experiments that cannot run are refused before an hour of those that can.
  for (const experiment of chosen) completeSettings(experiment, settings);
  const status = quiet || json ? null : new StatusLine(terminal.err);
  const watch = new SignalWatch(() => status?.show(() => "stopping"));
  const outcomes: ExperimentOutcome[] = [];
  const linesPath = (experiment: string) => join(directory, `${experiment}.jsonl`);
  try {
    // Under the watch: what it tries out is gone after a Ctrl-C as well.
    await checkOutputs({}, [
      { flag: basename(html), path: html, what: "the report" },
      ...chosen.map((one) => ({ flag: `${one.name}.jsonl`, path: linesPath(one.name), what: "the JSON lines" })),
    ]);
    for (const experiment of chosen) {
      const outcome = await runExperiment(experiment, settings, {
        backend: flags.backend,
        threads: flags.threads,
        signal: watch.signal,
        progress: (text) => status?.show(() => `${experiment.name}: ${text}`),
      });
      outcomes.push(outcome);
      status?.clear();
      const lines = jsonLines(outcome);
      await writeFileAtomic(linesPath(experiment.name), lines);
      terminal.out.write(json ? lines : text(outcome, terminal));
    }
  } catch (error) {
    if (watch.exitCode !== null && watch.signal.aborted && error === watch.signal.reason) {
      status?.clear();
      terminal.err.write(interrupted(outcomes, chosen.length, directory));
      return watch.exitCode;
    }
    throw error;
  } finally {
    status?.clear();
    watch.dispose();
  }
  await writeFileAtomic(html, htmlReport(outcomes, { ...meta(name, flags, version), engine: outcomes[0].engine }));
  const pictures = flags.png ? await renderPng(html, directory) : [];
  if (!json) terminal.out.write(closing(outcomes, html, pictures));
  return outcomes.every(({ claims }) => claims.every(({ holds }) => holds)) ? EXIT.ok : EXIT.claim;
}

function jsonLines({
  runs,
  claims,
  charts: _charts,
  maps: _maps,
  tables: _tables,
  ...outcome
}: ExperimentOutcome): string {
  const { name } = outcome;
  return [
    ...runs.map((run) => jsonLine("run", run)),
    ...claims.map((claim) => jsonLine("claim", { experiment: name, ...claim })),
    jsonLine("outcome", { ...outcome, holds: claims.every(({ holds }) => holds) }),
  ].join("");
}

/** Claims first; then those tables of the report that fit a terminal. */
function text({ name, title, claims, tables, seconds }: ExperimentOutcome, { paintOut, out }: Terminal): string {
  const width = Math.max(80, Math.min(120, out.columns ?? 100));
  const shown = tables
    .map((table) => ({
      title: table.title,
      body: textTable(
        table.columns.map((heading, k) => ({ heading, align: k === 0 ? ("left" as const) : ("right" as const) })),
        table.rows.map((row) => row.map(String)),
        paintOut,
      ),
    }))
    .filter(({ body }) => body.split("\n").every((line) => [...line].length <= width + 20));
  return [
    `${name}: ${title} (${formatSeconds(seconds)})`,
    "",
    claimsTable(claims, paintOut, width),
    "",
    ...shown.flatMap((table) => [`  ${table.title}`, table.body, ""]),
    "",
  ].join("\n");
}

function closing(outcomes: readonly ExperimentOutcome[], html: string, pictures: readonly string[]): string {
  const claims = outcomes.flatMap((outcome) => outcome.claims);
  const held = claims.filter(({ holds }) => holds).length;
  const drawn = pictures.length === 0 ? "" : `, ${counted(pictures.length, "picture")} beside it`;
  return `${held} of ${counted(claims.length, "claim")} hold. Report: ${shellWord(html)}${drawn}\n`;
}

function interrupted(outcomes: readonly ExperimentOutcome[], total: number, directory: string): string {
  const kept =
    outcomes.length === 0
      ? "nothing was written"
      : `their JSON lines are in ${shellWord(directory)}, a report was not written`;
  return `gaussflow: interrupted: ${outcomes.length} of ${counted(total, "experiment")} finished, ${kept}\n`;
}

function meta(name: string, flags: ExperimentFlags, version: string) {
  const numbers = (["seed", "seeds", "samples", "width", "threads"] as const).flatMap((key) =>
    flags[key] === undefined ? [] : [`--${key} ${flags[key]}`],
  );
  const backend = flags.backend === undefined ? [] : [`--backend ${flags.backend}`];
  return { command: ["gaussflow experiment", name, ...numbers, ...backend].join(" "), version, ...surroundings() };
}
