// Parses the values of flags of gaussflow fit that name parameters: starts, bounds and lists of names. fit.ts passes these functions to
// commander.
import { InvalidArgumentError } from "commander";
import { isDecimal } from "./parse.js";

/** Numbers by name. */
export type NamedNumbers = Readonly<Record<string, number>>;

/** No names: without a prototype, so that a parameter may be called "constructor". */
export const NO_NAMES: Readonly<Record<string, never>> = Object.freeze(Object.create(null));

/** "b1=500,b2=1e-4": a number for each name. Repeating the option adds names. */
export function namedNumbers(text: string, previous: NamedNumbers | undefined): NamedNumbers {
  const values: Record<string, number> = Object.assign(Object.create(null), previous);
  for (const { name, value } of assignments(text, 'such as "b1=500,b2=1e-4"')) {
    if (!isDecimal(value))
      throw new InvalidArgumentError(`${name} must be a number; received ${JSON.stringify(value)}.`);
    setOnce(values, name, Number(value));
  }
  return values;
}

/** Values at which parameters are held; null = at their start. */
export type HeldParameters = Readonly<Record<string, number | null>>;

/** "b3=0,b4": parameters to hold, at a value or at their start. Repeating the option adds names. */
export function heldParameters(text: string, previous: HeldParameters | undefined): HeldParameters {
  const held: Record<string, number | null> = Object.assign(Object.create(null), previous);
  for (const part of text.split(",")) {
    if (part.includes("=")) setOnce(held, ...(Object.entries(namedNumbers(part, undefined))[0] as [string, number]));
    else if (/^\s*\S+\s*$/.test(part)) setOnce(held, part.trim(), null);
    else throw new InvalidArgumentError('It must be names, with values where they have no start, such as "b3=0,b4".');
  }
  return held;
}

/** A lower and an upper end; null where there is none. */
export type NamedBounds = Readonly<Record<string, readonly [number | null, number | null]>>;

/** "b1=0:,b2=-1:1": the lower and the upper end for each name, either may be left out. Repeating the option adds names. */
export function namedBounds(text: string, previous: NamedBounds | undefined): NamedBounds {
  const bounds: Record<string, readonly [number | null, number | null]> = Object.assign(Object.create(null), previous);
  for (const { name, value } of assignments(text, 'such as "b1=0:,b2=-1:1"')) {
    const ends = value.split(":").map((end) => end.trim());
    const [lower = "", upper = ""] = ends;
    if (ends.length !== 2 || !ends.every((end) => end === "" || isDecimal(end)) || (lower === "" && upper === ""))
      throw new InvalidArgumentError(
        `The bounds of ${name} must be lower:upper, either of which may be left out; received ${JSON.stringify(value)}.`,
      );
    const [least, most] = [lower === "" ? null : Number(lower), upper === "" ? null : Number(upper)];
    if (least !== null && most !== null && least >= most)
      throw new InvalidArgumentError(
        `The lower bound of ${name} must be below the upper one; received ${JSON.stringify(value)}. --fixed ${name}=${lower} holds a parameter.`,
      );
    setOnce(bounds, name, [least, most]);
  }
  return bounds;
}

function assignments(text: string, form: string): { name: string; value: string }[] {
  return text.split(",").map((part) => {
    const [, name, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(part) ?? [];
    if (name === undefined || value === undefined)
      throw new InvalidArgumentError(`It must be names and values ${form}; received ${JSON.stringify(part.trim())}.`);
    return { name, value };
  });
}

function setOnce<T>(values: Record<string, T>, name: string, value: T): void {
  if (Object.hasOwn(values, name)) throw new InvalidArgumentError(`${name} is given twice.`);
  values[name] = value;
}
