// What the library says about an option is said about the flag on the command line: every flag is in the table, or needs no entry.
import { describe, expect, it } from "vitest";
import { errorText } from "../../src/cli/exit.js";
import { FLAG_OF_ARGUMENT, FLAG_OF_OPTION, messageOf } from "../../src/cli/flag-names.js";
import { makeProgram } from "../../src/cli/program.js";
import { silentTerminal } from "../../src/cli/terminal.js";
import { argumentError, GaussflowError } from "../../src/errors.js";
import { dataset, network, plan, trainSteps } from "../../src/index.js";

const { commands } = makeProgram(silentTerminal(), () => {});
const flags = new Set(commands.flatMap(({ options }) => options.map(({ long }) => long ?? "")));

/** Flags of the table's reader, whose errors name them themselves (ON_COMMAND_LINE). */
const OF_TABLES = ["--target", "--task", "--classes", "--ignore", "--categorical", "--numeric", "--weights", "--exposure", "--split-column", "--group", "--order", "--in-order", "--dates", "--header", "--no-header", "--units-row", "--skip", "--comment", "--delimiter", "--decimal-comma", "--thousands", "--missing", "--missing-values", "--max-categories", "--charset", "--unseen"]; // biome-ignore format: a list
/** Flags of commands alone: no function of the library has such an argument, or the command has checked it whole. */
const OF_COMMANDS = ["--json", "--quiet", "--verbose", "--plot", "--png", "--out", "--spread", "--ensemble", "--cross-validate", "--method", "--threshold-cost", "--no-stratify", "--mpi", "--x", "--report", "--learning-curve", "--conformal", "--averaged"]; // biome-ignore format: a list

describe("names on the command line", () => {
  it("are there for every flag", () => {
    const named = [...Object.values(FLAG_OF_OPTION), ...Object.values(FLAG_OF_ARGUMENT)].flatMap((one) => one.split(" and ").map((part) => part.split(" ")[0] ?? "")); // biome-ignore format: one step
    expect([...flags].filter((flag) => ![...named, ...OF_TABLES, ...OF_COMMANDS].includes(flag))).toEqual([]);
    expect(named.filter((flag) => !flags.has(flag))).toEqual([]);
    expect([...OF_TABLES, ...OF_COMMANDS].filter((flag) => !flags.has(flag))).toEqual([]);
  });

  it.each(Object.entries(FLAG_OF_OPTION))("%s is said as %s", (option, flag) => {
    expect(messageOf(argumentError(option, "must be another", 1))).toBe(`${flag} must be another; received 1`);
    const remedy = new GaussflowError("GAUSSFLOW_MEMORY", `needs more: ${option} of 5 would let it run`);
    expect(errorText(remedy, {})).toBe(`gaussflow: needs more: ${flag} of 5 would let it run\n`);
  });

  it("a setting of a method is said as the flag that sets it", () => {
    const difference = new GaussflowError(
      "GAUSSFLOW_FILE",
      "options.method.damping was 1 and is 2, options.method.beta2 was 3",
    );
    expect(messageOf(difference)).toBe("--damping was 1 and is 2, options.method.beta2 was 3");
  });

  it.each(Object.entries(FLAG_OF_ARGUMENT))("%s is said as %s where it is the argument", (argument, flag) => {
    expect(messageOf(argumentError(argument, `must be a ${argument}`, 1))).toBe(
      `${flag} must be a ${argument}; received 1`,
    );
    expect(messageOf(new GaussflowError("GAUSSFLOW_DATA", `the ${argument} of it`))).toBe(`the ${argument} of it`);
  });

  it("fit what the library really throws", async () => {
    const data = dataset({ inputs: [[1], [2], [3]], targets: [1, 2, 3] }); // biome-ignore format: a table
    const thrown = async (call: () => unknown) => {
      try {
        await call();
      } catch (error) {
        return messageOf(error);
      }
      return "nothing";
    };
    const net = network({ layers: [1, 2, 1] });
    const first = (options: object) => thrown(() => trainSteps(net, data, options).next());
    expect(await first({ threads: 1e9 })).toMatch(/^--threads must be a whole number/);
    expect(await first({ stop: { seconds: -1 } })).toMatch(/^--seconds must/);
    expect(await first({ validation: 2 })).toMatch(/^--validation must/);
    expect(await first({ memoryLimit: 1 })).toMatch(/--memory-limit of \d+ bytes would let it run/);
    expect(await first({ memoryLimit: 1 })).toMatch(/data read from a file take no memory \(gaussflow convert\)/);
    expect(await first({ resume: "" })).toMatch(/^--resume must be a path/);
    expect(await thrown(() => plan(net, data, { route: "none" as "auto" }))).toMatch(/^--route must/);
    const odd = { layers: [1, 3, 1], initialization: "symmetric" } as const;
    expect(await thrown(() => network(odd))).toMatch(/^--initialization symmetric needs an even width/);
    expect(await thrown(() => network({ layers: [1e6, 1e6, 1] }))).toMatch(/^--hidden must not ask for more/);
  });
});
