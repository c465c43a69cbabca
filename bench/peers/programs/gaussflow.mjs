// Runs gaussflow as a peer on one problem folder: train() with its defaults, with the given weights and on all samples, as every peer; with
// "batch-start" begun by an epoch on batches.
// bench/peers/run.mjs starts it in a child process (lib/run-peer.mjs).
//   node bench/peers/programs/gaussflow.mjs FOLDER CAP_SECONDS TARGET_LOSS [batch-start]
import { readFileSync } from "node:fs";
import { network, plan, train } from "../../../dist/index.js";
import { reorderWeights } from "../lib/problem-folder.mjs";
import { Record, readArguments } from "./peer.mjs";

const { problem, cap, target } = readArguments();
const { layers } = problem;
const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
const record = new Record({ cap, target }, `gaussflow ${version}`);
const net = network({ layers }).withParameters(reorderWeights(problem.weights, layers, false));

const data = { inputs: problem.inputs, targets: problem.targets, inputSize: layers[0], outputSize: layers.at(-1) };
// Loads the addon, as the peers' imports load their libraries; nothing is computed with it.
plan(net, data);

// The copying of the data and the start of the threads are in the time.
await record.run(async () => {
  const { reason } = await train(net, data, {
    validation: false,
    standardize: false,
    batchStart: process.argv[5] === "batch-start",
    stop: { loss: target, iterations: 10_000_000, seconds: cap },
    onRecord: ({ accepted, iteration, loss }) => {
      if (accepted) record.loss(iteration, loss);
    },
  });
  return reason.code === "seconds" ? "cap" : `stopped itself: ${reason.message}`;
});
