// LineProcess starts a child process that answers one line of text by one line of JSON (or several, until a line for which `last` is true).
// The process waits asleep on its stdin, so that it costs nothing during the runs it is compared with. baseline.mjs uses it for the program
// bench/baseline.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export class LineProcess {
  #child;
  #waiting = null;
  #failure = null;
  #name;

  constructor(command, args, options = {}) {
    this.#name = options.name ?? command;
    this.#child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"], ...options });
    this.#child.stdin.on("error", () => {}); // its exit is reported below
    this.#child.on("error", (error) => this.#fail(error));
    this.#child.on("exit", (code, signal) => this.#fail(new Error(`${this.#name} ended (${signal ?? code})`)));
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#receive(line));
  }

  /** Sends `line` and returns every answer up to the first one for which `last` holds. */
  converse(line, last = () => true) {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject, last, answers: [] };
      this.#child.stdin.write(`${line}\n`);
    });
  }

  /** Sends `line` and returns the one answer; an answer with `error` rejects. */
  async ask(line) {
    const [answer] = await this.converse(line);
    if (answer.error) throw new Error(`${this.#name}: ${answer.error}`);
    return answer;
  }

  close() {
    this.#child.stdin.end();
  }

  #receive(line) {
    const waiting = this.#waiting;
    if (!waiting) return;
    try {
      waiting.answers.push(JSON.parse(line));
    } catch (error) {
      this.#fail(new Error(`${this.#name} answered no JSON: ${line.slice(0, 200)}`, { cause: error }));
      return;
    }
    if (waiting.last(waiting.answers.at(-1))) {
      this.#waiting = null;
      waiting.resolve(waiting.answers);
    }
  }

  #fail(error) {
    this.#failure = error;
    this.#waiting?.reject(error);
    this.#waiting = null;
  }
}
