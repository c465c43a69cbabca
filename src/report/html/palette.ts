// Defines the colors of the report, one scheme for light and one for dark surroundings, for its style sheet and its charts (style-sheet.ts,
// figure-style.ts, chart-data.ts). A search found the hues: each has a contrast of 3:1 or more against the background, and the smallest
// distance between two of them (OKLab) is as large as possible for normal vision and for the three color-vision deficiencies.
// test/unit/report-html-palette.test.ts computes both again.

/** Colors by meaning, as #rrggbb. */
export interface Scheme {
  readonly ink: string;
  readonly muted: string;
  readonly ground: string;
  /** Behind tables' headings, quotes of settings, and code. */
  readonly raised: string;
  readonly rule: string;
  readonly grid: string;
  readonly link: string;
  readonly good: string;
  readonly goodGround: string;
  readonly bad: string;
  readonly badGround: string;
  /** What was measured. */
  readonly hues: readonly string[];
  /** What was promised, hue by hue: far enough from the measured line to be seen on top of it. */
  readonly promises: readonly string[];
}

export const LIGHT: Scheme = {
  ink: "#1b1f24",
  muted: "#535c66",
  ground: "#ffffff",
  raised: "#f4f6f8",
  rule: "#d3d9df",
  grid: "#e6e9ed",
  link: "#0b57b0",
  good: "#17693a",
  goodGround: "#e7f5ec",
  bad: "#b42318",
  badGround: "#fdeceb",
  hues: ["#4059aa", "#bb4902", "#148971", "#85326c", "#bf8818", "#313233", "#1c9ec8", "#2120a2"],
  promises: ["#223472", "#822900", "#005a48", "#541242", "#8c6100", "#595a5b", "#007293", "#4357bf"],
};

export const DARK: Scheme = {
  ink: "#e6e9ee",
  muted: "#a9b3be",
  ground: "#14181d",
  raised: "#1c2229",
  rule: "#3b444f",
  grid: "#29313a",
  link: "#7fb5ff",
  good: "#6fd492",
  goodGround: "#16301f",
  bad: "#ff9a90",
  badGround: "#3a1d1c",
  hues: ["#2fadfc", "#f06836", "#bdedae", "#b26aa2", "#fec116", "#aaabac", "#6fddfe", "#6f6af1"],
  promises: ["#7edaff", "#ffa780", "#97bd8b", "#d99aca", "#c79710", "#d7d8d9", "#56adc8", "#999cff"],
};

/** How many hues there are; series of a higher hue begin again at the first. */
export const HUES = LIGHT.hues.length;

/** The scheme as CSS custom properties: the one source for style sheet and canvas. */
export function schemeVariables(scheme: Scheme): string {
  const { hues, promises, ...named } = scheme;
  return [
    ...Object.entries(named).map(([name, value]) => [name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`), value]),
    ...hues.map((value, hue) => [`hue-${hue}`, value]),
    ...promises.map((value, hue) => [`promise-${hue}`, value]),
  ]
    .map(([name, value]) => `--${name}:${value};`)
    .join("");
}
