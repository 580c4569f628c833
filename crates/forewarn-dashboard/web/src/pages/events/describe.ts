// An event in one line.
import type { EngineEvent, OutcomeKind } from "../../api/types";
import { chance, minutes, number, percent, plural } from "../../lib/format";
import { LEVEL, OUTCOME, kind, reason } from "../../lib/text";
import type { Level } from "../../api/types";

export interface Described {
  text: string;
  tone: "plain" | "ok" | "warning" | "failing" | "unknown";
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const numeric = (value: unknown): number | null => (typeof value === "number" ? value : null);

export function describe(event: EngineEvent): Described {
  switch (event.event) {
    case "service_appeared":
      return { text: "Seen for the first time", tone: "plain" };
    case "service_expired":
      return { text: "Silent for long, forgotten", tone: "unknown" };
    case "row":
      return event.missing
        ? { text: `Missing: ${reason(text(event.missing))}`, tone: "unknown" }
        : { text: `${plural((event.values as unknown[] | undefined)?.length ?? 0, "metric")}`, tone: "plain" };
    case "score":
      return event.probability === null || event.probability === undefined
        ? { text: `${text(event.model)}: cannot tell, ${reason(text(event.cannot_tell))}`, tone: "unknown" }
        : { text: `${text(event.model)}: ${chance(numeric(event.probability))}`, tone: "plain" };
    case "warning": {
      if (event.state === "resolved") return { text: "Over", tone: "ok" };
      const level = LEVEL[text(event.level) as Level] ?? "";
      const expected = numeric(event.minutes_to_failure);
      return {
        text: `${level} risk, ${chance(numeric(event.probability))}: ${kind(text(event.kind)).toLowerCase()}${
          expected === null ? "" : `, expected in ${minutes(expected)}`
        }${event.silenced ? " (silenced)" : ""}`,
        tone: "warning",
      };
    }
    case "failure":
      return event.state === "ended"
        ? { text: "Failure is over", tone: "ok" }
        : { text: "Failure confirmed by the failure rule", tone: "failing" };
    case "incident": {
      const services = (event.services as string[] | undefined) ?? [];
      const word = { opened: "Opened", updated: "Changed", closed: "Closed" }[text(event.state)] ?? text(event.state);
      return { text: `${word}: ${services.join(", ")}`, tone: event.state === "closed" ? "ok" : "warning" };
    }
    case "outcome": {
      const outcome = text(event.outcome) as OutcomeKind;
      const lead = numeric(event.lead_minutes);
      const tone = outcome === "missed" ? "failing" : outcome === "false" || outcome === "late" ? "warning" : "ok";
      return {
        text: `${OUTCOME[outcome] ?? outcome}${lead === null ? "" : `, ${minutes(lead)} ahead`} (${text(event.model)})`,
        tone: outcome === "censored" ? "unknown" : tone,
      };
    }
    case "budget":
      return {
        text: `${number(numeric(event.realised_per_service_week), 2)} false alarms per service and week of ${number(
          numeric(event.per_service_week),
        )} accepted`,
        tone: "plain",
      };
    case "slo": {
      const left = `${percent(numeric(event.budget_left))} of the error budget left`;
      if (event.exhausted === true) return { text: `${text(event.slo)}: the error budget is used up`, tone: "failing" };
      if (event.level === "met") return { text: `${text(event.slo)}: met, ${left}`, tone: "ok" };
      return {
        text: `${text(event.slo)}: burns too fast, ${left}`,
        tone: event.level === "page" ? "failing" : "warning",
      };
    }
    case "source":
      return source(event);
    case "late":
      return { text: `${plural(numeric(event.count) ?? 0, "sample")} after the row was closed`, tone: "unknown" };
    case "action":
      return { text: action(event), tone: "plain" };
    default:
      return { text: event.event.replaceAll("_", " "), tone: "plain" };
  }
}

/** A source's status is a word, or an object of the word with a reason. */
function source(event: EngineEvent): Described {
  const { status } = event;
  const name = text(event.source);
  if (typeof status === "object" && status !== null && "down" in status) {
    const { reason } = status.down as { reason?: string };
    return { text: `${name} is down: ${reason ?? "no reason given"}`, tone: "failing" };
  }
  const word = text(status);
  if (word === "up") return { text: `${name} answers`, tone: "ok" };
  return word === "partial"
    ? { text: `${name} answers in part`, tone: "warning" }
    : { text: `${name} is ${word}`, tone: "failing" };
}

/** Actions come as `{acknowledge: {warning}}` and the like. */
function action(event: EngineEvent): string {
  const body = event as Record<string, unknown>;
  const of = (name: string) => body[name] as Record<string, unknown> | undefined;
  if (of("acknowledge")) return `Acknowledged ${text(of("acknowledge")?.warning)}`;
  if (of("acted")) return `Acted on ${text(of("acted")?.warning)}`;
  if (of("silence")) return `Silenced ${text(of("silence")?.service)} until ${text(of("silence")?.until)}`;
  if (of("promote")) return `Made ${text(of("promote")?.model)} the main model: ${text(of("promote")?.reason)}`;
  return "An operator did something";
}
