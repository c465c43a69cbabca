// Draws the batches of a min-max game for game.ts: real rows in an order shuffled every epoch, latent inputs of the generator, and the weights
// between real rows and samples of the gradient penalty. Each is a function of the seed and the number of the batch alone.
import { finish, finishInTurns, type Pace, STEP, type Steps } from "../event-loop-yield.js";
import { permutationSteps, Random } from "../random.js";

/** Streams of the seed; networks, splits and batches of `train` take others. */
const STREAMS = { latent: 2 ** 35, weights: 2 ** 35 + 1, order: 2 ** 36 } as const;

/** Numbers of a piece: each takes some 50 ns. */
const PIECE = STEP / 8;

/** `count` standard normal numbers from place `first` of the seed's latent inputs on. */
export function latentInputs(seed: number, first: number, count: number): Float64Array {
  const numbers = new Float64Array(count);
  finish(latentInputSteps(seed, first, numbers));
  return numbers;
}

/** The same, as many as `into` has places, in pieces. */
export function* latentInputSteps(seed: number, first: number, into: Float64Array): Steps<void> {
  const random = new Random(seed, STREAMS.latent, first);
  for (let k = 0; k < into.length; k++) {
    into[k] = random.normal();
    if (k % PIECE === PIECE - 1) yield;
  }
}

/** The batches of real rows of a game. */
export class RealRows {
  readonly #data: Float64Array;
  readonly #width: number;
  readonly #batch: number;
  readonly #seed: number;
  readonly #perEpoch: number;
  #epoch = -1;
  #order: Uint32Array = new Uint32Array(0);

  /** @param data n x d, row-major; at least `batch` rows */
  constructor(data: Float64Array, width: number, batch: number, seed: number) {
    this.#data = data;
    this.#width = width;
    this.#batch = batch;
    this.#seed = seed;
    this.#perEpoch = Math.floor(data.length / width / batch);
  }

  /** Rows of the data. */
  get count(): number {
    return this.#data.length / this.#width;
  }

  /** Batches of an epoch. Rows that do not fill the last one are left out of that epoch. */
  get perEpoch(): number {
    return this.#perEpoch;
  }

  /** Writes the rows of batch `number`, from 0, to `into`: batch x d. */
  async read(number: number, into: Float64Array, pace: Pace): Promise<void> {
    const epoch = Math.floor(number / this.#perEpoch);
    if (epoch !== this.#epoch) {
      const random = new Random(this.#seed, STREAMS.order + epoch);
      this.#order = await finishInTurns(permutationSteps(random, this.count), pace);
      this.#epoch = epoch;
    }
    const first = (number % this.#perEpoch) * this.#batch;
    const rows = Math.max(1, Math.floor(PIECE / this.#width));
    for (let i = 0; i < this.#batch; i++) {
      const from = this.#order[first + i]! * this.#width;
      into.set(this.#data.subarray(from, from + this.#width), i * this.#width);
      if (i % rows === rows - 1) await pace.turn();
    }
  }
}

/** Points between real rows and samples, x = e real + (1 - e) sample with e uniform on [0, 1), of batch `number`: written to `into`, in pieces. */
export function* betweenSteps(
  real: Float64Array,
  samples: Float64Array,
  width: number,
  seed: number,
  number: number,
  into: Float64Array,
): Steps<void> {
  const rows = real.length / width;
  const random = new Random(seed, STREAMS.weights, number * rows);
  const piece = Math.max(1, Math.floor(PIECE / width));
  for (let i = 0; i < rows; i++) {
    const share = random.uniform();
    for (let k = i * width; k < (i + 1) * width; k++) into[k] = share * real[k]! + (1 - share) * samples[k]!;
    if (i % piece === piece - 1) yield;
  }
}
