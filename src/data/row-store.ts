// Stores the rows of numbers of a table in memory while `readCsv` reads it (read-csv.ts): row-major, in pieces of at most half a megabyte
// (or one row), so that growing copies nothing and a table of a few rows takes little memory.

const PIECE = 65536;

export class RowStore {
  readonly width: number;
  readonly #rowsAPiece: number;
  #pieces: (Float64Array | null)[] = [];
  length = 0;

  constructor(width: number) {
    this.width = width;
    this.#rowsAPiece = Math.max(1, Math.floor(PIECE / width));
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#pieces.length * this.#rowsAPiece * this.width * Float64Array.BYTES_PER_ELEMENT;
  }

  add(row: Float64Array): void {
    const place = this.length % this.#rowsAPiece;
    if (place === 0) this.#pieces.push(new Float64Array(this.#rowsAPiece * this.width));
    this.#pieces.at(-1)!.set(row, place * this.width);
    this.length++;
  }

  get(row: number, column: number): number {
    const piece = this.#pieces[Math.floor(row / this.#rowsAPiece)]!;
    return piece[(row % this.#rowsAPiece) * this.width + column]!;
  }

  /** Frees the rows before `row`, which must not be read any more. */
  forgetBefore(row: number): void {
    const pieces = Math.floor(row / this.#rowsAPiece);
    for (let k = pieces - 1; k >= 0 && this.#pieces[k] !== null; k--) this.#pieces[k] = null;
  }
}
