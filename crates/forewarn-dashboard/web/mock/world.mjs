// A made-up shop for the page to show: enough of a service to look real, and the same with the same seed.

const METRICS = [
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

const CALLS = [
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
const STORIES = { database: "leak", orders: "failing", payments: "warned", checkout: "at_risk", email: "silent" };

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

function hash(text) {
  let value = 2166136261;
  for (const letter of text) value = Math.imul(value ^ letter.codePointAt(0), 16777619);
  return value >>> 0;
}

const iso = (time) => new Date(time).toISOString().replace(".000Z", "Z");
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export class World {
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

  /** The warning that fires for a service, if one does. */
  warning(name) {
    const probability = this.probability(name, this.minute);
    if (probability === null || probability < this.threshold()) return null;
    let since = this.minute;
    while ((this.probability(name, since - MINUTE) ?? 0) >= this.threshold()) since -= MINUTE;
    return this.warningAt(name, since, null, null);
  }

  warningAt(name, since, resolved, outcome) {
    const id = `${name}@${iso(since)}`;
    const probability = this.probability(name, resolved ?? this.minute);
    return {
      id,
      service: name,
      state: resolved ? "resolved" : "firing",
      since: iso(since),
      model: this.main,
      probability,
      threshold: this.threshold(),
      level: this.level(this.probability(name, since)) ?? "high",
      kind: this.kind(name),
      kind_confidence: 0.74,
      evidence: this.evidence(name),
      minutes_to_failure: 3.4,
      recommendation: this.recommendation(name),
      incident: STORIES[name] ? "incident-1" : null,
      silenced: this.silenced.has(name),
      resolved_at: resolved ? iso(resolved) : null,
      acknowledged: this.acknowledged.has(id),
      acted: this.acted.has(id),
      outcome,
      lead_minutes: outcome === "hit" ? 3 : null,
    };
  }

  evidence(name) {
    const item = (metric, view, normal, log_odds, deviations) => ({
      metric,
      view,
      value: Number(this.value(name, metric, this.minute).toPrecision(4)),
      normal,
      deviations,
      log_odds,
    });
    return [
      item("memory_usage", "slope over 10 minutes", 0.46, 1.92, 5.1),
      item("p99_latency", "last minute", 214, 1.14, 3.3),
      item("error_rate", "mean of 10 minutes", 0.004, 0.61, 2.2),
      item("cpu_usage", "last minute", 0.41, 0.28, 1.1),
      item("request_count", "against the hour before", 2210, -0.34, -0.8),
    ];
  }

  recommendation(name) {
    return this.kind(name) === "memory"
      ? {
          text: "Memory grows steadily. Restart one replica after the other, or raise the limit, before it is reached; " +
            "then look for what the last release keeps.",
          runbook: "https://runbooks.example/memory",
        }
      : { text: "A server that it calls is in trouble: look there first, and shed what is not needed.", runbook: null };
  }

  summary(name) {
    const isSilent = STORIES[name] === "silent";
    const probability = this.probability(name, this.minute);
    const failing = !isSilent && this.failing(name);
    const warning = this.warning(name);
    const level = this.level(probability);
    const metrics = Object.fromEntries(
      METRICS.map(([metric]) => [metric, isSilent ? null : this.value(name, metric, this.minute)]),
    );
    let since = this.minute;
    while (failing && this.failing(name, since - MINUTE)) since -= MINUTE;
    const status = failing
      ? "failing"
      : warning
        ? "warning"
        : probability === null
          ? "unknown"
          : level === "low"
            ? "ok"
            : "at_risk";
    const availability = isSilent ? null : 1 - (hash(name) % 3 === 0 ? 0.004 : 0) - (failing ? 0.006 : 0);
    const recent = Array.from({ length: 60 }, (_, index) =>
      this.probability(name, this.minute - (59 - index) * MINUTE),
    );
    return {
      name,
      time: iso(this.minute),
      age_seconds: (Date.now() - this.minute) / 1000,
      metrics,
      missing: isSilent ? "service_silent" : null,
      health: isSilent ? null : clamp(1 - this.strain(name, this.minute), 0, 1),
      status,
      probability,
      level,
      cannot_tell: probability === null ? "missing_row" : null,
      warning: warning?.id ?? null,
      failing_since: failing ? iso(since) : null,
      silenced_until: this.silenced.get(name) ?? null,
      availability,
      gauges: {
        cpu: metrics.cpu_usage,
        memory: metrics.memory_usage,
        latency: metrics.p95_latency,
        error_rate: metrics.error_rate,
        throughput: metrics.request_count === null ? null : metrics.request_count / 60,
        availability,
      },
      ledger: {
        hits: 1 + (hash(name) % 5),
        late: hash(name) % 2,
        false: hash(name) % 3,
        missed: hash(name) % 4 === 0 ? 1 : 0,
        averted: 0,
        censored: 0,
        detected: 1 + (hash(name) % 5),
      },
      recent,
    };
  }

  detail(name) {
    return {
      ...this.summary(name),
      servers: this.calls.filter(([client]) => client === name).map(([, server]) => server),
      clients: this.calls
        .filter(([, server]) => server === name)
        .map(([client]) => client)
        .slice(0, 20),
      limits: { error_rate: { above: 0.05 } },
      slo: this.slos().filter((slo) => slo.service === name),
    };
  }

  prediction(name) {
    const probability = this.probability(name, this.minute);
    const level = this.level(probability);
    const tells = probability !== null && level !== "low";
    const shape = [0.08, 0.17, 0.31, 0.27, 0.17];
    return {
      service: name,
      time: iso(this.minute),
      model: this.main,
      probability,
      per_step: tells ? shape.map((share) => share * probability) : null,
      minutes_to_failure: tells ? 3.4 : null,
      level,
      threshold: this.threshold(),
      kind: tells ? this.kind(name) : null,
      kind_confidence: tells ? 0.74 : null,
      cannot_tell: probability === null ? "missing_row" : null,
      confidence:
        probability === null
          ? null
          : { calibrated: true, distance: 1.7, text: "Calibrated, and near to what it was trained on" },
      evidence: tells ? this.evidence(name) : [],
      recommendation: tells ? this.recommendation(name) : null,
      warning: this.warning(name)?.id ?? null,
      similar: tells
        ? [
            { warning: `${name}@a`, time: iso(this.minute - 1400 * MINUTE), outcome: "hit", lead_minutes: 4 },
            { warning: `${name}@b`, time: iso(this.minute - 2600 * MINUTE), outcome: "hit", lead_minutes: 2 },
            { warning: `${name}@c`, time: iso(this.minute - 5200 * MINUTE), outcome: "false", lead_minutes: null },
          ]
        : [],
    };
  }

  history(name, from, to, resolution) {
    const first = Math.ceil(from / MINUTE) * MINUTE;
    const last = Math.min(to, this.minute);
    const every = Math.max(1, Math.ceil((resolution * 1000) / MINUTE)) * MINUTE;
    const times = [];
    for (let time = first; time <= last; time += every) times.push(time);
    const isDark = (time) => STORIES[name] === "silent" && time > this.minute - 12 * MINUTE;
    const warnings = [];
    const failures = [];
    let warned = null;
    let failed = null;
    for (let time = first; time <= last; time += MINUTE) {
      const high = (this.probability(name, time) ?? 0) >= this.threshold();
      if (high && warned === null) warned = time;
      if (!high && warned !== null) {
        warnings.push(this.warningAt(name, warned, time, "hit"));
        warned = null;
      }
      const bad = this.failing(name, time);
      if (bad && failed === null) failed = time;
      if (!bad && failed !== null) {
        failures.push({ id: `${name}!${iso(failed)}`, service: name, onset: iso(failed), end: iso(time) });
        failed = null;
      }
    }
    if (warned !== null) warnings.push(this.warningAt(name, warned, null, null));
    if (failed !== null) failures.push({ id: `${name}!${iso(failed)}`, service: name, onset: iso(failed), end: null });
    return {
      service: name,
      step_seconds: every / 1000,
      times: times.map(iso),
      metrics: Object.fromEntries(
        METRICS.map(([metric]) => [
          metric,
          times.map((time) => (isDark(time) ? null : this.value(name, metric, time))),
        ]),
      ),
      probability: times.map((time) => this.probability(name, time)),
      threshold: times.map(() => this.threshold()),
      warnings,
      failures,
    };
  }

  warnings() {
    return this.names.map((name) => this.warning(name)).filter(Boolean);
  }

  incidents() {
    const open = {
      id: "incident-1",
      since: iso(this.minute - 9 * MINUTE),
      closed_at: null,
      state: "open",
      services: ["database", "orders", "payments"],
      suspects: [
        { service: "database", share: 0.71 },
        { service: "orders", share: 0.21 },
        { service: "payments", share: 0.08 },
      ],
      victims: [
        { service: "checkout", probability: 0.62 },
        { service: "users", probability: 0.34 },
        { service: "frontend", probability: 0.22 },
      ],
      path: ["database", "orders", "payments", "checkout", "frontend"],
      warnings: this.warnings()
        .filter((warning) => warning.incident)
        .map((warning) => warning.id),
      blast_radius: 2.65,
    };
    const closed = [3, 9, 15].map((hours, index) => ({
      id: `incident-old-${index}`,
      since: iso(this.minute - hours * 60 * MINUTE),
      closed_at: iso(this.minute - hours * 60 * MINUTE + (8 + index * 5) * MINUTE),
      state: "closed",
      services: [["search", "cache"], ["payments"], ["inventory", "catalog", "frontend"]][index],
      suspects: [{ service: ["cache", "payments", "inventory"][index], share: 0.8 }],
      victims: [],
      path: [],
      warnings: [],
      blast_radius: [1.4, 0.6, 0.5][index],
    }));
    return [open, ...closed];
  }

  graph() {
    const nodes = this.names.map((name) => {
      const { health, probability, status } = this.summary(name);
      return {
        service: name,
        health,
        probability,
        status,
        critical: ["frontend", "checkout", "payments", "database"].includes(name),
      };
    });
    return {
      nodes,
      edges: this.calls.map(([client, server]) => ({
        client,
        server,
        requests: (this.value(client, "request_count", this.minute) / 60) * 0.7,
        error_rate: STORIES[server] === "silent" ? null : this.value(server, "error_rate", this.minute),
      })),
      critical_path: ["frontend", "checkout", "payments", "database"],
      cascades: [
        {
          root: "database",
          victims: [
            { service: "orders", probability: 0.81 },
            { service: "payments", probability: 0.66 },
            { service: "checkout", probability: 0.62 },
            { service: "users", probability: 0.34 },
            { service: "frontend", probability: 0.22 },
          ],
          minutes: 3.4,
        },
      ],
      blast_radius: {
        database: 2.65,
        cache: 1.4,
        payments: 0.6,
        orders: 0.6,
        checkout: 0.3,
        inventory: 0.5,
        email: 0.3,
      },
    };
  }

  slos() {
    return ["checkout", "payments", "frontend", "search", "orders"].map((service, index) => ({
      service,
      objective: index % 2 ? "latency below 500 ms" : "availability",
      target: [0.999, 0.995, 0.999, 0.99, 0.995][index],
      window_days: 30,
      budget_left: [0.62, 0.18, 0.84, 0.97, -0.08][index],
      burn_rates: [60, 360, 4320].map((window_minutes, place) => ({
        window_minutes,
        rate: [
          [1.4, 1.1, 0.6],
          [7.2, 3.4, 1.8],
          [0.3, 0.4, 0.5],
          [0.1, 0.2, 0.1],
          [14.6, 6.1, 2.2],
        ][index][place],
      })),
      level: ["met", "ticket", "met", "met", "page"][index],
      since: iso(this.minute - 40 * MINUTE),
      violated: index === 4 || index === 1,
      forecast: {
        minutes_to_exhaustion: [null, 2860, null, null, null][index],
        probability: this.probability(service, this.minute),
      },
    }));
  }

  outcomes() {
    const kinds = ["hit", "hit", "false", "hit", "missed", "late", "hit", "averted", "hit", "censored", "false", "hit"];
    return Array.from({ length: 240 }, (_, index) => {
      const outcome = kinds[(index * 7 + (index >> 3)) % kinds.length];
      const time = this.minute - (30 + index * 173) * MINUTE;
      const lead = outcome === "hit" ? 1 + ((index * index) % 5) : outcome === "late" ? -1 : null;
      return {
        time: iso(time),
        service: this.names[(index * 5) % 14],
        model: index % 9 === 8 ? "gru" : this.main,
        shadow: index % 9 === 8,
        warning: outcome === "missed" ? null : `warning-${index}`,
        onset: ["hit", "late", "missed"].includes(outcome) ? iso(time - 2 * MINUTE) : null,
        outcome,
        lead_minutes: lead,
        net_lead_minutes: lead === null ? null : lead - 0.5,
      };
    });
  }

  ledger({ service, model, from, cursor, limit = 100 }) {
    const entries = this.outcomes().filter(
      (entry) =>
        (!service || entry.service === service) && (!model || entry.model === model) && (!from || entry.time >= from),
    );
    const tally = (list) => {
      const count = (outcome) => list.filter((entry) => entry.outcome === outcome).length;
      return {
        hits: count("hit"),
        late: count("late"),
        false: count("false"),
        missed: count("missed"),
        averted: count("averted"),
        censored: count("censored"),
        detected: count("hit"),
      };
    };
    const share = (part, whole) =>
      whole === 0
        ? null
        : { value: part / whole, low: Math.max(0, part / whole - 0.09), high: Math.min(1, part / whole + 0.08) };
    const models = [this.main, this.main === "gru" ? "boosted_trees" : "gru"].map((name, index) => {
      const counts = tally(entries.filter((entry) => entry.model === name));
      return {
        name,
        shadow: index > 0,
        ...counts,
        precision: share(counts.hits, counts.hits + counts.false),
        recall: share(counts.detected, counts.detected + counts.missed),
        median_lead_minutes: 3,
        realised_per_service_week: index ? 1.24 : 0.72,
        budget_per_service_week: 1,
        calibration: [0.02, 0.08, 0.18, 0.33, 0.52, 0.74, 0.9].map((predicted, place) => ({
          predicted,
          observed: clamp(predicted + [0.0, 0.01, -0.02, 0.05, -0.04, 0.03, -0.06][place], 0, 1),
          count: [9000, 820, 240, 90, 61, 40, 22][place],
        })),
      };
    });
    const days = new Map();
    for (const entry of entries) {
      const day = entry.time.slice(0, 10);
      days.set(day, [...(days.get(day) ?? []), entry]);
    }
    const start = Number(cursor ?? 0);
    const next = start + Number(limit);
    return {
      models,
      by_day: [...days].map(([day, list]) => ({ day, ...tally(list) })).sort((a, b) => (a.day < b.day ? -1 : 1)),
      entries: { items: entries.slice(start, next), next_cursor: next < entries.length ? String(next) : null },
    };
  }

  models() {
    const ledger = this.ledger({});
    return {
      items: ledger.models.map((model, index) => ({
        name: model.name,
        main: index === 0,
        threshold: 0.31,
        threshold_shift: index ? 0 : 0.18,
        trained: "simulated shop, 30 days, seed 7",
        metrics: METRICS.map(([metric]) => metric),
        observation: 10,
        lead: 0,
        period: 5,
        fingerprint: index ? "9f31c2d0" : "41aa07be",
        metadata: {
          pr_auc: index ? 0.436 : 0.412,
          roc_auc: 0.81,
          brier: 0.0066,
          failures_detected: 31,
          failures: 52,
          median_lead_minutes: 3,
          rows: 172_800,
          target: "onset",
        },
        ledger: model,
      })),
      comparison: [
        {
          shadow: ledger.models[1].name,
          both: 31,
          only_main: 5,
          only_shadow: 9,
          neither: 16,
          main_false: 18,
          shadow_false: 27,
        },
      ],
    };
  }

  chaos() {
    return {
      available: true,
      kinds: [
        ["cpu_spike", "CPU spike", "Something else takes most of the processor.", true],
        ["memory_leak", "Memory leak", "Memory grows until garbage collection, and then the pod, gives in.", true],
        ["network_latency", "Network latency", "Every call to it takes longer.", false],
        ["service_kill", "Service kill", "All pods of it end, and start again.", false],
        ["cascade", "Cascade", "A server fails, and takes its clients with it.", true],
        ["traffic_surge", "Traffic surge", "Many times the usual requests.", true],
      ].map(([kind, label, description, gradual]) => ({
        kind,
        label,
        description,
        routine: false,
        gradual,
        parameters: {
          severity: { least: 0.05, most: 1, usual: 0.7 },
          seconds: { least: 1, most: 3600, usual: 300 },
        },
        services: this.names.slice(0, 14),
      })),
      most_active: 8,
      active: this.faults.filter((fault) => Date.parse(fault.ends) > Date.now()),
      past: [...this.faults.filter((fault) => Date.parse(fault.ends) <= Date.now()), ...this.pastFaults],
    };
  }

  status(clients) {
    return {
      name: "forewarn",
      version: "0.1.0",
      now: iso(Date.now()),
      started: iso(this.started),
      replayed: 1204,
      next_minute: iso(this.minute + MINUTE),
      row_age_seconds: (Date.now() - this.minute) / 1000,
      step_seconds: 60,
      failure_rule: "error rate at least 5 % for 2 minutes",
      observation_minutes: 10,
      period_minutes: 5,
      metrics: METRICS.map(([name, unit]) => ({ name, unit })),
      sources: [
        { name: "simulator", status: "up", reason: null, last_row: iso(this.minute) },
        {
          name: "prometheus-eu",
          status: "partial",
          reason: "2 of 31 series have no value since 14:20",
          last_row: iso(this.minute),
        },
      ],
      counters: { rows: 482_113, scores: 964_226, late_samples: 41, out_of_range: 3, unknown_services: 0 },
      store: { degraded: false, error: null, bytes: 48_211_004 },
      clients,
      simulator: true,
      budget: { per_service_week: 1, realised_per_service_week: 0.72, false_alarms: 18, service_weeks: 25.1 },
      seq: this.seq,
      limits_hit: { body_too_large: 0, too_many_requests: 2, slow_clients: 1 },
    };
  }

  snapshot(clients) {
    return {
      type: "snapshot",
      seq: this.seq,
      status: this.status(clients),
      services: this.names.map((name) => this.summary(name)),
      warnings: this.warnings(),
      incidents: this.incidents().filter((incident) => incident.state !== "closed"),
      graph: null,
      chaos: this.chaos(),
    };
  }

  emit(time, event) {
    this.seq += 1;
    const numbered = { seq: this.seq, time: iso(time), ...event };
    this.events.push(numbered);
    if (this.events.length > 3000) this.events.shift();
    return numbered;
  }

  /** What was said before the page was opened. */
  story() {
    const at = (ago) => this.minute - ago * MINUTE;
    for (const name of this.names.slice(0, 15)) this.emit(at(1500), { event: "service_appeared", service: name });
    this.emit(at(1490), { event: "source", source: "simulator", status: "up" });
    for (const entry of this.outcomes().slice(0, 12).reverse())
      this.emit(Date.parse(entry.time), { event: "outcome", ...entry, time: entry.time });
    this.emit(at(20), { event: "source", source: "prometheus-eu", status: "partial" });
    this.emit(at(12), { event: "late", service: "email", count: 4 });
    for (const warning of this.warnings().slice(0, 6))
      this.emit(Date.parse(warning.since), { event: "warning", ...warning });
    this.emit(at(9), {
      event: "incident",
      id: "incident-1",
      state: "opened",
      since: iso(at(9)),
      services: ["database", "orders"],
      suspects: [["database", 0.7]],
      victims: [],
    });
    this.emit(at(6), {
      event: "failure",
      id: "orders!x",
      service: "orders",
      state: "confirmed",
      onset: iso(at(7)),
      end: null,
    });
    this.emit(at(3), {
      event: "incident",
      id: "incident-1",
      state: "updated",
      since: iso(at(9)),
      services: ["database", "orders", "payments"],
      suspects: [["database", 0.71]],
      victims: [["checkout", 0.62]],
    });
    const rows = this.events.splice(0).sort((a, b) => (a.time < b.time ? -1 : 1));
    rows.forEach((event, index) => this.events.push({ ...event, seq: this.seq - rows.length + 1 + index }));
    this.emit(at(1), {
      event: "budget",
      per_service_week: 1,
      realised_per_service_week: 0.72,
      false_alarms: 18,
      service_weeks: 25.1,
      threshold_shift: 0.18,
    });
  }

  /** One more minute: rows, scores, and the warnings that come or go. */
  advance() {
    const before = new Map(this.warnings().map((warning) => [warning.service, warning]));
    this.minute += MINUTE;
    const events = [];
    for (const name of this.names) {
      const { metrics, missing, probability, level, cannot_tell } = this.summary(name);
      events.push(
        this.emit(this.minute, {
          event: "row",
          service: name,
          values: METRICS.map(([metric]) => metrics[metric]),
          missing,
        }),
      );
      const { per_step, minutes_to_failure } = this.prediction(name);
      events.push(
        this.emit(this.minute, {
          event: "score",
          service: name,
          model: this.main,
          shadow: false,
          probability,
          per_step,
          minutes_to_failure,
          level,
          cannot_tell,
        }),
      );
    }
    for (const warning of this.warnings()) {
      if (!before.has(warning.service)) events.push(this.emit(this.minute, { event: "warning", ...warning }));
      before.delete(warning.service);
    }
    for (const warning of before.values()) {
      events.push(this.emit(this.minute, { event: "warning", ...warning, state: "resolved" }));
    }
    return events;
  }
}
