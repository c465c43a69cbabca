// The native engine for residuals with derivatives against the reference one, and against itself on other numbers of threads; calls that
// overlap, are aborted, or are asked of an engine that was disposed of; the estimate of its bytes.
import { describe, expect, it } from "vitest";
import { createJetEngine } from "../../src/backend/create-jets.js";
import { jetEngineBytes } from "../../src/backend/estimate.js";
import type { JetEngine } from "../../src/backend/jet-engine.js";
import { createNativeJetEngine } from "../../src/backend/native/jet-engine.js";
import { loadNative } from "../../src/backend/native/load.js";
import { createReferenceJetEngine } from "../../src/backend/reference/jets/engine.js";
import { ACTIVATION_NAMES } from "../../src/network/activations.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import { difference, sure } from "../helpers/engine-problems.js";
import { twoTerms } from "../helpers/jet-problems.js";

const SMOOTH = ACTIVATION_NAMES.filter((name) => name !== "relu");

async function caseOf(activation: (typeof SMOOTH)[number], inside: number, edge: number) {
  const random = new Random(7, 2);
  const problem = await twoTerms(random, inside, edge);
  const { architecture } = network({ layers: [2, 11, 6, 2], activation, seed: 1 });
  const p = architecture.parameterCount + problem.unknownCount;
  const parameters = Float64Array.from({ length: p }, () => 0.4 * random.normal());
  return { problem, architecture, parameters, p };
}

/** Everything that an engine computes at a point, by name. */
async function answersOf(engine: JetEngine, w: Float64Array): Promise<Record<string, Float64Array>> {
  const scaling = new Float64Array(engine.parameterCount);
  const { loss } = await sure(engine.evaluate(w));
  const { gradient: alone } = await sure(engine.linearize(w, { curvature: "none", decay: 0.1, scaling: null }));
  const at = await sure(engine.linearize(w, { curvature: "primal", decay: 0.1, scaling }));
  const { step, condition } = await sure(engine.solve({ damping: 0.3, decay: 0.1, scaling, condition: true }));
  const { acceleration } = await sure(engine.accelerate(step, scaling));
  const inverse = await sure(engine.dampedInverse(at.gradient));
  const { values } = await engine.eigen(false);
  const jets = await engine.outputJets(
    w,
    { firsts: 1, seconds: [[[0, 0, 2]]] },
    Float64Array.of(0.3, -0.2, 1, 0, 0, 0, 0.9, 0.1, 0, 1, 0, 0),
  );
  return {
    numbers: Float64Array.of(loss, at.loss, at.gradientCosine),
    residuals: await engine.residuals(w),
    rows: await engine.jacobian(w, 3, 10),
    gradient: at.gradient,
    alone,
    scaling,
    matrix: await engine.curvature(),
    product: await engine.curvatureProduct(at.gradient),
    step,
    acceleration,
    inverse,
    jets,
    values,
    condition: Float64Array.of(condition),
    shifted: await sure(engine.curvatureInverse(at.gradient, 2)),
  };
}

describe.runIf(loadNative().ok)("the native jet engine", () => {
  it.each(SMOOTH)("%s: computes what the reference engine does", async (activation) => {
    const { problem, architecture, parameters, p } = await caseOf(activation, 150, 40);
    const [one, other] = [createReferenceJetEngine, createNativeJetEngine].map((create) =>
      create(architecture, problem, { threads: 2 }),
    );
    const [expected, found] = [await answersOf(one, parameters), await answersOf(other, parameters)];
    // Sums of n terms in another order, with a damping that leaves a condition of about 1e4.
    const tolerance = 4 * one.sampleCount * Number.EPSILON;
    for (const [name, value] of Object.entries(expected)) {
      const solved = ["step", "acceleration", "inverse", "condition", "shifted"].includes(name);
      expect(difference(value, found[name]), name).toBeLessThan(solved ? 1e4 * tolerance : 4 * tolerance);
    }
    expect([other.sampleCount, other.outputSize, other.parameterCount]).toEqual([one.sampleCount, 1, p]);
  });

  it("threads change no bit", async () => {
    const { problem, architecture, parameters } = await caseOf("tanh", 700, 90);
    const answers = [];
    for (const threads of [1, 2, 3])
      answers.push(await answersOf(createNativeJetEngine(architecture, problem, { threads }), parameters));
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
  });

  it("estimates its bytes exactly", async () => {
    const { problem, architecture, parameters } = await caseOf("silu", 700, 90);
    for (const threads of [1, 2]) {
      const engine = createNativeJetEngine(architecture, problem, { threads });
      await answersOf(engine, parameters);
      const { data, curvature, factor, workspaces } = jetEngineBytes(architecture, problem, threads);
      expect(engine.bytes()).toBe(data + curvature + factor + workspaces);
      engine.dispose();
      expect(engine.bytes()).toBe(0);
    }
  });

  it("refuses a second call, stops for a signal, and works on", async () => {
    const { problem, architecture, parameters } = await caseOf("tanh", 3000, 90);
    const engine = createNativeJetEngine(architecture, problem, { threads: 2 });
    const request = { curvature: "primal", decay: 0, scaling: null } as const;
    const running = engine.linearize(parameters, request);
    await expect(engine.evaluate(parameters)).rejects.toMatchObject({ code: "GAUSSFLOW_BUSY" });
    expect(() => engine.loadTerm(0, problem.terms[0].inputs, problem.terms[0].auxiliary)).toThrow(/at work/);
    await sure(running);
    expect(engine.held).toBe("primal");
    const controller = new AbortController();
    const stopped = engine.linearize(parameters, request, controller.signal);
    controller.abort(new Error("enough"));
    await expect(stopped).rejects.toThrow("enough");
    expect(engine.held).toBe("none");
    await expect(engine.solve({ damping: 1, decay: 0, scaling: null })).rejects.toMatchObject({
      code: "GAUSSFLOW_STATE",
    });
    await expect(engine.curvature()).rejects.toMatchObject({ code: "GAUSSFLOW_STATE" });
    await sure(engine.linearize(parameters, request));
  });

  it("keeps its factor for the inverse through new points", async () => {
    const { problem, architecture, parameters } = await caseOf("tanh", 200, 50);
    const engine = createNativeJetEngine(architecture, problem, { threads: 1 });
    await expect(engine.dampedInverse(parameters)).rejects.toMatchObject({ code: "GAUSSFLOW_STATE" });
    await sure(engine.linearize(parameters, { curvature: "primal", decay: 0, scaling: null }));
    await sure(engine.solve({ damping: 1, decay: 0, scaling: null }));
    const before = await sure(engine.dampedInverse(parameters));
    const [{ inputs, auxiliary }] = problem.terms;
    engine.loadTerm(0, inputs, auxiliary);
    await sure(engine.linearize(parameters, { curvature: "none", decay: 0, scaling: null }));
    expect(await sure(engine.dampedInverse(parameters))).toEqual(before);
  });

  it("is what createJetEngine makes, and the reference one where it is asked for", async () => {
    const { problem, architecture } = await caseOf("tanh", 5, 5);
    expect(createJetEngine(architecture, problem, { backend: "native", threads: 1 }).kind).toBe("native");
    expect(createJetEngine(architecture, problem, { backend: "typescript" }).kind).toBe("reference");
  });
});
