import { describe as suite, expect, it } from "vitest";
import type { EngineEvent, ServiceSummary } from "../api/types";
import { describe } from "./events/describe";
import { merge } from "./events/log";
import { count, filter, group, order, parseStandings, prefix } from "./fleet/order";
import { sentence } from "./fleet/sentence";
import { bandsOf, rangeSeconds, resolution } from "./service/spans";
import { around, layOut, neighbour, smooth } from "./topology/layout";

const service = (name: string, status: string, probability: number | null, error_rate: number | null = null) =>
  ({ name, status, probability, gauges: { error_rate } }) as ServiceSummary;

suite("the fleet", () => {
  const services = [
    service("web-a", "ok", 0.02, 0.01),
    service("web-b", "unknown", null, null),
    service("db-a", "warning", 0.4, 0),
    service("db-b", "failing", 0.2, 0.2),
    service("db-c", "warning", 0.6, 0.1),
  ];

  it("is ordered as someone on call would look", () => {
    expect(order(services, "risk").map(({ name }) => name)).toEqual(["db-b", "db-c", "db-a", "web-b", "web-a"]);
    expect(order(services, "name")[0]?.name).toBe("db-a");
    expect(order(services, "errors").map(({ name }) => name)).toEqual(["db-b", "db-c", "web-a", "db-a", "web-b"]);
  });

  it("is filtered by name and standing", () => {
    expect(filter(services, " DB", new Set()).map(({ name }) => name)).toEqual(["db-a", "db-b", "db-c"]);
    expect(filter(services, "", new Set(["ok"])).map(({ name }) => name)).toEqual(["web-a"]);
    expect([...parseStandings("warning,nonsense,,ok")]).toEqual(["warning", "ok"]);
  });

  it("is grouped in the order of what is in the groups", () => {
    const groups = group(order(services, "risk"), "prefix");
    expect(groups.map(({ title, services }) => [title, services.length])).toEqual([
      ["db", 3],
      ["web", 2],
    ]);
    expect(group(services, "none")).toHaveLength(1);
    expect([prefix("shop/cart"), prefix("cart"), prefix("-x")]).toEqual(["shop", "cart", "-x"]);
  });

  it("is said in one sentence, and unknown is not calm", () => {
    const none = { failing: 0, warning: 0, at_risk: 0, unknown: 0, ok: 3 };
    expect(sentence(none, 3, 5)).toBe("No failure is expected in the next 5 minutes.");
    expect(sentence({ ...none, warning: 1 }, 4, 5)).toBe("1 service is expected to fail within 5 minutes.");
    expect(sentence({ ...none, failing: 2, warning: 1 }, 6, 5)).toBe(
      "2 services are failing, 1 more is expected to fail within 5 minutes.",
    );
    expect(sentence({ ...none, ok: 0, unknown: 3 }, 3, 5)).toBe("Nothing can be told of any service now.");
    expect(count(services)).toEqual({ failing: 1, warning: 2, at_risk: 0, unknown: 1, ok: 1 });
  });
});

suite("charts", () => {
  it("reach as far back as their span says", () => {
    expect(["1h", "12h", "7d", "nonsense"].map(rangeSeconds)).toEqual([3600, 43_200, 604_800, 10_800]);
  });

  it("ask for no more points than they have room for", () => {
    expect([3_600_000, 43_200_000, 604_800_000, 1].map((span) => resolution(span, 60))).toEqual([60, 120, 1680, 60]);
  });

  it("draw what goes on to the end", () => {
    const onset = "1970-01-01T00:01:00Z";
    const failures = [{ id: "f", service: "a", onset, confirmed_at: onset, end: null }];
    expect(bandsOf({ warnings: [], failures }, [0, 60, 120])).toEqual([{ kind: "failure", from: 60, to: 120 }]);
  });
});

suite("the graph", () => {
  const node = (name: string) => ({
    service: name,
    health: 1,
    probability: 0.1,
    status: "ok" as const,
    critical: false,
  });
  const edge = (client: string, server: string) => ({ client, server, requests: 1, error_rate: 0 });
  const graph = {
    nodes: ["a", "b", "c", "d", "e"].map(node),
    edges: [edge("a", "b"), edge("b", "c"), edge("c", "d"), edge("a", "gone")],
  };

  it("is laid out from clients to servers, calls of unknown services left out", () => {
    const layout = layOut(graph, "LR");
    const x = (name: string) => layout.nodes.find(({ service }) => service === name)?.x ?? 0;
    expect(x("a")).toBeLessThan(x("b"));
    expect(x("b")).toBeLessThan(x("c"));
    expect(layout.edges).toHaveLength(3);
  });

  it("is cut to a neighbourhood in both directions", () => {
    const near = around(graph, "b", 1);
    expect(near.nodes.map(({ service }) => service)).toEqual(["a", "b", "c"]);
    expect(near.edges).toHaveLength(2);
    expect(around(graph, "e", 3).nodes).toHaveLength(1);
  });

  it("is walked by arrow keys", () => {
    const { nodes } = layOut(graph, "LR");
    expect(neighbour(nodes, "a", "ArrowRight")).toBe("b");
    expect(neighbour(nodes, "b", "ArrowLeft")).toBe("a");
    expect(neighbour(nodes, "d", "ArrowRight")).toBeNull();
    expect(neighbour(nodes, "gone", "ArrowRight")).toBe("a");
  });

  it("has lines from their first point to their last", () => {
    expect(
      smooth([
        { x: 0, y: 0 },
        { x: 10, y: 0 },
        { x: 20, y: 10 },
      ]),
    ).toBe("M0.0 0.0Q10.0 0.0 15.0 5.0L20.0 10.0");
    expect(smooth([])).toBe("");
  });
});

suite("the log", () => {
  const event = (seq: number, body: Record<string, unknown>) => ({ seq, time: "", ...body }) as EngineEvent;

  it("has each event once, newest first", () => {
    const [a, b, c] = [1, 2, 3].map((seq) => event(seq, { event: "late" })) as [EngineEvent, EngineEvent, EngineEvent];
    expect(merge([c, b], [b, a]).map(({ seq }) => seq)).toEqual([3, 2, 1]);
  });

  it("drops rows before warnings", () => {
    const rows = Array.from({ length: 5000 }, (_, index) => event(index + 10, { event: "row" }));
    const kept = merge(rows, [event(1, { event: "warning" })]);
    expect(kept.length).toBeLessThanOrEqual(2000);
    expect(kept.some(({ seq }) => seq === 1)).toBe(true);
  });

  it("says what happened", () => {
    const text = (body: Record<string, unknown>) => describe(event(1, body)).text.replaceAll("\u202f", " ");
    expect(text({ event: "outcome", outcome: "hit", lead_minutes: 4, model: "gru" })).toBe("Hit, 4 min ahead (gru)");
    expect(text({ event: "source", source: "p", status: { down: { reason: "refused" } } })).toBe("p is down: refused");
    expect(text({ event: "source", source: "p", status: "partial" })).toBe("p answers in part");
    expect(text({ event: "score", model: "m", probability: null, cannot_tell: "too_few_rows" })).toBe(
      "m: cannot tell, not yet seen for a whole observation window",
    );
    expect(text({ event: "action", silence: { service: "cart", until: "t" } })).toBe("Silenced cart until t");
    expect(text({ event: "something_new" })).toBe("something new");
  });
});
