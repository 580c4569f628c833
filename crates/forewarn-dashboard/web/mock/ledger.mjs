// What became of warnings and failures in the made-up shop, and of its models.
import { Services } from "./services.mjs";
import { METRICS, MINUTE, clamp, iso } from "./shop.mjs";

export class Judged extends Services {
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
}
