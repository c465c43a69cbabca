// Malformed tables for fuzzing: a sound table, hurt in one or two of the ways real files are.
import { Random } from "../../src/index.js";

const TOKENS = [
  "",
  "NaN",
  "Infinity",
  "-inf",
  "1e999",
  "0x1f",
  "1,5",
  "abc",
  '"',
  '""',
  "'",
  "null",
  "?",
  "1 2",
  "\u0000",
  "é",
  "\t",
  "9".repeat(400),
];

/** A table as bytes; the same for the same seed. */
export function malformedCsv(seed: number): Buffer {
  const random = new Random(seed, 3);
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)];
  const delimiter = pick([",", ";", "\t", "|"]);
  const columns = 1 + random.below(5);
  const rows = random.below(8);
  const cells = Array.from({ length: rows }, () =>
    Array.from({ length: columns }, () => (random.uniform() * 100).toFixed(3)),
  );
  const names = Array.from({ length: columns }, (_, j) => `c${j}`);
  let lines = [names, ...cells].map((row) => row.join(delimiter));
  let text = lines.join("\n");
  for (let wounds = 1 + random.below(2); wounds > 0; wounds--) {
    const at = random.below(text.length + 1);
    switch (random.below(9)) {
      case 0:
        text = text.slice(0, at);
        break;
      case 1:
        text = text.slice(0, at) + pick(TOKENS) + text.slice(at);
        break;
      case 2:
        text = text.replace(/\d+\.\d+/, pick(TOKENS));
        break;
      case 3:
        text = text.slice(0, at) + pick(["\n", "\r", "\r\n", "\n\n"]) + text.slice(at);
        break;
      case 4:
        text = text.slice(0, at) + pick([",", ";", "\t", "|"]) + text.slice(at);
        break;
      case 5:
        text = text.replaceAll(delimiter, pick([",", ";", " "]));
        break;
      case 6:
        lines = text.split("\n");
        lines[random.below(lines.length)] = "";
        text = lines.join("\n");
        break;
      case 7:
        text = text.replace("c0", pick(["c1", "", '"c0']));
        break;
      default:
        text = `\ufeff${text}`;
    }
  }
  const bytes = Buffer.from(text);
  if (random.below(12) === 0 && bytes.length > 0) bytes[random.below(bytes.length)] = pick([0, 0xff, 0xc3, 0x80]);
  return bytes;
}
