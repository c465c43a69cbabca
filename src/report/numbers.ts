// Formats numbers for people, in the commands, the tables and charts of this folder, the HTML report and the demo: four significant digits,
// plain or with an exponent, whichever is short; a dash if there is no value.

/**
 * A number in at most `digits` significant digits: 0.03142, 12.35, 3.142e-7. Not finite or absent: a dash ("inf" for infinities).
 */
export function formatNumber(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "-";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return value.toExponential(digits - 1);
  // Whole digits in front of the point are never rounded away: 12345, not 12350.
  const whole = Math.floor(Math.log10(size)) + 1;
  return value.toFixed(Math.max(0, digits - Math.max(whole, whole <= 0 ? whole : 1)));
}

/** A loss always as mantissa and exponent, so that columns of a log line up: 3.14e-4. */
export function formatLoss(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "-";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return value === 0 ? "0" : value.toExponential(3);
}

/** Seconds: 4.2 ms, 0.41 s, 12.3 s, 3 min 05 s. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return "-";
  if (seconds < 0.1) return `${(seconds * 1e3).toFixed(1)} ms`;
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

/** A probability as a percentage in as few digits as it has: 95%, 99.9%. */
export function formatPercent(probability: number): string {
  return `${Number((100 * probability).toPrecision(10))}%`;
}

/** A count with thousands separated: 12,345. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** "1 iteration", "12 iterations": the count and its noun. */
export function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}
