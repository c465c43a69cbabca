// Chooses hidden layers and weight decay for gaussflow train, called by train-setup.ts once the table is read: what the flags give, or what a
// search over a short list finds, which is shown before the training begins.
import type { Cluster } from "../cluster/cluster.js";
import { isDataFile } from "../data/data-file.js";
import type { Loss } from "../loss/rules.js";
import type { NetworkOptions } from "../network/network-options.js";
import { jsonLine } from "../report/json-lines.js";
import { ManyProgress } from "../report/many-progress.js";
import { searchTable as describeSearch, searchFields } from "../report/search-table.js";
import { completeFitOptions } from "../search/fit-options.js";
import { searchTable, type TableSearch } from "../search/search.js";
import type { TrainOptions } from "../train/train-options.js";
import { UsageError } from "./exit.js";
import type { PartFlags, Parts } from "./read-parts.js";
import type { Terminal } from "./terminal.js";

/** The flags of a search. */
export interface SearchFlags {
  readonly hidden?: "auto" | readonly number[];
  readonly decay?: "auto" | number;
  readonly budget?: number;
}

/** What the flags ask for; null = to be searched. */
export interface Asked {
  readonly hidden: readonly number[] | null;
  /** `usual`: that of the loss where nothing is said (loss-flag.ts). */
  readonly decay: number | "usual" | null;
}

/** Used where nothing is searched and the flag is not given. */
export const DEFAULT_HIDDEN: readonly number[] = [16, 16];

/**
 * A flag that is not given is searched, unless the other one has a value, the run is resumed, or the rows are in a data file.
 * @throws UsageError for a search that cannot be made
 */
export function asked(
  file: string,
  flags: SearchFlags & { readonly resume?: string; readonly method?: string },
): Asked {
  const finds = flags.method === "bayes";
  if (finds && flags.decay !== undefined)
    throw new UsageError(
      `--method bayes finds the weight decay: leave --decay ${flags.decay} out, or choose --method lm`,
    );
  const fixed = flags.resume !== undefined ? "--resume" : file !== "-" && isDataFile(file) ? "a data file" : null;
  const explicit = (["hidden", "decay"] as const).find((name) => flags[name] === "auto");
  if (fixed !== null && explicit !== undefined)
    throw new UsageError(
      `--${explicit} auto compares networks on rows that are held out, which ${fixed === "--resume" ? "a run that is resumed has behind it: give --resume the --hidden and --decay that it began with" : "a data file has none of: give it the table instead, or --hidden and --decay with values"}`,
    );
  const given = [flags.hidden, flags.decay].some((value) => value !== undefined && value !== "auto");
  const searched = (value: unknown) => value === "auto" || (value === undefined && fixed === null && !given);
  const { hidden, decay } = flags;
  const found: Asked = {
    hidden: searched(hidden) ? null : ((hidden as readonly number[] | undefined) ?? DEFAULT_HIDDEN),
    decay: searched(decay) && !finds ? null : ((decay as number | undefined) ?? "usual"),
  };
  if (flags.budget !== undefined && found.hidden !== null && found.decay !== null)
    throw new UsageError(
      "--budget is about a search for sizes and decay: give --hidden auto or --decay auto, or leave --budget out",
    );
  return found;
}

/** Says what is taken where a flag that is usually searched is not given and nothing is searched: another network is no surprise then. */
export function tellNotSearched(
  flags: SearchFlags & { readonly resume?: string },
  what: Asked,
  tell: (note: string) => void,
): void {
  const unsaid = (["hidden", "decay"] as const).filter((name) => flags[name] === undefined);
  if (flags.resume !== undefined && unsaid.length > 0)
    tell(
      `a resumed run is not searched: without --${unsaid.join(" and --")} the defaults are taken (16,16, and the usual decay); give --hidden, --decay and --validation as the run began with them`,
    );
  else if (!isSearched(what) && unsaid.length === 2)
    tell("the network for a data file is not searched: --hidden 16,16 and the usual decay are taken");
}

/** True where a search is to be made. */
export function isSearched({ hidden, decay }: Asked): boolean {
  return hidden === null || decay === null;
}

/** The flags that chooseNetwork reads. */
interface ShowFlags extends PartFlags, SearchFlags {
  readonly threads?: number;
  readonly json?: true;
  readonly quiet?: true;
}

/** What the training uses. */
export interface ChosenNetwork {
  readonly hidden: readonly number[];
  readonly decay: number;
  /** The parts of the rows: without a validation part where the decay makes one superfluous. */
  readonly parts: Parts;
  /** `validation` of the trainings of a cross-validation. */
  readonly foldValidation: number | false | undefined;
  /** Null where nothing was searched. */
  readonly search: TableSearch | null;
  /** Whether the rows of the validation part were trained on too. */
  readonly merged: boolean;
}

/**
 * The choice of the flags, or of a search that is shown. Until it ends there is nothing to save: a signal ends the process at once.
 * @param options with the loss, whose decay is the usual one
 */
export async function chooseNetwork(
  what: Asked,
  parts: Parts,
  options: TrainOptions & { readonly loss: Loss },
  shape: Omit<NetworkOptions, "layers" | "seed">,
  flags: ShowFlags,
  { terminal, cluster }: { readonly terminal: Terminal; readonly cluster: Cluster },
): Promise<ChosenNetwork> {
  const { hidden } = what;
  const { loss } = options;
  const decay = what.decay === "usual" ? loss.decay : what.decay;
  const { merged } = parts;
  if (hidden !== null && decay !== null)
    return { hidden, decay, parts, search: null, foldValidation: flags.validation, merged: false };
  if (merged === null) throw new Error("a search needs rows in memory"); // `asked` refuses data files
  const { memoryLimit, seed, validation: _, ...train } = options;
  const given = flags.splitColumn === undefined ? flags.validation : (parts.validation ?? false);
  const shown = flags.json || flags.quiet || terminal.err.isTTY !== true ? null : new ManyProgress(terminal.err);
  try {
    const { search } = await searchTable(
      merged.fit,
      completeFitOptions(
        {
          hidden: hidden ?? "auto",
          decay: decay ?? "auto",
          network: shape,
          train: { ...train, loss: { ...loss, decay: 0 }, validation: given },
          budget: flags.budget,
          seed,
          threads: flags.threads,
          memoryLimit,
          cluster,
          onProgress: shown === null ? undefined : (progress) => shown.tell(progress),
        },
        merged.fit.classes !== null,
      ),
    );
    shown?.done();
    const early = given !== undefined || search.decay === 0;
    const chosen: ChosenNetwork & { readonly search: TableSearch } = {
      hidden: search.hidden,
      decay: search.decay,
      parts: early ? parts : { ...parts, ...merged, validation: null },
      search,
      foldValidation: early ? flags.validation : false,
      merged: !early && parts.validation !== null,
    };
    show(chosen, flags, terminal);
    return chosen;
  } finally {
    shown?.done();
  }
}

function show(
  chosen: ChosenNetwork & { readonly search: TableSearch },
  { json, quiet }: Pick<ShowFlags, "json" | "quiet">,
  { out, paintOut }: Terminal,
): void {
  const { search } = chosen;
  if (json) out.write(jsonLine("search", { ...searchFields(search), flags: flagsOf(chosen) }));
  else if (!quiet) out.write(`${describeSearch(search, paintOut)}\n\n`);
}

/** The flags by which train makes the last training of a search again, without the search: what --resume needs. */
export function flagsOf({ hidden, decay, merged }: ChosenNetwork): string {
  const layers = hidden.length === 0 ? "none" : hidden.join(",");
  return `--hidden ${layers} --decay ${decay}${merged ? " --validation 0" : ""}`;
}
