// Cases that time a linearization with the Gram matrix (primal) or the kernel (dual) against `dsyrk` or `ssyrk` on a stored Jacobian, the
// one call that a user of OpenBLAS would make. The time of gaussflow includes all passes; the baseline does not include forming the
// Jacobian. bench/run.mjs runs the cases by name (`npm run bench`), and bench/compare.mjs runs them without the baseline.
import { interleave, timed } from "../lib/interleave.mjs";
import { peakMegabytes } from "../lib/memory.mjs";
import { engineFor, mustSucceed, problem } from "../lib/problem.mjs";

function gramCase({
  name,
  layers,
  sampleCount,
  curvature,
  precision = "double",
  runs,
  warmRuns = 1,
  peakLimit,
  slice = 1,
}) {
  return {
    name,
    async run({ baseline, threads, runsAtLeast }) {
      const made = problem(layers, sampleCount);
      const engine = await engineFor("native", made, threads);
      const rows = sampleCount * layers.at(-1);
      const columns = made.architecture.parameterCount;
      // dsyrk DEPTH SIZE: primal sums over rows into p x p, dual sums over parameters into rows x rows
      const [depth, size] = curvature === "primal" ? [rows, columns] : [columns, rows];
      // As a training with the default options does.
      const request = { curvature, precision, decay: 0, scaling: null, exactMeasureBelow: 1e-10 };
      const ours = () => timed(() => engine.linearize(made.parameters, request), mustSucceed);
      // A Jacobian that does not fit beside us: the baseline sums over a slice of its depth, which its time is proportional to.
      const command = `dsyrk ${Math.ceil(depth / slice)} ${size} ${threads}`;
      const result = await interleave({
        ours,
        baseline: async () => (await baseline.ask(command)).seconds * (depth / Math.ceil(depth / slice)),
        runs: Math.max(runs ?? 0, runsAtLeast),
        warmRuns,
      });
      const variant = await baseline.ask(command);
      await baseline.ask("free");
      const peakOfLinearize = peakMegabytes();
      mustSucceed(await engine.solve({ damping: 1, decay: 0, scaling: null }));
      const peakWithSolve = peakMegabytes();
      engine.dispose();
      const notes = [
        `stored Jacobian ${rows} x ${columns}, dsyrk uplo ${variant.uplo} trans ${variant.trans}`,
        `GF/s of both count dsyrk's flops, ${(depth * size * (size + 1) * 1e-9).toFixed(2)} GF`,
      ];
      if (warmRuns > 1) notes.push(`${warmRuns} runs of ours before the first that counts`);
      if (slice > 1) notes.push(`baseline extrapolated: ${slice} times a dsyrk over one part in ${slice} of the depth`);
      const memory = peakLimit
        ? { peakMegabytes: peakWithSolve, limitMegabytes: peakLimit, peakOfLinearizeMegabytes: peakOfLinearize }
        : {};
      return {
        ...result,
        baselineName: `OpenBLAS dsyrk, ${threads} threads`,
        flops: depth * size * (size + 1),
        notes,
        ...memory,
      };
    },
  };
}

export const gramCases = [
  gramCase({ name: "primal-gram-8-32-32-1", layers: [8, 32, 32, 1], sampleCount: 5000, curvature: "primal", runs: 15 }),
  gramCase({
    name: "primal-gram-f32-8-32-32-1",
    layers: [8, 32, 32, 1],
    sampleCount: 5000,
    curvature: "primal",
    precision: "single",
    runs: 15,
  }),
  gramCase({ name: "primal-gram-12-64-64-2", layers: [12, 64, 64, 2], sampleCount: 2000, curvature: "primal" }),
  gramCase({
    name: "kernel-8-256-256-1",
    layers: [8, 256, 256, 1],
    sampleCount: 2000,
    curvature: "dual",
    peakLimit: 250,
  }),
  gramCase({
    name: "kernel-8-1024-1024-1",
    layers: [8, 1024, 1024, 1],
    sampleCount: 1000,
    curvature: "dual",
    slice: 16,
    // A gradient of 8 MB an iteration: the first ones are in memory never touched before, as no later one is.
    warmRuns: 10,
    runs: 15,
  }),
];
