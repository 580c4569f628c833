// What is said of the whole made-up shop: incidents, graph, objectives, faults, status.
import { Judged } from "./ledger.mjs";
import { METRICS, MINUTE, STORIES, iso } from "./shop.mjs";

export class Fleet extends Judged {
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
      burn_rates: [5, 30, 60, 120, 360, 1440, 4320].map((window_minutes, place) => ({
        window_minutes,
        rate: [
          [1.4, 1.1, 0.6],
          [7.2, 3.4, 1.8],
          [0.3, 0.4, 0.5],
          [0.1, 0.2, 0.1],
          [14.6, 6.1, 2.2],
        ][index][[0, 0, 0, 1, 1, 2, 2][place]],
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
}
