// A made-up shop: its services and calls, what each goes through, and numbers that are the same for the same seed.

export const METRICS = [
  ["request_count", "count per step"],
  ["error_rate", "ratio"],
  ["p50_latency", "ms"],
  ["p95_latency", "ms"],
  ["p99_latency", "ms"],
  ["cpu_usage", "ratio"],
  ["memory_usage", "ratio"],
  ["network_in", "kB/s"],
  ["network_out", "kB/s"],
  ["pod_restarts", "count per step"],
];

export const CALLS = [
  ["frontend", "checkout"],
  ["frontend", "catalog"],
  ["frontend", "search"],
  ["frontend", "users"],
  ["checkout", "cart"],
  ["checkout", "payments"],
  ["checkout", "shipping"],
  ["checkout", "orders"],
  ["catalog", "inventory"],
  ["catalog", "recommendations"],
  ["search", "cache"],
  ["cart", "cache"],
  ["orders", "database"],
  ["payments", "database"],
  ["inventory", "database"],
  ["users", "database"],
  ["orders", "email"],
];

/** How each service is at the start: base risk, and a story that it is in. */
export const STORIES = {
  database: "leak",
  orders: "failing",
  payments: "warned",
  checkout: "at_risk",
  email: "silent",
};

export const MINUTE = 60_000;

/** A small generator (mulberry32): the same numbers for the same seed. */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function hash(text) {
  let value = 2166136261;
  for (const letter of text) value = Math.imul(value ^ letter.codePointAt(0), 16777619);
  return value >>> 0;
}

export const iso = (time) => new Date(time).toISOString().replace(".000Z", "Z");
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
