// Turns the values of a heat map into few levels of color, and levels into colors, for heat-map.ts. The colors are the same on light and on dark
// surroundings, because a picture that changed with them could not be compared with its copy on paper.

/** How many colors a map has: their steps are hardly seen, and neighbors of one level make one shape. */
export const LEVELS = 48;

/** Viridis (S. van der Walt and N. Smith, 2015, public domain): brightness rises evenly, also for those who see few colors. */
const RISING = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"];
/** Blue below zero, red above it (C. Brewer's RdBu). */
const SIGNED = ["#053061", "#2166ac", "#4393c3", "#92c5de", "#f7f7f7", "#f4a582", "#d6604d", "#b2182b", "#67001f"];

/** The levels of a map. */
export interface ColorScale {
  /** The values at the two ends. */
  readonly ends: readonly [number, number];
  /** The level of a value, 0 to LEVELS - 1; null where it has none. */
  level(value: number | null | undefined): number | null;
  /** The color of a level as #rrggbb. */
  color(level: number): string;
}

/** The scale that these values need: white at zero where they have both signs. Null where none of them can be shown. */
export function colorScale(values: readonly (number | null)[], scale: "linear" | "log"): ColorScale | null {
  const shown = (value: number | null | undefined): value is number =>
    typeof value === "number" && Number.isFinite(value) && (scale === "linear" || value > 0);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) if (shown(value)) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (low > high) return null;
  const signed = scale === "linear" && low < 0 && high > 0;
  const reach = Math.max(-low, high);
  const ends: [number, number] = signed ? [-reach, reach] : [low, high];
  // Halves, because the difference of the largest doubles of both signs is infinite.
  const position = (value: number): number => (scale === "log" ? Math.log(value) : value / 2);
  const [from, to] = ends.map(position) as [number, number];
  return {
    ends,
    level(value) {
      if (!shown(value)) return null;
      const share = to > from ? (position(value) - from) / (to - from) : 0.5;
      return Math.min(LEVELS - 1, Math.floor(share * LEVELS));
    },
    color: (level) => between(signed ? SIGNED : RISING, level / (LEVELS - 1)),
  };
}

/** The color at a share of the way along a list of colors. */
function between(colors: readonly string[], share: number): string {
  const at = share * (colors.length - 1);
  const left = Math.min(colors.length - 2, Math.floor(at));
  const parts = [1, 3, 5].map((from) => {
    const [a, b] = [colors[left]!, colors[left + 1]!].map((one) => Number.parseInt(one.slice(from, from + 2), 16));
    return Math.round(a! + (at - left) * (b! - a!));
  });
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}
