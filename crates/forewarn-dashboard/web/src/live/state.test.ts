import { describe, expect, it } from "vitest";
import type { EngineEvent, LiveMessage, ServiceSummary, Status } from "../api/types";
import { EMPTY, KEPT_EVENTS, KEPT_SCORES, type LiveState, apply, gaugesOf, standing } from "./state";

const status = {
  now: "2026-11-28T12:00:30Z",
  row_age_seconds: 30,
  metrics: [
    { name: "error_rate", unit: "ratio" },
    { name: "cpu_usage", unit: "ratio" },
  ],
  budget: { per_service_week: 1, realised_per_service_week: 0.5, false_alarms: 1, service_weeks: 2 },
} as Status;

const gauges = { cpu: 0.1, memory: 0.2, latency: 30, error_rate: 0, throughput: 5, availability: 1 };

function service(name: string, more: Partial<ServiceSummary> = {}): ServiceSummary {
  return {
    name,
    time: "2026-11-28T12:00:00Z",
    age_seconds: 30,
    metrics: {},
    missing: null,
    health: 1,
    status: "ok",
    probability: 0.01,
    level: "low",
    cannot_tell: null,
    warning: null,
    failing_since: null,
    silenced_until: null,
    availability: 1,
    gauges,
    ledger: { hits: 0, late: 0, false: 0, missed: 0, averted: 0, censored: 0, detected: 0, out_of_reach: 0 },
    ...more,
  };
}

const snapshot: LiveMessage = {
  type: "snapshot",
  seq: 10,
  status,
  services: [service("cart"), service("database")],
  warnings: [],
  incidents: [],
  graph: null,
  chaos: null,
};

function event(seq: number, body: Record<string, unknown>): LiveMessage {
  return { type: "event", seq, event: { seq, time: "2026-11-28T12:01:00Z", ...body } as EngineEvent };
}

const start = apply(EMPTY, [snapshot], 1000);
const cart = (state: LiveState) => state.services.get("cart") as ServiceSummary;

describe("a snapshot", () => {
  it("replaces all, and keeps the scores that a service has", () => {
    const scored = apply(start, [event(11, { event: "score", service: "cart", probability: 0.4, level: "high" })], 1);
    expect(cart(scored).recent).toEqual([0.01, 0.4]);
    const again = apply(scored, [{ ...snapshot, seq: 12, services: [service("cart")] }], 2);
    expect([...again.services.keys()]).toEqual(["cart"]);
    expect(cart(again)).toMatchObject({ probability: 0.01, recent: [0.01, 0.4] });
    const later = apply(
      again,
      [{ ...snapshot, seq: 13, services: [service("cart", { time: "2026-11-28T12:01:00Z", probability: 0.2 })] }],
      3,
    );
    expect(cart(later).recent).toEqual([0.01, 0.4, 0.2]);
    expect(again.seq).toBe(12);
  });

  it("sets the clock", () => {
    expect(start).toMatchObject({ now: Date.parse(status.now), rowAge: 30, heardAt: 1000 });
  });
});

describe("events", () => {
  it("are taken once, in order of their numbers", () => {
    const twice = apply(start, [event(11, { event: "late", service: "cart", count: 1 })], 1);
    expect(apply(twice, [event(11, { event: "late", service: "cart", count: 1 })], 1).events).toHaveLength(1);
    expect(apply(twice, [event(9, { event: "late", service: "cart", count: 1 })], 1).seq).toBe(11);
  });

  it("leave the state before them as it was", () => {
    apply(start, [event(11, { event: "score", service: "cart", probability: 0.9, level: "critical" })], 1);
    expect(cart(start).probability).toBe(0.01);
  });

  it("of rows name values by the metrics' order, and unknown stays unknown", () => {
    const state = apply(start, [event(11, { event: "row", service: "cart", values: [0.07, null], missing: null })], 1);
    expect(cart(state).metrics).toEqual({ error_rate: 0.07, cpu_usage: null });
    expect(cart(state).gauges).toEqual({ ...gauges, error_rate: 0.07, cpu: null });
  });

  it("of rows that are missing leave no old value", () => {
    const state = apply(start, [event(11, { event: "row", service: "cart", values: [], missing: "source_down" })], 1);
    expect(cart(state)).toMatchObject({ missing: "source_down", metrics: { error_rate: null, cpu_usage: null } });
  });

  it("of shadow models change nothing", () => {
    const shadow = { event: "score", service: "cart", shadow: true, probability: 0.9, level: "critical" };
    expect(cart(apply(start, [event(11, shadow)], 1))).toEqual(cart(start));
  });

  it("of a score that cannot be told make the service unknown, not calm", () => {
    const blind = { event: "score", service: "cart", probability: null, level: null, cannot_tell: "source_down" };
    expect(cart(apply(start, [event(11, blind)], 1))).toMatchObject({
      status: "unknown",
      probability: null,
      cannot_tell: "source_down",
      recent: [0.01, null],
    });
  });

  it("raise and resolve a warning", () => {
    const firing = { event: "warning", service: "cart", id: "cart@1", state: "firing", level: "high" };
    const raised = apply(start, [event(11, firing)], 1);
    expect(raised.warnings.map(({ id }) => id)).toEqual(["cart@1"]);
    expect(cart(raised)).toMatchObject({ status: "warning", warning: "cart@1" });
    const over = apply(raised, [event(12, { ...firing, state: "resolved" })], 1);
    expect(over.warnings).toEqual([]);
    expect(cart(over)).toMatchObject({ status: "ok", warning: null });
  });

  it("confirm and end a failure", () => {
    const failed = { event: "failure", service: "cart", state: "confirmed", onset: "2026-11-28T11:59:00Z" };
    const failing = apply(start, [event(11, failed)], 1);
    expect(cart(failing)).toMatchObject({ status: "failing", failing_since: "2026-11-28T11:59:00Z" });
    expect(cart(apply(failing, [event(12, { ...failed, state: "ended" })], 1)).status).toBe("ok");
  });

  it("open, change and close an incident, with the engine's pairs", () => {
    const opened = {
      event: "incident",
      id: "i",
      state: "opened",
      since: "s",
      services: ["cart"],
      suspects: [["cart", 1]],
      victims: [],
    };
    const open = apply(start, [event(11, opened)], 1);
    expect(open.incidents[0]).toMatchObject({ id: "i", suspects: [{ service: "cart", share: 1 }] });
    const changed = apply(open, [event(12, { ...opened, state: "updated", victims: [["database", 0.4]] })], 1);
    expect(changed.incidents).toHaveLength(1);
    expect(changed.incidents[0]?.victims).toEqual([{ service: "database", probability: 0.4 }]);
    expect(apply(changed, [event(13, { ...opened, state: "closed" })], 1).incidents).toEqual([]);
  });

  it("of actions show at once what was done", () => {
    const firing = { event: "warning", service: "cart", id: "cart@1", state: "firing", level: "high" };
    const raised = apply(start, [event(11, firing)], 1);
    const seen = apply(raised, [event(12, { event: "action", acknowledge: { warning: "cart@1" } })], 1);
    expect(seen.warnings[0]).toMatchObject({ acknowledged: true, acted: false });
    const acted = apply(seen, [event(13, { event: "action", acted: { warning: "cart@1" } })], 1);
    expect(acted.warnings[0]).toMatchObject({ acknowledged: true, acted: true });
    const silence = (until: string) => ({ event: "action", silence: { service: "cart", until } });
    const quiet = apply(acted, [event(14, silence("2026-11-28T13:00:00Z"))], 1);
    expect(cart(quiet).silenced_until).toBe("2026-11-28T13:00:00Z");
    expect(cart(apply(quiet, [event(15, silence("2026-11-28T12:01:00Z"))], 1)).silenced_until).toBeNull();
  });

  it("of outcomes are counted for the service and told to the warning, those of shadows not", () => {
    const firing = { event: "warning", service: "cart", id: "cart@1", state: "firing", level: "high" };
    const raised = apply(start, [event(11, firing)], 1);
    const about = { service: "cart", warning: "cart@1", shadow: false };
    const hit = { event: "outcome", ...about, outcome: "hit", lead_minutes: 3 };
    const judged = apply(raised, [event(12, hit), event(13, { ...hit, shadow: true })], 1);
    expect(judged.warnings[0]).toMatchObject({ outcome: "hit", lead_minutes: 3 });
    expect(cart(judged).ledger).toMatchObject({ hits: 1, false: 0 });
  });

  it("bring and forget services", () => {
    const state = apply(
      start,
      [
        event(11, { event: "service_appeared", service: "new" }),
        event(12, { event: "service_expired", service: "cart" }),
      ],
      1,
    );
    expect([...state.services.keys()]).toEqual(["database", "new"]);
    expect(state.services.get("new")).toMatchObject({ status: "unknown", probability: null });
  });

  it("are kept in bounds, rows and scores not at all", () => {
    const many = Array.from({ length: KEPT_EVENTS + 50 }, (_, index) =>
      event(11 + index, { event: "late", service: "cart", count: 1 }),
    );
    expect(apply(start, many, 1).events).toHaveLength(KEPT_EVENTS);
    const scores = Array.from({ length: KEPT_SCORES + 9 }, (_, index) =>
      event(11 + index, { event: "score", service: "cart", probability: index / 100, level: "low" }),
    );
    const scored = apply(start, scores, 1);
    expect(scored.events).toHaveLength(0);
    expect(cart(scored).recent).toHaveLength(KEPT_SCORES);
  });

  it("of kinds that this page does not know yet are kept, and change nothing else", () => {
    const state = apply(start, [event(11, { event: "moon_phase", service: "cart" })], 1);
    expect(state.events).toHaveLength(1);
    expect(state.services).toBe(start.services);
  });
});

describe("other messages", () => {
  it("move gauges between rows", () => {
    const beat: LiveMessage = {
      type: "beat",
      now: status.now,
      row_age_seconds: 4,
      seq: 10,
      services: { cart: { cpu: 0.8, pods_up: 0.5 }, gone: { cpu: 1 } },
    };
    const state = apply(start, [beat], 5);
    expect(cart(state).gauges).toEqual({ ...gauges, cpu: 0.8 });
    expect(state.services.size).toBe(2);
    expect(state.rowAge).toBe(4);
  });

  it("bring the availability of the last day, which is unknown where nothing is known", () => {
    const known = apply(start, [event(11, { event: "row", service: "cart", values: [0, 0.5], missing: null })], 1);
    const beat = (availability: Record<string, number>): LiveMessage => ({
      type: "beat",
      now: status.now,
      row_age_seconds: 4,
      seq: 11,
      availability,
    });
    const worse = apply(known, [beat({ cart: 0.98 })], 5);
    expect(cart(worse)).toMatchObject({ availability: 0.98, gauges: { availability: 0.98 } });
    const well = apply(worse, [beat({})], 6);
    expect(cart(well).availability).toBe(1);
    const unknown = apply(EMPTY, [{ ...snapshot, services: [service("silent", { availability: null })] }, beat({})], 7);
    expect(unknown.services.get("silent")?.availability).toBeNull();
  });

  it("count what the page was too slow for", () => {
    expect(apply(start, [{ type: "lagged", missed: 7 }], 1).missed).toBe(7);
  });
});

it("a failure counts more than a warning, and that more than a level", () => {
  const calm = { failing_since: null, warning: null, level: "low" as const, probability: 0.01 };
  expect(standing(calm)).toBe("ok");
  expect(standing({ ...calm, level: "medium" })).toBe("at_risk");
  expect(standing({ ...calm, warning: "w" })).toBe("warning");
  expect(standing({ ...calm, warning: "w", failing_since: "t" })).toBe("failing");
  expect(standing({ ...calm, probability: null })).toBe("unknown");
});

it("gauges go by name and unit, and those that no metric measures stay out", () => {
  const metrics = [
    { name: "p99_latency", unit: "ms" },
    { name: "p95_latency", unit: "ms" },
    { name: "request_count", unit: "count per step" },
    { name: "cpu_seconds", unit: "count per step" },
  ];
  const values = { p99_latency: 9, p95_latency: 7, request_count: 120, cpu_seconds: 3 };
  expect(gaugesOf(values, metrics, 60)).toEqual({ latency: 7, throughput: 2 });
});

it("the data's clock may run faster than this machine's", () => {
  const beat = (now: string, at: number): [LiveMessage, number] => [
    { type: "beat", now, row_age_seconds: 1, seq: 10 },
    at,
  ];
  const [first, second] = [beat("2026-11-28T12:02:30Z", 3000), beat("2026-11-28T12:02:30Z", 3001)];
  const state = apply(start, [first[0]], first[1]);
  expect(state.rate).toBe(60);
  expect(apply(state, [second[0]], second[1]).rate).toBe(60);
});
