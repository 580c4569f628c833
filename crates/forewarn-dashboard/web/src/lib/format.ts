// Numbers as people write them. What is not known is a dash, never a zero.

export const UNKNOWN = "–";

const THIN = "\u202f";

function known(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** A number with about three digits that count, thousands parted. */
export function number(value: number | null | undefined, digits = 3): string {
  if (!known(value)) return UNKNOWN;
  const size = Math.abs(value);
  if (size >= 1e9) return `${short(value / 1e9)}${THIN}G`;
  if (size >= 1e6) return `${short(value / 1e6)}${THIN}M`;
  if (size >= 1e4) return `${short(value / 1e3)}${THIN}k`;
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  if (size >= 100) return value.toFixed(0);
  return trim(value.toPrecision(digits));
}

function short(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : trim(value.toPrecision(3));
}

function trim(text: string): string {
  if (text.includes("e")) return Number(text).toExponential(1);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** A share of 1 as percent: more digits where it is small, and never 0 % or 100 % for what is neither. */
export function percent(value: number | null | undefined): string {
  if (!known(value)) return UNKNOWN;
  const hundred = value * 100;
  if (hundred < 0) return `−${percent(-value)}`;
  if (hundred === 0) return `0${THIN}%`;
  if (hundred < 0.01) return `<${THIN}0.01${THIN}%`;
  if (hundred < 1) return `${trim(hundred.toPrecision(2))}${THIN}%`;
  if (hundred > 99 && hundred < 100) return `${trim((Math.floor(hundred * 100) / 100).toFixed(2))}${THIN}%`;
  if (hundred < 10) return `${trim(hundred.toFixed(1))}${THIN}%`;
  return `${hundred.toFixed(0)}${THIN}%`;
}

/** A probability: whole percent, as finer ones would claim too much. */
export function chance(value: number | null | undefined): string {
  if (!known(value)) return UNKNOWN;
  if (value > 0 && value < 0.01) return `<${THIN}1${THIN}%`;
  if (value > 0.99 && value < 1) return `>${THIN}99${THIN}%`;
  return `${Math.round(value * 100)}${THIN}%`;
}

/** Milliseconds, from a second on as seconds. */
export function latency(ms: number | null | undefined): string {
  if (!known(ms)) return UNKNOWN;
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)}${THIN}s`;
  if (ms >= 1000) return `${trim((ms / 1000).toFixed(2))}${THIN}s`;
  return `${ms >= 100 ? ms.toFixed(0) : trim(ms.toPrecision(2))}${THIN}ms`;
}

export function bytes(value: number | null | undefined): string {
  if (!known(value)) return UNKNOWN;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = value;
  let unit = 0;
  while (Math.abs(size) >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? size.toFixed(0) : short(size)}${THIN}${units[unit]}`;
}

/** A span in words of two parts at most: 45 s, 3 min, 2 h 5 min, 3 d 4 h. */
export function span(seconds: number | null | undefined): string {
  if (!known(seconds)) return UNKNOWN;
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole}${THIN}s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return `${minutes}${THIN}min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours}${THIN}h ${minutes % 60}${THIN}min` : `${hours}${THIN}h`;
  const days = Math.floor(hours / 24);
  return hours % 24 ? `${days}${THIN}d ${hours % 24}${THIN}h` : `${days}${THIN}d`;
}

export function minutes(value: number | null | undefined): string {
  if (!known(value)) return UNKNOWN;
  const size = Math.abs(value);
  return `${value < 0 ? "−" : ""}${size < 10 ? trim(size.toFixed(1)) : size.toFixed(0)}${THIN}min`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

/** An expected number of services: what a failure may bring down. */
export function reach(value: number): string {
  if (value < 0.05) return "no other service";
  return `about ${number(value, 2)} ${value === 1 ? "service" : "services"}`;
}

/** A value of a metric in the unit that the server names. */
export function metric(value: number | null | undefined, unit: string | null | undefined): string {
  switch (unit) {
    case "ratio":
    case "fraction":
      return percent(value);
    case "ms":
    case "millisecond":
    case "milliseconds":
      return latency(value);
    case "kB/s":
      return known(value) ? `${bytes(value * 1000)}/s` : UNKNOWN;
    case "byte":
    case "bytes":
      return bytes(value);
    default:
      return number(value);
  }
}

const ACRONYMS = new Set(["auc", "cpu", "dns", "gpu", "http", "id", "io", "pr", "roc", "slo", "url"]);

/** `cpu_usage` as "CPU usage", `p95_latency` as "p95 latency". */
export function words(name: string): string {
  const text = name
    .split("_")
    .map((word) => (ACRONYMS.has(word) ? word.toUpperCase() : word))
    .join(" ");
  return /^p\d/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

/** A label with its abbreviations in capitals: "Dns error" as "DNS error". */
export function proper(label: string): string {
  return label.replace(/[A-Za-z]+/g, (word) => (ACRONYMS.has(word.toLowerCase()) ? word.toUpperCase() : word));
}

/** A label within a sentence: "Memory leak" as "memory leak", "CPU spike" as it is. */
export function within(label: string): string {
  return /^[A-Z][a-z]/.test(label) ? label.charAt(0).toLowerCase() + label.slice(1) : label;
}
