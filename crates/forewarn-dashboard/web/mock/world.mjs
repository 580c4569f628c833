// A made-up shop for the page to show: enough of a service to look real, and the same with the same seed.
import { Fleet } from "./fleet.mjs";
import { METRICS, MINUTE, iso } from "./shop.mjs";

export class World extends Fleet {
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
