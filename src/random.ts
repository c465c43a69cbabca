// Draws random numbers by Philox4x32-10, a counter-based generator. Initial parameters, splits, folds, subsets of samples and randomized
// estimates (Lanczos, Nystrom, noise of the velocity) draw from it, and users may import it. One seed has any number of independent
// streams, and the state of a generator is (seed, stream, position), three integers in a checkpoint.
//   block(counter, key) = ten rounds of multiply-high / multiply-low / xor on four 32-bit words
// Only +, -, *, /, sqrt and integer operations are used, which ECMAScript rounds exactly: the numbers are the same on every platform.
// Sources: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011); the inverse normal distribution in
// src/normal-quantile.ts.
import { reserve } from "./bytes.js";
import { argumentError } from "./errors.js";
import { finish, STEP, type Steps } from "./event-loop-yield.js";
import { normalQuantile } from "./normal-quantile.js";
import { checkOptionNames } from "./options.js";

/** All that a generator is; plain JSON. */
export interface RandomState {
  /** Seed of the generator. */
  readonly seed: number;
  /** Stream of the seed. */
  readonly stream: number;
  /** How many 64-bit words were drawn. */
  readonly position: number;
}

const TWO_32 = 4294967296;
const TWO_53 = 9007199254740992;

/** High 32 bits of the product of two unsigned 32-bit integers, by 16-bit halves. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16); // < 2^32 + 2^16, exact in a double
  const carry = aLow * bHigh + (middle % 65536);
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(carry / 65536)) >>> 0;
}

/**
 * One Philox4x32-10 block: four 32-bit counter words and two key words in, four random words out (written to `out`).
 * The known-answer vectors of Random123 are in the tests.
 */
export function philox(c0: number, c1: number, c2: number, c3: number, k0: number, k1: number, out: Uint32Array): void {
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/**
 * A stream of random numbers. Two generators of the same seed and different streams are independent, so that a part of the
 * library that draws more numbers than before does not shift the numbers of another.
 */
export class Random {
  /** The seed it was made with. */
  readonly seed: number;
  /** The stream of the seed. */
  readonly stream: number;
  #position: number;
  #block = -1;
  readonly #words = new Uint32Array(4);

  /** Throws GAUSSFLOW_ARGUMENT unless all three are integers from 0 to 2^53 - 1. */
  constructor(seed: number, stream = 0, position = 0) {
    for (const [name, value] of Object.entries({ seed, stream, position }))
      if (!Number.isSafeInteger(value) || value < 0)
        throw argumentError(name, "must be an integer from 0 to 2^53 - 1", value);
    this.seed = seed;
    this.stream = stream;
    this.#position = position;
  }

  /** A generator that goes on from a state. @throws GAUSSFLOW_ARGUMENT */
  static fromState(state: RandomState): Random {
    checkOptionNames("state", state, ["seed", "stream", "position"]);
    return new Random(state.seed, state.stream, state.position);
  }

  /** All that is needed to go on from here, as plain data. */
  state(): RandomState {
    return { seed: this.seed, stream: this.stream, position: this.#position };
  }

  /** The next integer of 53 random bits. */
  #next53(): number {
    const block = Math.floor(this.#position / 2);
    if (block !== this.#block) {
      const { seed, stream } = this;
      const high = (value: number) => Math.floor(value / TWO_32);
      philox(block >>> 0, high(block), stream >>> 0, high(stream), seed >>> 0, high(seed), this.#words);
      this.#block = block;
    }
    const first = (this.#position % 2) * 2;
    this.#position++;
    return (this.#words[first]! >>> 5) * 67108864 + (this.#words[first + 1]! >>> 6);
  }

  /** Uniform on [0, 1), a multiple of 2^-53. */
  uniform(): number {
    return this.#next53() / TWO_53;
  }

  /** Standard normal, by the inverse distribution function: one draw a number, |z| <= 8.21. */
  normal(): number {
    // 52 bits and a half: symmetric about 1/2 and never 0 or 1.
    return normalQuantile((Math.floor(this.#next53() / 2) + 0.5) / (TWO_53 / 2));
  }

  /** Uniform integer from 0 to n - 1, without bias (by rejection). n from 1 to 2^53 - 1. */
  below(n: number): number {
    if (!Number.isSafeInteger(n) || n < 1) throw argumentError("n", "must be a positive integer", n);
    const limit = TWO_53 - (TWO_53 % n);
    let draw = this.#next53();
    while (draw >= limit) draw = this.#next53();
    return draw % n;
  }

  /** Shuffles in place (Fisher-Yates, from the end) and returns the same array. */
  shuffle<
    T extends {
      /** Number of entries. */
      readonly length: number;
      /** The entries. */
      [index: number]: unknown;
    },
  >(array: T): T {
    if (!Array.isArray(array) && !ArrayBuffer.isView(array)) throw argumentError("array", "must be an array", array);
    exchange(this, array, array.length - 1, 0);
    return array;
  }

  /** The integers 0 ... n-1 in random order. n from 0 to 2^32 - 1. @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_MEMORY */
  permutation(n: number): Uint32Array {
    return finish(permutationSteps(this, n));
  }
}

/** Places from `from` down to just above `to`, each exchanged with one that is drawn at or below it. */
function exchange(random: Random, array: { [index: number]: unknown }, from: number, to: number): void {
  for (let i = from; i > to; i--) {
    const j = random.below(i + 1);
    const kept = array[i];
    array[i] = array[j];
    array[j] = kept;
  }
}

/** `random.permutation(n)` in pieces. */
export function* permutationSteps(random: Random, n: number): Steps<Uint32Array> {
  if (!Number.isSafeInteger(n) || n < 0 || n >= TWO_32)
    throw argumentError("n", "must be an integer from 0 to 2^32 - 1", n);
  const order = reserve(4 * n, "a permutation", () => new Uint32Array(n));
  for (let i = 0; i < n; i++) {
    order[i] = i;
    if (i % STEP === STEP - 1) yield;
  }
  for (let i = n - 1; i > 0; i -= DRAWN) {
    exchange(random, order, i, Math.max(0, i - DRAWN));
    yield;
  }
  return order;
}

/** Draws of a piece: about a millisecond. */
const DRAWN = STEP / 16;
