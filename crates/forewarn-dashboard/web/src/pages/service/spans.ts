// Spans of time on a chart.
import type { History } from "../../api/types";
import { parse } from "../../lib/time";
import type { Band } from "../../ui/chart";

/** Seconds of `3h` or `7d`. */
export function rangeSeconds(range: string): number {
  const amount = Number.parseInt(range, 10);
  return (Number.isFinite(amount) ? amount : 3) * (range.endsWith("d") ? 86_400 : 3600);
}

/** Points that a chart has room for. */
const POINTS = 360;

/** Seconds of one point, a multiple of a row's, for a span in milliseconds. */
export function resolution(span: number, stepSeconds: number): number {
  return Math.max(1, Math.ceil(span / 1000 / POINTS / stepSeconds)) * stepSeconds;
}

/** Warnings and failures as spans of seconds; what goes on reaches to the end. */
export function bandsOf(data: Pick<History, "warnings" | "failures">, times: readonly number[]): Band[] {
  const end = times[times.length - 1] ?? 0;
  const seconds = (time: string | null) => (time === null ? end : (parse(time) ?? 0) / 1000);
  return [
    ...data.warnings.map((warning): Band => ({
      kind: "warning",
      from: seconds(warning.since),
      to: seconds(warning.resolved_at),
    })),
    ...data.failures.map((failure): Band => ({
      kind: "failure",
      from: seconds(failure.onset),
      to: seconds(failure.end),
    })),
  ];
}
