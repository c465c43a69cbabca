// Assembles all commands as one commander program on given streams. run.ts calls it with the streams of the process; tests pass their own.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { requiredPackageRoot } from "../package-root.js";
import { addConvertCommand } from "./convert.js";
import { addEngineCommands } from "./engine-commands.js";
import { EXIT_CODES_HELP, type ExitCode } from "./exit.js";
import { addExperimentCommand } from "./experiment.js";
import { addFitCommand } from "./fit.js";
import { addPlanCommand } from "./plan.js";
import { addModelCommands } from "./predict.js";
import { joinRanks } from "./ranks.js";
import type { Terminal } from "./terminal.js";
import { addTrainCommand } from "./train.js";

/** @param done receives the exit code of the command that ran; errors are thrown, and `exit.ts` has their codes */
export function makeProgram(terminal: Terminal, done: (code: ExitCode) => void): Command {
  const { version } = JSON.parse(
    readFileSync(join(requiredPackageRoot("the command line"), "package.json"), "utf8"),
  ) as { version: string };
  const program = new Command("gaussflow")
    .description("Train feed-forward networks by Gauss-Newton and Levenberg-Marquardt, on all cores.")
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
    })
    .showHelpAfterError("(gaussflow --help shows the commands, gaussflow COMMAND --help their options)")
    .addHelpText(
      "after",
      `\nExample:\n  $ gaussflow train cars.csv --target mpg --ignore name --missing drop --out cars.json --plot\n${EXIT_CODES_HELP}`,
    );
  program.hook("preAction", (_program, command) => joinRanks(command.name(), terminal));
  addTrainCommand(program, terminal, done);
  addFitCommand(program, version, terminal, done);
  addPlanCommand(program, terminal, done);
  addConvertCommand(program, terminal, done);
  addModelCommands(program, terminal, done);
  addExperimentCommand(program, version, terminal, done);
  addEngineCommands(program, terminal, done);
  return program;
}
