// Provides what the JavaScript peers of this folder (gaussflow, ml_lm, tfjs_adam) share, as peer.py does for those in Python: readArguments
// (command line and problem), Record (clock and protocol) and the import of a peer's npm package.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { npmFolder } from "../lib/places.mjs";
import { readProblem } from "../lib/problem-folder.mjs";

/** Thrown inside somebody else's optimizer to leave it. */
export class Finished extends Error {}

/** FOLDER CAP_SECONDS TARGET_LOSS of the command line. */
export function readArguments() {
  const [folder, cap, target] = process.argv.slice(2);
  return { problem: readProblem(folder), cap: Number(cap), target: Number(target) };
}

const require = createRequire(join(npmFolder, "package.json"));

/** A package from the bench's own npm folder. */
export const importPeer = (name) => import(pathToFileURL(require.resolve(name)));

export function peerVersion(name) {
  const { version } = JSON.parse(readFileSync(join(npmFolder, "node_modules", name, "package.json"), "utf8"));
  return `${name} ${version}`;
}

export class Record {
  #began = 0;
  #paused = 0;
  #cap;
  #target;

  constructor({ cap, target }, ...versions) {
    this.#cap = cap;
    this.#target = target;
    console.log(`version ${[...versions, `Node ${process.version}`].join(", ")}`);
  }

  start() {
    this.#began = performance.now();
  }

  seconds() {
    return (performance.now() - this.#began - this.#paused) / 1000;
  }

  /** Prints a loss that the peer's own work yields; throws Finished at the target, at a loss that is no number and at the cap. */
  loss(count, value, seconds = this.seconds()) {
    console.log(`loss ${seconds.toFixed(6)} ${count} ${value.toExponential(12)}`);
    if (value <= this.#target) throw new Finished("target");
    if (!Number.isFinite(value)) throw new Finished("not finite");
    if (seconds > this.#cap) throw new Finished("cap");
  }

  /** A loss computed for the record alone, off the clock. */
  evaluated(count, evaluate) {
    const seconds = this.seconds();
    const before = performance.now();
    const value = evaluate();
    this.#paused += performance.now() - before;
    this.loss(count, value, seconds);
  }

  /** Starts the clock and optimizes; `optimize` returns why it ended or leaves by Finished. */
  async run(optimize) {
    this.start();
    try {
      console.log(`end ${await optimize()}`);
    } catch (error) {
      if (!(error instanceof Finished)) throw error;
      console.log(`end ${error.message}`);
    }
  }
}
