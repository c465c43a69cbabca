// Defines the results of an experiment as plain data: claims with the promised and the measured figure, charts and tables. The experiments
// in `src/experiment` make them; `src/report` shows them (terminal, JSON lines, HTML), and makes charts of a fit in the same form.

/** A claim of the theory next to what was measured. */
export interface Claim {
  /** One sentence. */
  readonly claim: string;
  readonly promised: string;
  readonly measured: string;
  readonly holds: boolean;
}

export interface Axis {
  /** With the unit, where there is one. */
  readonly label: string;
  readonly scale: "linear" | "log";
}

/** Points in order of x. null = a gap; on a log axis values at or below 0 are gaps too. */
export interface ChartSeries {
  readonly label: string;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
  /** line: measured. dashed: promised by the theory. points: single measurements. Default "line". */
  readonly style?: "line" | "dashed" | "points";
  /** Series of one hue belong together (a measurement and its promise): small integers from 0. Default: its position. */
  readonly hue?: number;
}

export interface Chart {
  /** Unique within a report, fit for a file name and an HTML id. */
  readonly id: string;
  readonly title: string;
  /** What the picture shows, in words, for those who do not see it: the numbers that matter are in it. */
  readonly alt: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly ChartSeries[];
  /** Areas that are filled between two series of one grid, by their places: an interval between its ends. */
  readonly bands?: readonly (readonly [lower: number, upper: number])[];
}

/** A range of coordinates that a heat map covers. */
export interface MapAxis {
  /** With the unit, where there is one. */
  readonly label: string;
  readonly from: number;
  readonly to: number;
}

/** A quantity over a rectangle as a picture of colored cells. */
export interface HeatMap {
  /** Unique among the charts and maps of a report, fit for a file name and an HTML id. */
  readonly id: string;
  readonly title: string;
  /** What the picture shows, in words, for those who do not see it: the numbers that matter are in it. */
  readonly alt: string;
  readonly x: MapAxis;
  readonly y: MapAxis;
  /** The quantity. On a log scale values at or below 0 have no color. */
  readonly value: Axis;
  readonly columns: number;
  readonly rows: number;
  /** values[row * columns + column], at the centers of the cells, the row at `y.from` first. null = no value. */
  readonly values: readonly (number | null)[];
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

export interface ExperimentOutcome {
  readonly name: string;
  readonly title: string;
  /** A paragraph: the question, and how to read the pictures. */
  readonly purpose: string;
  /** Seeds, samples, width, ... */
  readonly settings: Readonly<Record<string, string | number>>;
  readonly claims: readonly Claim[];
  readonly charts: readonly Chart[];
  /** Shown after the charts. */
  readonly maps?: readonly HeatMap[];
  readonly tables: readonly Table[];
  /** One plain object a run, for JSON lines. */
  readonly runs: readonly Readonly<Record<string, unknown>>[];
  readonly engine: string;
  readonly seconds: number;
}
