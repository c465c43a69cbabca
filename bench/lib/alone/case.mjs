// A child process of bench/compare.mjs: finds one case of a checkout by its name and runs it without its baseline, once for each "run"
// message, until "end". It sends { ready } first and { figure } after each run. A case that does its own runs, without lib/interleave.mjs,
// runs whole for each message.
import { readdirSync } from "node:fs";
import { register } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { mean } from "../statistics.mjs";
import { takeTurns } from "./turns.mjs";

register("./hooks.mjs", import.meta.url);

const [folder, name, threads] = process.argv.slice(2);

async function findCase() {
  const cases = join(folder, "bench", "cases");
  for (const file of readdirSync(cases).filter((entry) => entry.endsWith(".mjs"))) {
    const lists = Object.values(await import(pathToFileURL(join(cases, file)).href));
    const found = lists.flat().find((entry) => entry.name === name);
    if (found) return found;
  }
  throw new Error(`${folder} has no case ${name}`);
}

/** The figure of a case that did its own runs: the mean of its ratios where it has several, its ratio where it has one, else its seconds. */
function figure({ ours, baseline, ratios }) {
  if (ratios === undefined) return baseline ? ours / baseline : ours;
  const logarithms = Object.values(ratios).flatMap((row) => Object.values(row).map(Math.log));
  return Math.exp(mean(logarithms));
}

const found = await findCase();
const baseline = { ask: async () => ({}), close() {} };
const whole = async () => figure(await found.run({ threads: Number(threads), quick: false, runsAtLeast: 3, baseline }));
await whole(); // does not return where the case takes turns
await takeTurns(whole);
