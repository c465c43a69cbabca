// --loss, --stop-loss and the figures of classifiers as a user meets them: a child process, its streams and its exit code.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { binaryMetrics, classMetrics, loadModel, predictAsync, readCsv } from "../../src/index.js";
import { CommandLine, jsonLines } from "../helpers/command-line.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-loss-"));
const at = (name: string) => join(folder, name);
const cli = new CommandLine({ cwd: folder });

beforeAll(() => {
  cli.build();
  // Two numbers; yes where their sum is large; three kinds by angle, which overlap; a number with outliers.
  const rows = Array.from({ length: 240 }, (_, i) => {
    const [a, b] = [Math.sin(7 * i), Math.cos(3 * i + 1)];
    const kind = Math.floor(((Math.atan2(b, a + 0.3 * Math.sin(50 * i)) + Math.PI) / (2 * Math.PI)) * 2.999);
    const yes = Number(a + b + 0.5 * Math.sin(31 * i) > 0.4);
    const y = a * b + (i % 20 === 0 ? 50 : 0.1 * Math.sin(11 * i));
    return [a, b, yes, ...[0, 1, 2].map((k) => Number(k === kind)), y].join(",");
  });
  writeFileSync(at("table.csv"), `a,b,yes,k0,k1,k2,y\n${rows.join("\n")}\n`);
});

const run = (args: readonly string[]) => cli.run(args);

const small = ["--hidden", "3", "--iterations", "25", "--decay", "1"];
const yes = ["train", "table.csv", "--target", "yes", "--ignore", "k0,k1,k2,y", "--loss", "logistic", ...small];
const kinds = ["train", "table.csv", "--target", "k0,k1,k2", "--ignore", "yes,y", "--loss", "softmax", ...small];
const numbers = ["train", "table.csv", "--target", "y", "--ignore", "yes,k0,k1,k2", ...small];

describe("--loss", () => {
  it("trains with the loss that it names, and with its parameter and decay", async () => {
    expect(run([...numbers, "--loss", "huber:0.5", "--out", "huber.json"])).toMatchObject({ code: 0 });
    expect((await loadModel(at("huber.json"))).summary).toMatchObject({ lossKind: "huber", lossDelta: 0.5 });
    expect(run([...numbers, "--loss", "squared", "--out", "squared.json"]).code).toBe(0);
    expect(run([...numbers, "--out", "default.json"]).code).toBe(0);
    const parameters = (name: string) => JSON.parse(readFileSync(at(name), "utf8")).body.parameters;
    expect(parameters("squared.json")).toBe(parameters("default.json"));
    expect(run([...kinds, "--out", "kinds.json"]).code).toBe(0);
    expect((await loadModel(at("kinds.json"))).link).toBe("softmax");
    const plain = run([...kinds, "--decay", "0", "--out", "plain.json"]);
    expect(plain.code, plain.err).toBe(0);
    expect(parameters("plain.json")).not.toBe(parameters("kinds.json"));
    expect(run([...kinds, "--loss", "softmax:0.1", "--out", "smooth.json"]).code).toBe(0);
    expect((await loadModel(at("smooth.json"))).summary).toMatchObject({ lossSmoothing: 0.1 });
  });

  it.each([
    ["0.01", /--loss <name>.*names? a loss.*--stop-loss 0\.01/],
    ["1e-3", /--stop-loss 1e-3/],
    ["hubber", /did you mean "huber"\?/],
    ["cosine", /No loss has that name; known are: squared, huber,/],
    ["huber:", /The delta of huber must be a number, as in huber:0\.5/],
    ["huber:-1", /The delta of huber must be a positive finite number, as in huber:0\.5/],
    ["huber:x", /The delta of huber must be a number/],
    ["softmax:1", /The smoothing of softmax must be a number of at least 0 and below 1, as in softmax:0\.1/],
    ["logistic:3", /The loss logistic has no parameter: write logistic/],
    ["__proto__", /No loss has that name/],
  ])("%s is refused", (value, message) => {
    for (const command of ["train", "plan"]) {
      const { code, out, err } = run([command, "table.csv", "--target", "y", "--loss", value]);
      expect([code, out]).toEqual([2, ""]);
      expect(err).toMatch(message);
    }
  });

  it("names the flag where targets do not fit", () => {
    const { code, err } = run([...numbers, "--loss", "logistic"]);
    expect(code).toBe(2);
    expect(err).toMatch(/^gaussflow: --target must be from 0 to 1 with logistic; received "y = .* in row \d+"\n$/m);
    const one = run([...yes, "--loss", "softmax"]);
    expect(one.code).toBe(2);
    expect(one.err).toMatch(/or --loss logistic for a single probability/);
  });

  it("is part of the plan: a factor of full rows takes more work", () => {
    const planned = (loss: string) =>
      JSON.parse(run(["plan", "table.csv", "--target", "k0,k1,k2", "--loss", loss, "--json"]).out);
    expect(planned("softmax").chosen.flops).toBeGreaterThan(planned("squared").chosen.flops);
  });

  it("belongs to the run of a checkpoint: another loss is refused", () => {
    expect(run([...yes, "--checkpoint", "run.ckpt"]).code).toBe(0);
    const resumed = run([...yes, "--resume", "run.ckpt", "--iterations", "27"]);
    expect(resumed.code, resumed.err).toBe(0);
    const other = run([...yes, "--loss", "squared", "--resume", "run.ckpt"]);
    expect(other.code).toBe(1);
    expect(other.err).toMatch(/run\.ckpt: belongs to another run/);
    expect(run([...yes, "--decay", "3", "--resume", "run.ckpt"]).err).toMatch(/belongs to another run/);
  });

  it("trains on data files too", () => {
    const convert = ["convert", "table.csv", "rows.gfd", "--target", "k0,k1,k2", "--ignore", "yes,y"];
    expect(run(convert).code).toBe(0);
    const { code, out, err } = run(["train", "rows.gfd", "--loss", "softmax", ...small]);
    expect(code, err).toBe(0);
    expect(out).toMatch(/accuracy +balanced +log-loss/);
  });

  it("has the loss at which to stop beside it", () => {
    const { out } = run([...numbers, "--stop-loss", "1e6", "--json"]);
    expect(jsonLines(out).at(-1)).toMatchObject({ reason: { code: "loss" }, iterations: 0 });
  });
});

describe("figures of classifiers", () => {
  it("of a column of texts or booleans need no flag, and are by the names of its classes", async () => {
    const rows = readFileSync(at("table.csv"), "utf8").trim().split("\n").slice(1);
    const named = rows.map((row) => {
      const [a, b, answer, k0, k1] = row.split(",");
      return [a, b, k0 === "1" ? "cat" : k1 === "1" ? "dog" : "eel", answer === "1"].join(",");
    });
    writeFileSync(at("named.csv"), `a,b,kind,big\n${named.join("\n")}\n`);
    const train = ["train", "named.csv", "--hidden", "3", "--iterations", "25"];
    const { code, out, err } = run([...train, "--target", "kind", "--ignore", "big", "--out", "named.json"]);
    expect(code, err).toBe(0);
    expect(out).toMatch(/\n +cat +dog +eel +recall +precision +F1 +AUC\n +cat +\d+/);
    const line = JSON.parse(run(["evaluate", "named.json", "named.csv", "--json"]).out);
    expect(line.classification[0]).toMatchObject({ target: "kind", undecided: 0 });
    expect(line.classification[0].classes.map(({ name }: { name: string }) => name)).toEqual(["cat", "dog", "eel"]);
    // --loss softmax says what is the default; its decay is that of classes.
    const said = [...train, "--target", "kind", "--ignore", "big", "--loss", "softmax", "--out", "said.json"];
    expect(run(said).code).toBe(0);
    const parameters = (name: string) => JSON.parse(readFileSync(at(name), "utf8")).body.parameters;
    expect(parameters("said.json")).toBe(parameters("named.json"));
    const big = [...train, "--target", "big", "--ignore", "kind"];
    expect(run([...big, "--threshold-cost", "3"]).out).toMatch(/"true" is predicted above a probability of 0\.2500/);
    expect(run([...big, "--out", "big.json"]).code).toBe(0);
    const predicted = (more: readonly string[]) =>
      run(["predict", "big.json", "named.csv", ...more])
        .out.trim()
        .split("\n")
        .slice(1)
        .map((line) => line.split(","));
    // Columns: row, class, p(false), p(true).
    for (const [, decided, , p] of predicted(["--threshold-cost", "3"])) expect(decided).toBe(`${Number(p) > 0.25}`);
    for (const [, decided, , p] of predicted([])) expect(decided).toBe(`${Number(p) > 0.5}`);
    const three = run(["predict", "named.json", "named.csv", "--threshold-cost", "3"]);
    expect([three.code, three.out]).toEqual([2, ""]);
    const logistic = run([...big, "--loss", "logistic"]);
    expect(logistic.code).toBe(2);
    expect(logistic.err).toMatch(/--loss logistic is about numbers, .* 2 classes \(false, true\): .*--task regression/);
    expect(run([...big, "--loss", "logistic", "--task", "regression"]).out).toMatch(/accuracy +balanced/);
  });

  it("of classes stand in the table of train, with the confusion matrix of the test rows", async () => {
    const { code, out, err } = run([...kinds, "--out", "kinds.json"]);
    expect(code, err).toBe(0);
    expect(out).toMatch(/rows +accuracy +balanced +log-loss +Brier +AUC +F1 +calibration\n +train +\d+ +0\.\d+/);
    expect(out).toMatch(/Confusion matrix \(test rows\).*\n +k0 +k1 +k2 +recall +precision +F1 +AUC\n +k0 +\d+/);
    expect(out).not.toMatch(/RMSE/);
  });

  it("of evaluate are those of the library", async () => {
    const { out } = run(["evaluate", "kinds.json", "table.csv", "--json"]);
    const model = await loadModel(at("kinds.json"));
    const table = await readCsv(at("table.csv"), { target: ["k0", "k1", "k2"], ignore: ["yes", "y"] });
    const expected = classMetrics(await predictAsync(model, table.inputs), table.targets, ["k0", "k1", "k2"]);
    const line = JSON.parse(out);
    expect(line).toMatchObject({ type: "evaluation", rows: 240, targets: [] });
    const { target: _, ...found } = line.classification[0];
    expect(found).toEqual(JSON.parse(JSON.stringify(expected)));
    expect(found.accuracy).toBeGreaterThan(0.6);
  });

  it("of yes or no are those of two classes, decided by the costs of errors", async () => {
    expect(run([...yes, "--out", "yes.json"]).code).toBe(0);
    const model = await loadModel(at("yes.json"));
    const table = await readCsv(at("table.csv"), { target: "yes", ignore: ["k0", "k1", "k2", "y"] });
    const costs = 5;
    const expected = binaryMetrics(await predictAsync(model, table.inputs), table.targets, undefined, { costs });
    const call = ["evaluate", "yes.json", "table.csv", "--threshold-cost", "5"];
    const { target, ...found } = JSON.parse(run([...call, "--json"]).out).classification[0];
    expect(target).toBe("yes");
    expect(found).toEqual(JSON.parse(JSON.stringify(expected)));
    const plain = JSON.parse(run(["evaluate", "yes.json", "table.csv", "--json"]).out).classification[0];
    // Fewer misses, at the price of more false alarms.
    expect(found.confusion[1][0]).toBeLessThan(plain.confusion[1][0]);
    expect(found.confusion[0][1]).toBeGreaterThan(plain.confusion[0][1]);
    const { out } = run(call);
    expect(out).toMatch(/calibration +cost\n/);
    expect(out).toContain('"1" is predicted above a probability of 0.1667');
  });

  it("are refused by cost where there are not two classes", () => {
    const three = run(["evaluate", "kinds.json", "table.csv", "--threshold-cost", "5"]);
    expect(three.code).toBe(2);
    expect(three.err).toMatch(/--threshold-cost is about two classes, and this target has 3/);
    const none = run([...numbers, "--threshold-cost", "5"]);
    expect(none.code).toBe(2);
    expect(none.err).toMatch(/--threshold-cost is about two classes, and these targets are numbers/);
  });

  it("stand for the folds of a cross-validation, and for an ensemble", () => {
    const many = [...kinds, "--cross-validate", "3", "--restarts", "2", "--ensemble", "2"];
    const { code, out, err } = run(many);
    expect(code, err).toBe(0);
    expect(out).toMatch(/fold +rows +accuracy +balanced +log-loss/);
    expect(out).toMatch(/\n +all +240 +0\.\d+.*\n +spread +0\.\d+\n/);
    expect(out).toMatch(/Confusion matrix \(held-out rows\)/);
    const lines = jsonLines(run([...many, "--json"]).out);
    const whole = lines.find(({ type }) => type === "cross-validation");
    const cells = whole.classification[0].confusion.flat();
    expect(cells.reduce((sum: number, one: number) => sum + one, 0)).toBe(240);
    expect(whole).toMatchObject({ targets: [], spread: [expect.any(Number)] });
    expect(lines.filter(({ type }) => type === "fold").map(({ classification }) => classification.length)).toEqual([
      1, 1, 1,
    ]);
  });
});
