// The services of the made-up shop as the API shows them, with their warnings and their past.
import { Signals } from "./signals.mjs";
import { METRICS, MINUTE, STORIES, clamp, hash, iso } from "./shop.mjs";

export class Services extends Signals {
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

  warnings() {
    return this.names.map((name) => this.warning(name)).filter(Boolean);
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
}
