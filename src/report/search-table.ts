// Formats what a search for sizes and weight decay has tried, best first, as a table or as fields for --json. gaussflow train prints it
// (cli/train-search.ts).
import { layersText } from "../search/candidates.js";
import type { FitCriterion } from "../search/held-out-loss.js";
import type { TableSearch, TriedNetwork } from "../search/search.js";
import { shownFigures } from "./metrics-table.js";
import { counted, formatNumber } from "./numbers.js";
import { type Painter, plain } from "./paint.js";
import { type TextColumn, textTable } from "./text-table.js";

/** Largest number of rows that are printed. */
const MOST_ROWS = 12;

const COLUMNS: readonly TextColumn[] = [
  { heading: "", align: "left" },
  { heading: "hidden", align: "left" },
  { heading: "parameters", align: "right" },
  { heading: "decay", align: "right" },
  { heading: "held-out score", align: "right" },
  { heading: "above the best", align: "right" },
  { heading: "standard error", align: "right" },
];

const SCORES: Readonly<Record<FitCriterion, string>> = {
  loss: "losses",
  "absolute-error": "mean absolute errors",
  pinball: "mean pinball losses",
};

const STATES = { compared: "", failed: "failed", "over-budget": "over the budget", idle: "not begun" } as const;

/** The networks that were compared, the chosen one marked by a star, and the sentence that says why. */
export function searchTable(search: TableSearch, paint: Painter = plain): string {
  const { tried, because, folds, rows, criterion } = search;
  const scores = SCORES[criterion];
  const choice = `Chosen: ${choiceText(search)}: ${because}.`;
  if (tried.length === 0) return choice;
  const chosen = tried.findIndex((one) => isChoice(one, search));
  const shown = tried.filter((_, k) => k < MOST_ROWS || k === chosen);
  const figures = figureColumns(tried);
  const lines = [
    `Networks compared on ${counted(rows, "row")}, ${counted(folds, "fold")}, best first (held-out ${scores} in units of training):`,
    "",
    textTable(
      [...COLUMNS, ...figures.map(({ heading }) => ({ heading, align: "right" }) as const)],
      shown.map((one) => [
        ...cells(one, search),
        ...figures.map(({ k, name }) => (one.figures.length > 0 ? formatNumber(one.figures[k]?.[name]) : "")),
      ]),
      paint,
    ),
  ];
  const failed = tried.find(({ state }) => state === "failed");
  if (failed !== undefined) lines.push(`  the first that failed: ${messageOf(failed.error)}`);
  if (shown.length < tried.length) lines.push(`  and ${tried.length - shown.length} more (--json lists them)`);
  const skipped = tried.filter(({ state }) => state === "over-budget").length;
  if (skipped > 0)
    lines.push(
      `  ${counted(skipped, "network")} of the list would have gone over the budget of ${search.budget.toExponential(1)} planned operations (--budget)`,
    );
  return [...lines, "", choice].join("\n");
}

/** Columns of the figures that belong to the loss, with the name of the target where there are several. */
function figureColumns(tried: readonly TriedNetwork[]) {
  const { figures = [] } = tried.find((one) => one.figures.length > 0) ?? {};
  return figures.flatMap(({ target, ...own }, k) =>
    shownFigures([own]).map((name) => ({ heading: figures.length > 1 ? `${name} ${target}` : name, k, name })),
  );
}

function isChoice(one: TriedNetwork, { hidden, decay }: TableSearch): boolean {
  return one.decay === decay && one.hidden.join() === hidden.join();
}

function cells(one: TriedNetwork, search: TableSearch): string[] {
  const { hidden, decay, parameterCount, state, score, difference, standardError } = one;
  const figures =
    state === "compared"
      ? [formatNumber(score), formatNumber(difference), formatNumber(standardError)]
      : [STATES[state], "", ""];
  return [
    isChoice(one, search) ? "*" : "",
    layersText(hidden),
    `${parameterCount}`,
    decay === 0 ? "0" : `${decay}`,
    ...figures,
  ];
}

/** "hidden layers 8, weight decay 1". */
function choiceText({ hidden, decay }: TableSearch): string {
  const layers =
    hidden.length === 0
      ? "no hidden layer"
      : `hidden ${hidden.length === 1 ? "layer" : "layers"} ${layersText(hidden)}`;
  return `${layers}, ${decay === 0 ? "no weight decay" : `weight decay ${decay}`}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The search as a JSON line has it. */
export function searchFields(search: TableSearch) {
  return {
    ...search,
    tried: search.tried.map(({ error, ...one }) => ({
      ...one,
      error: error === null ? null : messageOf(error),
    })),
  };
}
