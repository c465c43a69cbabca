// Reads formulas: mathjs parses the text, and this file turns its tree into ours, with an error for everything that has no derivative rule.
// src/fit reads models by it and src/equations residuals, features and transforms.
import type { MathNode } from "mathjs";
import { argumentError, type GaussflowError } from "../errors.js";
import { listed, nearest } from "../suggest.js";
import { apply, type Expression, name as named, number } from "./expression.js";
import { FUNCTIONS } from "./functions.js";
import type { Operation } from "./tape.js";

/** What a formula may refer to. */
export interface Vocabulary {
  /** Names of variables. */
  readonly names: readonly string[];
  /** Calls that are names too, such as "laplacian(u)". */
  readonly calls?: {
    readonly isName: (call: string) => boolean;
    /** Examples, for errors. */
    readonly examples: readonly string[];
  };
  /** What to do about an unknown name, where more is known than similar names; null where not. */
  readonly advice?: (name: string) => string | null;
  /** How a name is made known, for errors: "give it a start". */
  readonly declare?: string;
  /** Names of fixed numbers, besides `pi` and `e`. A variable of the same name as a constant hides it. */
  readonly constants?: Readonly<Record<string, number>>;
}

/** Longest text of a formula. */
const LONGEST = 20_000;
/** Deepest nesting of operations, which the walks through trees can follow. */
const DEEPEST = 1000;

/** Words that the parser reads as operators where two operands surround them. */
const OPERATOR_WORDS: ReadonlySet<string> = new Set(["mod", "to", "in", "and", "or", "xor", "not", "end"]);

const OPERATORS: Readonly<Record<string, Operation>> = {
  add: "add",
  subtract: "subtract",
  multiply: "multiply",
  divide: "divide",
  pow: "power",
  unaryMinus: "negate",
};

/** The parts of a node of mathjs that are read here. */
interface ParsedNode {
  readonly type: string;
  readonly name?: string;
  readonly value?: unknown;
  readonly fn?: string | { readonly name?: string };
  readonly op?: string;
  readonly implicit?: boolean;
  readonly args?: readonly ParsedNode[];
  readonly content?: ParsedNode;
  toString(): string;
}

let parser: Promise<(text: string) => MathNode> | undefined;

/** mathjs' parser, loaded at the first formula: programs without formulas do not wait for it. */
function loadParser(): Promise<(text: string) => MathNode> {
  parser ??= import("mathjs/number").then(({ create, parseDependencies }) => create(parseDependencies).parse!);
  return parser;
}

/**
 * Reads a formula such as "b1*(1 - exp(-b2*x))". Known are + - * / ^, parentheses, `pi`, `e` and the functions of `FUNCTIONS`.
 *
 * @param argument what the text is called in errors, such as "model"
 * @throws GaussflowError if the text is no formula, or has names, functions or operators that are not known
 */
export async function parseExpression(text: string, vocabulary: Vocabulary, argument: string): Promise<Expression> {
  const tree = await parsed(text, argument);
  return new Reader(text, vocabulary, argument).read(tree as unknown as ParsedNode, 0);
}

/**
 * The names that a formula has besides functions, `pi` and `e`, in the order of their first places: its variables and parameters.
 *
 * @param argument what the text is called in errors, such as "model"
 * @throws GaussflowError if the text is no formula
 */
export async function formulaNames(text: string, argument: string): Promise<string[]> {
  const names = new Set<string>();
  (await parsed(text, argument)).traverse((node, path) => {
    const { type, name = "" } = node as unknown as ParsedNode;
    if (type === "SymbolNode" && path !== "fn" && name !== "pi" && name !== "e") names.add(name);
  });
  return [...names];
}

async function parsed(text: string, argument: string): Promise<MathNode> {
  if (typeof text !== "string" || text.trim() === "") throw argumentError(argument, "must be a formula as text", text);
  if (text.length > LONGEST)
    throw argumentError(argument, `must have at most ${LONGEST} characters`, `${text.length} characters`);
  const parse = await loadParser();
  try {
    return parse(text);
  } catch (cause) {
    throw syntaxError(text, argument, cause);
  }
}

/**
 * Tests that names can stand in a formula.
 *
 * @throws GaussflowError for a name that the parser reads as something else, or that a function has
 */
export async function checkNames(names: readonly string[], argument: string): Promise<void> {
  const parse = await loadParser();
  for (const name of names) {
    let read: Partial<ParsedNode> = {};
    try {
      read = parse(name) as unknown as ParsedNode;
    } catch {
      // The error below says it.
    }
    if (read.type !== "SymbolNode" || read.name !== name || OPERATOR_WORDS.has(name))
      throw argumentError(argument, "must have names of letters, digits and _ that begin with a letter", name);
    if (FUNCTIONS.has(name)) throw argumentError(argument, "must not have the name of a function", name);
  }
}

const tooDeep = (text: string, argument: string) =>
  argumentError(argument, `must not nest more than ${DEEPEST} operations`, text);

function syntaxError(text: string, argument: string, cause: unknown): GaussflowError {
  if (cause instanceof RangeError) return tooDeep(text, argument); // mathjs' own recursion
  const char = (cause as { char?: number }).char;
  if (char === undefined) throw cause;
  const rest = text.slice(char - 1).trim();
  const remedy = text.slice(char - 2, char) === "**" ? ": write ^ for powers" : "";
  const where = rest === "" ? "at its end" : `at character ${char}, before ${JSON.stringify(rest.slice(0, 30))}`;
  const message = String((cause as Error).message).replace(/ \(char \d+\)$/, "");
  return argumentError(argument, `is not a formula ${where} (${message})${remedy}`, text);
}

/** Turns one parsed tree into an expression. */
class Reader {
  readonly #constants: ReadonlyMap<string, number>;
  readonly #names: ReadonlySet<string>;

  constructor(
    readonly text: string,
    readonly vocabulary: Vocabulary,
    readonly argument: string,
  ) {
    this.#names = new Set(vocabulary.names);
    this.#constants = new Map([["pi", Math.PI], ["e", Math.E], ...Object.entries(vocabulary.constants ?? {})]);
  }

  read(node: ParsedNode, depth: number): Expression {
    if (depth > DEEPEST) throw argumentError(this.argument, `must not nest more than ${DEEPEST} operations`, this.text);
    switch (node.type) {
      case "ParenthesisNode":
        return this.read(node.content!, depth + 1);
      case "ConstantNode":
        return this.#number(node);
      case "SymbolNode":
        return this.#symbol(node);
      case "FunctionNode":
        return this.#call(node, depth);
      case "OperatorNode":
        return this.#operator(node, depth);
      default:
        throw this.#refused(node, `is ${KINDS[node.type] ?? "no part of a formula"}`);
    }
  }

  #number(node: ParsedNode): Expression {
    if (typeof node.value !== "number" || !Number.isFinite(node.value))
      throw this.#refused(node, "is not a finite number");
    return number(node.value);
  }

  #symbol(node: ParsedNode): Expression {
    const name = node.name!;
    if (this.#names.has(name)) return named(name);
    const value = this.#constants.get(name);
    if (value !== undefined) return number(value);
    if (FUNCTIONS.has(name)) throw this.#refused(node, `is a function: write ${name}(...)`);
    const known = [...this.#names, ...this.#constants.keys()];
    const near = nearest(name, known);
    const guess = near === null ? `known names are: ${listed(known)}` : `did you mean ${JSON.stringify(near)}?`;
    const { declare, advice } = this.vocabulary;
    const remedy = advice?.(name) ?? (declare === undefined ? guess : `${guess} Or ${declare}`);
    throw this.#refused(node, `is not a known name: ${remedy}`);
  }

  #call(node: ParsedNode, depth: number): Expression {
    const whole = node.toString();
    if (this.vocabulary.calls?.isName(whole)) return named(whole);
    const name = typeof node.fn === "string" ? node.fn : (node.fn?.name ?? "");
    const args = node.args ?? [];
    const definition = FUNCTIONS.get(name);
    if (definition === undefined) {
      if (this.#names.has(name) || this.#constants.has(name))
        throw this.#refused(node, `is a call, and ${name} is a number: write ${name}*(...) for a product`, name);
      const known = [...(this.vocabulary.calls?.examples ?? []), ...FUNCTIONS.keys()];
      const near = nearest(name, known);
      const also = near === null ? "" : ` (did you mean ${near}?)`;
      throw this.#refused(node, `has no derivative rule here${also}; there are: ${listed(known, 40)}`, name);
    }
    const { least, most, build } = definition;
    if (args.length < least || args.length > most) {
      const rule = least === most ? `takes ${least}` : `takes ${least} to ${most}`;
      throw this.#refused(node, `${rule} argument${most === 1 ? "" : "s"} and has ${args.length}`, name);
    }
    return build(args.map((part) => this.read(part, depth + 1)));
  }

  #operator(node: ParsedNode, depth: number): Expression {
    const args = node.args!;
    const operands = () => args.map((part) => this.read(part, depth + 1));
    if (node.fn === "unaryPlus") return operands()[0];
    const operation = OPERATORS[node.fn as string];
    if (operation === undefined)
      throw this.#refused(node, `has the operator ${node.op}, which has no derivative rule: there are + - * / ^`);
    // "a / b c" is a/(b c) in some languages and (a/b) c in others.
    const implicit = (part: ParsedNode) => part.type === "OperatorNode" && part.implicit === true;
    const isDivision = (part: ParsedNode) => part.type === "OperatorNode" && part.fn === "divide";
    if ((operation === "divide" && implicit(args[1])) || (node.implicit === true && args.some(isDivision)))
      throw this.#refused(node, "can be read in two ways: write * and parentheses");
    const [a, b] = operands();
    return apply(operation, a, b);
  }

  /** An error about a part of the text, with its place where it is found in the text as it was written. */
  #refused(node: ParsedNode, rule: string, spelled = node.toString()): GaussflowError {
    const part = node.toString();
    const at = this.#find(spelled);
    const where = at === null ? "" : ` at character ${at}`;
    return argumentError(this.argument, `has ${JSON.stringify(part)}${where}, which ${rule}`, this.text);
  }

  /** The first place (from 1) where the part stands as a whole word, whatever the spaces; null if it is spelled otherwise. */
  #find(part: string): number | null {
    const places = [...this.text].flatMap((letter, at) => (letter.trim() === "" ? [] : [{ letter, at }]));
    const dense = places.map(({ letter }) => letter).join("");
    const wanted = part.replace(/\s+/g, "");
    const word = /[\p{L}\p{N}_$]/u;
    for (let from = dense.indexOf(wanted); from >= 0; from = dense.indexOf(wanted, from + 1)) {
      const first = places[from].at;
      const last = places[from + wanted.length - 1].at;
      const joins = (at: number) => word.test(this.text[at] ?? "") && word.test(this.text[at + 1] ?? "");
      if (!joins(first - 1) && !joins(last)) return first + 1;
    }
    return null;
  }
}

const KINDS: Readonly<Record<string, string>> = {
  AssignmentNode: "an assignment: give the right side alone",
  FunctionAssignmentNode: "a definition of a function: give the right side alone",
  BlockNode: "more than one formula: give one formula",
  ConditionalNode: "a condition and has no derivative rule: min, max, abs and sign are there",
  RelationalNode: "a comparison and has no derivative rule: min, max, abs and sign are there",
  ArrayNode: "a matrix: formulas are of single numbers",
  RangeNode: "a range: formulas are of single numbers",
  AccessorNode: "an access to a part: formulas are of single numbers with plain names",
  IndexNode: "an index: formulas are of single numbers with plain names",
  ObjectNode: "an object: formulas are of single numbers",
};
