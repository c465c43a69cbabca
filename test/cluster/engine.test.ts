// Engines on the ranks of real runs of mpirun: whatever they say of the samples has the bits of one engine with as many slots, what fails on one
// rank fails on all, and what is of single samples is refused.
import { beforeAll, describe, expect, it } from "vitest";
import { buildLibrary } from "../helpers/build.js";
import { jsonLines } from "../helpers/command-line.js";
import { hasRanks, mpirun, program } from "../helpers/ranks.js";

let library = "";
beforeAll(() => {
  library = buildLibrary();
});

const SLOTS = 4;
const SAMPLES = 203;

/** Functions of a program: the data, an engine of it, and all that it says of them by a digest: long lines of ranks would mix. */
const ANSWERS = `
const inputs = Float64Array.from({ length: ${SAMPLES} * 3 }, (_, k) => Math.sin(k * k + 1));
const targets = Float64Array.from({ length: ${SAMPLES} * 2 }, (_, k) => Math.cos(2 * k) + inputs[k]);
const weights = Float64Array.from({ length: ${SAMPLES} }, (_, k) => 1 + Math.sin(k));
const net = network({ layers: [3, 7, 5, 2], seed: 3 });
const w = net.parameters;
const engineOf = (ranks, x = inputs) =>
  createEngine(net.architecture, { sampleCount: ${SAMPLES}, inputs: x, targets, weights, slots: ${SLOTS}, ranks }, { backend: "native", threads: 1 });
const bytes = (values) => createHash("sha256").update(new Uint8Array(Float64Array.from(values).buffer)).digest("hex").slice(0, 12);
async function answers(engine) {
  const said = { loss: (await engine.evaluate(w)).loss };
  const requests = [["primal", "double"], ["primal", "single"], ["orthogonal", "double"], ["matrix-free", "double"]];
  for (const [curvature, precision] of requests) {
    const scaling = new Float64Array(w.length);
    const { loss, gradient } = await engine.linearize(w, { curvature, precision, decay: 0.1, scaling });
    const name = curvature + " " + precision;
    Object.assign(said, { [name + " loss"]: loss, [name + " gradient"]: bytes(gradient), [name + " scaling"]: bytes(scaling) });
    said[name + " Hessian"] = bytes(await engine.hessianProduct(w));
    if (curvature === "matrix-free") {
      said[name + " G v"] = bytes(await engine.curvatureProduct(w));
      said[name + " factors"] = (await engine.layerFactors()).map(({ left, right }) => [bytes(left), bytes(right)]);
      continue;
    }
    const { step } = await engine.solve({ damping: 0.5, decay: 0.1, scaling });
    said[name + " step"] = bytes(step);
    if (curvature === "primal") said[name + " acceleration"] = bytes((await engine.accelerate(step, scaling)).acceleration);
  }
  const u = Float64Array.from({ length: ${SAMPLES} * 2 }, (_, k) => Math.sin(3 * k));
  said["J^T u"] = bytes(await engine.transposeProduct(w, u));
  return said;
}`;

const ranked = (body: string) =>
  program(`
import { createHash } from "node:crypto";
import { createEngine, mpi, network } from ${JSON.stringify(library)};
const cluster = await mpi();
const say = (value) => process.stdout.write(JSON.stringify({ rank: cluster.rank, ...value }) + "\\n");
${ANSWERS}
${body}`);

interface Said {
  readonly rank: number;
  readonly [name: string]: unknown;
}
const linesOf = ({ out, err, code }: { out: string; err: string; code: number | null }): Said[] => {
  expect(code, `${out}\n${err}`).toBe(0);
  const said = jsonLines(out) as Said[];
  return said.sort((a, b) => a.rank - b.rank);
};

describe.skipIf(!hasRanks)("engines of ranks", () => {
  it("have the bits of one engine with as many slots, on every rank, also on those beyond the slots", () => {
    const file = ranked("say(await answers(engineOf(cluster.slots(4) ?? undefined)));");
    const one = program(`
import { createHash } from "node:crypto";
import { createEngine, network } from ${JSON.stringify(library)};
${ANSWERS}
process.stdout.write(JSON.stringify({ rank: 0, ...(await answers(engineOf(undefined))) }) + "\\n");`);
    const [expected] = linesOf(mpirun(1, [one]));
    for (const ranks of [2, 3, 5]) {
      const said = linesOf(mpirun(ranks, [file]));
      expect(said.map(({ rank }) => rank)).toEqual(Array.from({ length: ranks }, (_, rank) => rank));
      for (const { rank, ...answers } of said)
        expect({ rank: 0, ...answers }, `rank ${rank} of ${ranks}`).toEqual(expected);
    }
  });

  it("fail together: the rank that has the sample names it, the others name the rank", () => {
    const file = ranked(`
const bad = inputs.slice();
bad[3 * 150] = Number.NaN;
const engine = engineOf(cluster.slots(4), bad);
const { code, where, message } = await engine.linearize(w, { curvature: "primal", decay: 0, scaling: null });
const good = engineOf(cluster.slots(4));
say({ code, where, message, after: Number.isFinite((await good.evaluate(w)).loss) });`);
    const [first, second] = linesOf(mpirun(2, [file]));
    expect(first).toMatchObject({ code: "non-finite", where: { what: "loss", rank: 1 }, after: true });
    expect(first?.message).toBe("the loss is not finite, first at rank 1");
    expect(second).toMatchObject({ code: "non-finite", where: { what: "activation", sample: 150 }, after: true });
  });

  it("refuse what is of single samples, and what is formed of pairs of them", () => {
    const file = ranked(`
const engine = engineOf(cluster.slots(4));
const said = [];
const refused = async (action) => {
  try { await action(); said.push("no error"); } catch (error) { said.push(error.code + ": " + error.message); }
};
await refused(() => engine.forward(w));
await refused(() => engine.jacobianProduct(w, w));
await refused(() => engine.jacobian(w, 0, 1));
await refused(() => engine.load({ inputs, targets, weights }));
await refused(() => engine.linearize(w, { curvature: "dual", decay: 0, scaling: null }));
await refused(() => engine.linearize(w, { curvature: "matrix-free", subset: Uint32Array.of(1), decay: 0, scaling: null }));
say({ said, loss: (await engine.evaluate(w)).loss > 0, count: engine.sampleCount });`);
    for (const { said, loss, count } of linesOf(mpirun(2, [file]))) {
      const single = (name: string) => expect.stringMatching(`^GAUSSFLOW_STATE: engine\\.${name} is of single samples`);
      expect(said).toEqual([
        ...["forward", "jacobianProduct", "jacobian", "load"].map(single),
        expect.stringMatching(/^GAUSSFLOW_ARGUMENT: curvature must be "primal"/),
        expect.stringMatching(/^GAUSSFLOW_ARGUMENT: subset must be null with data\.ranks/),
      ]);
      expect([loss, count]).toEqual([true, SAMPLES]);
    }
  });
});
