// Times in the reader's zone or in UTC.
import { span } from "./format";

export type Zone = "local" | "utc";

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: Zone, name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone} ${name}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone === "utc" ? "UTC" : undefined });
    formats.set(key, found);
  }
  return found;
}

/** 14:32 */
export function clock(time: number, zone: Zone): string {
  return format(zone, "clock", { hour: "2-digit", minute: "2-digit" }).format(time);
}

/** 14:32:07 */
export function clockSeconds(time: number, zone: Zone): string {
  return format(zone, "seconds", { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(time);
}

/** 28 Nov */
export function day(time: number, zone: Zone): string {
  return format(zone, "day", { day: "numeric", month: "short" }).format(time);
}

/** 28 Nov 2026, 14:32:07 */
export function full(time: number, zone: Zone): string {
  const date = format(zone, "date", { day: "numeric", month: "short", year: "numeric" }).format(time);
  return `${date}, ${clockSeconds(time, zone)}${zone === "utc" ? " UTC" : ""}`;
}

/** The clock alone for a time within 18 hours of now, else with its day. */
export function compact(time: number, now: number, zone: Zone): string {
  return Math.abs(now - time) < 18 * 3_600_000 ? clock(time, zone) : `${day(time, zone)}, ${clock(time, zone)}`;
}

/** "3 min ago", "in 2 min". */
export function relative(time: number, now: number): string {
  const seconds = (now - time) / 1000;
  if (Math.abs(seconds) < 1) return "now";
  return seconds > 0 ? `${span(seconds)} ago` : `in ${span(-seconds)}`;
}

/** Milliseconds of an RFC 3339 time, or null. */
export function parse(time: string | null | undefined): number | null {
  if (!time) return null;
  const parsed = Date.parse(time);
  return Number.isNaN(parsed) ? null : parsed;
}
