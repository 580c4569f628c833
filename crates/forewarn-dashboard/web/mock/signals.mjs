// What happens to each service of the made-up shop: metrics, probabilities, faults.
import { CALLS, METRICS, MINUTE, STORIES, clamp, hash, iso, random } from "./shop.mjs";

export class Signals {
  constructor({ services = 0, seed = 7, now = Date.now() } = {}) {
    this.seed = seed;
    this.minute = Math.floor(now / MINUTE) * MINUTE;
    this.seq = 41_200;
    this.names = [...new Set(CALLS.flat())].sort();
    this.calls = [...CALLS];
    for (let index = this.names.length; index < services; index += 1) {
      const name = `team-${String(index % 40).padStart(2, "0")}-service-${String(index).padStart(4, "0")}`;
      this.names.push(name);
      this.calls.push([name, this.names[index % 17]]);
    }
    this.acknowledged = new Set();
    this.acted = new Set();
    this.silenced = new Map();
    this.faults = [];
    this.pastFaults = [
      this.fault("memory_leak", "database", 0.8, -95, 15, "database@earlier", 4),
      this.fault("cpu_spike", "cart", 0.6, -180, 5, null, null),
      this.fault("network_latency", "payments", 0.9, -260, 10, "payments@earlier", 2),
      this.fault("service_kill", "search", 1, -330, 2, null, 0),
    ];
    this.started = Date.now() - 26 * 60 * MINUTE;
    this.main = "boosted_trees";
    this.events = [];
    this.story();
  }

  fault(kind, service, severity, from, minutes, warned = null, minutes_ahead = null) {
    const started = this.minute + from * MINUTE;
    const ends = started + minutes * MINUTE;
    this.faultCount = (this.faultCount ?? 0) + 1;
    return {
      id: this.faultCount,
      kind,
      service,
      severity,
      seconds: minutes * 60,
      phase: ends > Date.now() ? "active" : "over",
      started: iso(started),
      ends: iso(ends),
      over: iso(ends),
      left_seconds: Math.max(0, (ends - Date.now()) / 1000),
      stopped: false,
      reaches: [service],
      warned,
      failed: minutes_ahead === null ? null : iso(started + (minutes_ahead + 2) * MINUTE),
      minutes_ahead,
    };
  }

  /** The value of a metric at a time: a daily wave, noise, and the story of the service. */
  value(name, metric, time) {
    const index = METRICS.findIndex(([each]) => each === metric);
    const noise = random(hash(`${name} ${index} ${time / MINUTE}`) ^ this.seed)() - 0.5;
    const base = random(hash(`${name} ${index}`))();
    const wave = 0.5 + 0.5 * Math.sin((time / (24 * 60 * MINUTE)) * Math.PI * 2 + base);
    const strain = this.strain(name, time);
    switch (metric) {
      case "request_count":
        return Math.round(200 + 4000 * base * (0.5 + wave) * (1 + 0.1 * noise));
      case "error_rate":
        return clamp(0.002 + 0.004 * base + 0.003 * noise + 0.14 * Math.max(0, strain - 0.55) ** 1.4, 0, 1);
      case "p50_latency":
        return (8 + 40 * base) * (1 + 0.2 * noise) * (1 + 2.4 * strain * strain);
      case "p95_latency":
        return (40 + 120 * base) * (1 + 0.25 * noise) * (1 + 4 * strain * strain);
      case "p99_latency":
        return (80 + 220 * base) * (1 + 0.3 * noise) * (1 + 5 * strain * strain);
      case "cpu_usage":
        return clamp(0.18 + 0.3 * base * wave + 0.08 * noise + 0.25 * strain, 0, 1);
      case "memory_usage":
        return clamp(
          0.32 + 0.25 * base + 0.02 * noise + 0.5 * strain * (this.kind(name) === "memory" ? 1 : 0.2),
          0,
          0.995,
        );
      case "network_in":
      case "network_out":
        return 1e3 * (1 + 9 * base) * (0.6 + wave) * (1 + 0.15 * noise);
      default:
        return strain > 0.9 && noise > 0.3 ? 1 : 0;
    }
  }

  kind(name) {
    return STORIES[name] === "leak" ? "memory" : STORIES[name] ? "dependency" : "latency";
  }

  /** How bad it is for a service at a time, 0 to 1. */
  strain(name, time) {
    const ago = (this.minute - time) / MINUTE;
    const ramp = (start, length) => clamp((start - ago) / length, 0, 1);
    let strain = 0;
    // Each service had a bad quarter of an hour some hours ago.
    const earlier = 90 + (hash(name) % 240);
    if (hash(name) % 3 === 0 && ago < earlier && ago > earlier - 16)
      strain = Math.sin(((earlier - ago) / 16) * Math.PI);
    switch (STORIES[name]) {
      case "leak":
        strain = Math.max(strain, 0.92 * ramp(44, 44));
        break;
      case "failing":
        strain = Math.max(strain, ramp(16, 9));
        break;
      case "warned":
        strain = Math.max(strain, 0.72 * ramp(14, 14));
        break;
      case "at_risk":
        strain = Math.max(strain, 0.5 * ramp(10, 10));
        break;
    }
    for (const { service, started, ends, severity } of this.faults) {
      if (service !== name || time < Date.parse(started)) continue;
      strain = Math.max(
        strain,
        severity * clamp((Math.min(time, Date.parse(ends)) - Date.parse(started)) / (4 * MINUTE), 0.2, 1),
      );
    }
    return strain;
  }

  probability(name, time) {
    if (STORIES[name] === "silent" && time > this.minute - 12 * MINUTE) return null;
    const noise = random(hash(`${name} p ${time / MINUTE}`) ^ this.seed)();
    return clamp(0.004 + 0.012 * noise * noise + 0.9 * this.strain(name, time) ** 2.4, 0, 0.995);
  }

  threshold() {
    return 0.31;
  }

  level(probability) {
    const limit = this.threshold();
    if (probability === null) return null;
    if (probability >= (1 + limit) / 2) return "critical";
    return probability >= limit ? "high" : probability >= limit / 4 ? "medium" : "low";
  }

  failing(name, time = this.minute) {
    return this.value(name, "error_rate", time) >= 0.05 && this.value(name, "error_rate", time - MINUTE) >= 0.05;
  }
}
