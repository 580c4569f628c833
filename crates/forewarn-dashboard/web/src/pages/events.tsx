// The log of all that the engine said, newest first.
import { useEffect, useMemo, useState } from "react";
import { get, query } from "../api/client";
import type { EngineEvent } from "../api/types";
import { plural } from "../lib/format";
import { useParam } from "../lib/router";
import { useSettings } from "../lib/settings";
import { eventName } from "../lib/text";
import { clock, day, full, parse } from "../lib/time";
import { onEvents } from "../live/store";
import { Choice, SearchBox, Select, ServiceLink } from "../ui/parts";
import { Empty, Failed, Loading } from "../ui/states";
import { Icon, type IconName } from "../ui/icons";
import { describe } from "./events/describe";
import { FREQUENT, merge } from "./events/log";

const KINDS = [
  "warning",
  "failure",
  "incident",
  "outcome",
  "action",
  "source",
  "late",
  "service_appeared",
  "service_expired",
  "budget",
  "slo",
  "row",
  "score",
];

const ICONS: Record<string, IconName> = {
  warning: "incidents",
  failure: "close",
  incident: "topology",
  outcome: "ledger",
  action: "hand",
  source: "status",
  late: "more",
  service_appeared: "plus",
  service_expired: "minus",
  budget: "slos",
};

const PAGE = 300;

export function EventsPage() {
  const [kind, setKind] = useParam("kind");
  const [service, setService] = useParam("service");
  const [flow, setFlow] = useParam("flow", "live");
  const { events, state, reload } = useLog(kind, flow === "live");
  const { zone } = useSettings();
  const shown = useMemo(() => {
    const wanted = service.trim().toLowerCase();
    return events.filter(
      (event) =>
        (kind ? event.event === kind : !FREQUENT.has(event.event)) &&
        (wanted === "" || JSON.stringify(event).toLowerCase().includes(wanted)),
    );
  }, [events, kind, service]);
  return (
    <div className="events">
      <div className="toolbar">
        <SearchBox label="Find in events" value={service} onChange={setService} />
        <Select
          label="Kind"
          value={kind}
          options={[["", "All but rows and scores"], ...KINDS.map((name) => [name, eventName(name)] as const)]}
          onChange={setKind}
        />
        <Choice
          label="New events"
          value={flow as "live" | "still"}
          options={[
            { value: "live", label: "Live" },
            { value: "still", label: "Paused" },
          ]}
          onChange={setFlow}
        />
        <p className="quiet toolbar-end">{plural(shown.length, "event")}</p>
      </div>
      {state.error ? (
        <Failed error={state.error} retry={reload} />
      ) : state.loading && events.length === 0 ? (
        <Loading rows={8} />
      ) : shown.length === 0 ? (
        <Empty title="No event of this kind">What the engine says from now on appears here.</Empty>
      ) : (
        <ol className="log">
          {shown.slice(0, PAGE).map((event) => {
            const at = parse(event.time) ?? 0;
            const { text, tone } = describe(event);
            return (
              <li key={event.seq} className={`tone-${tone}`}>
                <time dateTime={event.time} title={full(at, zone)}>
                  <span className="quiet">{day(at, zone)}</span> {clock(at, zone)}
                </time>
                <span className="log-kind">
                  <Icon name={ICONS[event.event] ?? "events"} size={15} />
                  {eventName(event.event)}
                </span>
                <span className="log-service">
                  {typeof event.service === "string" ? <ServiceLink name={event.service} /> : null}
                </span>
                <span className="log-text">{text}</span>
                <span className="log-seq quiet">{event.seq}</span>
              </li>
            );
          })}
        </ol>
      )}
      {shown.length > PAGE && (
        <p className="quiet">The {PAGE} newest are shown: filter by kind or text to see earlier ones.</p>
      )}
    </div>
  );
}

interface LogState {
  loading: boolean;
  error: { title: string; detail: string | null } | null;
}

/** The newest events: those that the server keeps, then those that come. */
function useLog(kind: string, isLive: boolean) {
  const [events, setEvents] = useState<EngineEvent[]>([]);
  const [state, setState] = useState<LogState>({ loading: true, error: null });
  const [version, setVersion] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    setState({ loading: true, error: null });
    get<{ items: EngineEvent[] }>(`events${query({ kind, limit: 1000 })}`, abort.signal).then(
      ({ items }) => {
        setEvents((old) => merge(items, old));
        setState({ loading: false, error: null });
      },
      (error: { title?: string; detail?: string | null }) => {
        if (abort.signal.aborted) return;
        setState({ loading: false, error: { title: error.title ?? String(error), detail: error.detail ?? null } });
      },
    );
    return () => abort.abort();
  }, [kind, version]);
  useEffect(() => {
    if (!isLive) return;
    return onEvents((news) => setEvents((old) => merge(news, old)));
  }, [isLive]);
  return { events, state, reload: () => setVersion((old) => old + 1) };
}
