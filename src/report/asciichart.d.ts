// Declares the types of the parts of asciichart 1.5 that loss-chart.ts uses, because the package has none.
declare module "asciichart" {
  export interface PlotConfig {
    readonly min?: number;
    readonly max?: number;
    /** Rows below the top row. */
    readonly height?: number;
    /** Columns in front of the first value: label and axis. */
    readonly offset?: number;
    readonly format?: (value: number, index: number) => string;
    readonly symbols?: readonly string[];
  }
  export function plot(series: readonly number[], config?: PlotConfig): string;
}
