// Every allocation of the addon is refused once, one after the other, in every call of both kinds of engines and in trainings of every route.
//   node refuse-memory.mjs LIBRARY STRIDE        under LD_PRELOAD of refuse-memory.cc
// Prints one line of JSON: points (allocations refused), refused (calls that said so), wrong results, engines left busy, examples.
import { createHash } from "node:crypto";
import { openSync, readSync, writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { createEngine, network, train } = await import(pathToFileURL(process.argv[2]).href);
const { createJetEngine } = await import(new URL("backend/create-jets.js", pathToFileURL(process.argv[2])).href);
const stride = Number(process.argv[3] ?? 1);
const file = openSync(process.env.REFUSE_MEMORY, "r+");

function arm(at) {
  writeSync(file, Buffer.from(BigInt64Array.of(BigInt(at), 1n, 0n).buffer), 0, 24, 0);
}

/** Number of allocations since `arm`. */
function disarm() {
  const state = new BigInt64Array(3);
  readSync(file, new Uint8Array(state.buffer), 0, 24, 0);
  writeSync(file, Buffer.from(BigInt64Array.of(0n, 0n, 0n).buffer), 0, 24, 0);
  return Number(state[2]);
}

const net = network({ layers: [3, 8, 6, 2], seed: 1 });
const [n, p] = [200, net.parameterCount];
const wave = (count, by) => Float64Array.from({ length: count }, (_, i) => Math.sin(by * i));
const arrays = { inputs: wave(3 * n, 1.3), targets: wave(2 * n, 0.7) };
const data = { ...arrays, inputSize: 3, outputSize: 2 };
const tally = { points: 0, refused: 0, wrong: 0, busy: 0, examples: [] };

const makeNetwork = (threads) =>
  createEngine(net.architecture, { sampleCount: n, ...arrays }, { backend: "native", threads });

/** Numbers of an answer but its times. */
function bits(value) {
  const hash = createHash("sha256");
  const add = (part) => {
    if (typeof part === "number") hash.update(new Uint8Array(Float64Array.of(part).buffer));
    else if (ArrayBuffer.isView(part)) hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
    else if (part !== null && typeof part === "object")
      for (const [key, inner] of Object.entries(part)) if (key !== "seconds") add(inner);
  };
  add(value);
  return hash.digest("hex");
}

async function outcome(action) {
  try {
    const value = await action();
    const refused = value?.code === "memory" || value?.reason?.code === "memory";
    return refused
      ? { code: "memory" }
      : value?.ok === false || value?.code
        ? { code: value.code }
        : { bits: bits(value) };
  } catch (error) {
    return { code: error?.code === "GAUSSFLOW_MEMORY" ? "memory" : (error?.code ?? String(error)) };
  }
}

function complain(kind, ...words) {
  tally[kind]++;
  if (tally.examples.length < 10) tally.examples.push(words.join(" "));
}

const request = (curvature, more = {}) => ({ curvature, decay: 0, scaling: null, ...more });
const step = (more = {}) => ({ damping: 0.5, decay: 0, scaling: null, ...more });
const subset = Uint32Array.from({ length: n / 2 }, (_, i) => 2 * i);
const lowRank = { left: wave(p, 0.01), right: wave(p, 0.02) };
const of = (curvature, more) => (engine) => engine.linearize(net.parameters, request(curvature, more));
const solved = (before) => async (engine) => {
  await before(engine);
  return engine.solve(step());
};
const nothing = async () => {};

// Residuals with derivatives: u_x + v_y u - a and u v_xx at 60 points, with one unknown a.
const jetNet = network({ layers: [2, 6, 2], seed: 1 });
const channels = { firsts: 2, seconds: [[[0, 0, 1]]] };
const pointJets = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(i), 1, 0, 0, 1, 0, 0]);
const jetInputs = Float64Array.from(pointJets.flat());
const code = [2, 6, 0, 0, 1, 9, 1, 10, 8, 2, 0, 7];
const term = {
  name: "a",
  channels,
  points: 60,
  inputs: jetInputs,
  auxiliary: wave(0, 0),
  auxiliaryCount: 0,
  factors: [1, 2],
};
const problem = {
  terms: [{ ...term, residual: { inputs: 9, constants: [], code, outputs: [11, 12] } }],
  unknownCount: 1,
};
const makeJets = (threads) => createJetEngine(jetNet.architecture, problem, { backend: "native", threads });
const jetParameters = wave(jetNet.parameterCount + 1, 0.4);
const jetsOf = (curvature) => (e) => e.linearize(jetParameters, request(curvature));
// Several tasks: smaller vectors stay in JavaScript.
const long = wave(2 ** 21, 0.1);

/** [name, what comes before it, the call]. */
const calls = [
  ["forward", nothing, (e) => e.forward(net.parameters)],
  ["evaluate", nothing, (e) => e.evaluate(net.parameters)],
  ["jacobianProduct", nothing, (e) => e.jacobianProduct(net.parameters, wave(2 * p, 0.3))],
  ["transposeProduct", nothing, (e) => e.transposeProduct(net.parameters, wave(2 * 2 * n, 0.3))],
  ["jacobian", nothing, (e) => e.jacobian(net.parameters, 0, n)],
  ["linearize none", nothing, of("none")],
  ["linearize primal", nothing, of("primal")],
  ["linearize primal, scaled", nothing, of("primal", { scaling: new Float64Array(p) })],
  ["linearize primal, float", nothing, of("primal", { precision: "single" })],
  ["linearize primal, float, subset", nothing, of("primal", { precision: "single", subset })],
  ["linearize dual", nothing, of("dual")],
  ["linearize orthogonal", nothing, of("orthogonal")],
  ["linearize matrix-free", nothing, of("matrix-free")],
  ["linearize matrix-free, subset", nothing, of("matrix-free", { subset })],
  ["solve primal", of("primal"), (e) => e.solve(step({ condition: true }))],
  ["solve primal, corrected", of("primal"), (e) => e.solve(step({ damping: 1e4, correction: lowRank }))],
  ["solve primal, float", of("primal", { precision: "single" }), (e) => e.solve(step())],
  ["solve dual", of("dual"), (e) => e.solve(step({ condition: true }))],
  ["solve orthogonal", of("orthogonal"), (e) => e.solve(step({ condition: true }))],
  ["accelerate primal", solved(of("primal")), (e) => e.accelerate(wave(p, 0.1), null)],
  ["accelerate dual", solved(of("dual")), (e) => e.accelerate(wave(p, 0.1), null)],
  ["curvature", of("primal"), (e) => e.curvature()],
  ["eigenvalues", of("primal"), (e) => e.eigen(false)],
  ["eigenvectors", of("primal"), (e) => e.eigen(true)],
  ["eigenvectors orthogonal", of("orthogonal"), (e) => e.eigen(true)],
  ["eigenvaluesBelow", of("primal"), (e) => e.eigenvaluesBelow(0.1)],
  ["curvatureProduct primal", of("primal"), (e) => e.curvatureProduct(wave(3 * p, 0.2))],
  ["curvatureProduct dual", of("dual"), (e) => e.curvatureProduct(wave(3 * 2 * n, 0.2))],
  ["curvatureProduct matrix-free", of("matrix-free"), (e) => e.curvatureProduct(wave(3 * p, 0.2))],
  ["layerFactors", of("matrix-free"), (e) => e.layerFactors()],
  ["curvatureInverse", of("primal"), (e) => e.curvatureInverse(wave(p, 0.2), 0.4)],
  ["dot of large vectors", nothing, async (e) => e.vectors.dot(long, long)],
  ["addScaled of large vectors", nothing, async (e) => e.vectors.addScaled(long, 0.5, long)],
];

const jetCalls = [
  ["jets: evaluate", nothing, (e) => e.evaluate(jetParameters)],
  ["jets: residuals", nothing, (e) => e.residuals(jetParameters)],
  ["jets: jacobian", nothing, (e) => e.jacobian(jetParameters, 5, 20)],
  ["jets: outputJets", nothing, (e) => e.outputJets(jetParameters, channels, jetInputs)],
  ["jets: linearize none", nothing, jetsOf("none")],
  ["jets: linearize primal", nothing, jetsOf("primal")],
  ["jets: solve", jetsOf("primal"), (e) => e.solve(step({ condition: true }))],
  ["jets: accelerate", solved(jetsOf("primal")), (e) => e.accelerate(jetParameters, null)],
  ["jets: dampedInverse", solved(jetsOf("primal")), (e) => e.dampedInverse(jetParameters)],
];

async function walkCall([name, before, call], threads, make) {
  const fresh = make(threads);
  await before(fresh);
  const right = bits(await call(fresh));
  fresh.dispose();
  const counted = make(threads);
  await before(counted);
  arm(-1);
  await call(counted);
  const count = disarm();
  counted.dispose();
  for (let at = 0; at < count; at += stride, tally.points++) {
    const engine = make(threads);
    await before(engine);
    arm(at);
    const first = await outcome(() => call(engine));
    disarm();
    if (first.code === "memory") tally.refused++;
    else if (first.bits !== right) complain("wrong", name, threads, at, "first:", first.code ?? "other bits");
    const again = await outcome(() => call(engine));
    if (again.code === "GAUSSFLOW_BUSY") complain("busy", name, threads, at);
    else if (again.bits !== right && again.code !== "GAUSSFLOW_STATE")
      complain("wrong", name, threads, at, "again:", again.code ?? "other bits");
    const anew = await outcome(async () => {
      await before(engine);
      return call(engine);
    });
    if (anew.bits !== right) complain("wrong", name, threads, at, "anew:", anew.code ?? "other bits");
    engine.dispose();
  }
}

async function walkConstruction(threads, make) {
  arm(-1);
  make(threads).dispose();
  const count = disarm();
  for (let at = 0; at < count; at += stride, tally.points++) {
    arm(at);
    const first = await outcome(async () => make(threads).dispose());
    disarm();
    if (first.code === "memory") tally.refused++;
    else if (first.code !== undefined) complain("wrong", "construction", at, first.code);
  }
}

async function walkTraining(route, threads) {
  const options = { route, threads, backend: "native", validation: false, stop: { iterations: 3 } };
  const whole = await train(net, data, options);
  const right = bits(whole.network.parameters);
  arm(-1);
  await train(net, data, options);
  const count = disarm();
  // Trainings are long, and most of their allocations are those of the calls above.
  for (let at = 0; at < count; at += 4 * stride, tally.points++) {
    let result = null;
    arm(at);
    const first = await outcome(async () => {
      result = await train(net, data, options);
      return result;
    });
    disarm();
    if (first.code === "memory") tally.refused++;
    else if (result === null) complain("wrong", "train", route, threads, at, first.code);
    else if (bits(result.network.parameters) !== right) complain("wrong", "train", route, threads, at, "other bits");
    if (first.code !== "memory" || result === null) continue;
    // The records are those of the whole run as far as they go, and the best of them is in hand.
    const story = (records) => records.map(({ accepted, loss }) => [accepted, loss]);
    const upTo = story(whole.records.slice(0, result.records.length));
    if (JSON.stringify(story(result.records)) !== JSON.stringify(upTo))
      complain("wrong", "train", route, threads, at, "other records");
  }
}

for (const threads of [1, 2]) {
  for (const [make, list] of [
    [makeNetwork, calls],
    [makeJets, jetCalls],
  ]) {
    await walkConstruction(threads, make);
    for (const call of list) await walkCall(call, threads, make);
  }
  for (const route of ["primal", "dual", "matrix-free"]) await walkTraining(route, threads);
}
console.log(JSON.stringify(tally));
