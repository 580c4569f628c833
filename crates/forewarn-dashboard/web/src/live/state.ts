// The live state, and how messages change it: a pure function, so that it can be tested without a socket.
import type {
  Chaos,
  Counts,
  EngineEvent,
  Gauges,
  Graph,
  IncidentView,
  Level,
  LiveMessage,
  OutcomeKind,
  ServiceSummary,
  Standing,
  Status,
  WarningView,
} from "../api/types";

export interface LiveState {
  seq: number | null;
  status: Status | null;
  services: ReadonlyMap<string, ServiceSummary>;
  warnings: readonly WarningView[];
  incidents: readonly IncidentView[];
  graph: Graph | null;
  chaos: Chaos | null;
  /** Newest last. Rows and scores are left out: there are thousands a minute. */
  events: readonly EngineEvent[];
  /** The server's clock and the age of the newest row, as of `heardAt` by this machine's clock. */
  now: number | null;
  /** Seconds of that clock in one second: more than one where a simulation runs faster. */
  rate: number;
  rowAge: number | null;
  heardAt: number;
  /** Events that this page was too slow for. */
  missed: number;
}

export const EMPTY: LiveState = {
  seq: null,
  status: null,
  services: new Map(),
  warnings: [],
  incidents: [],
  graph: null,
  chaos: null,
  events: [],
  now: null,
  rate: 1,
  rowAge: null,
  heardAt: 0,
  missed: 0,
};

/** Events that are kept for pages to show. */
export const KEPT_EVENTS = 500;

/** Probabilities that are kept of each service. */
export const KEPT_SCORES = 60;

/** The state after messages, in order. Maps are copied once for all of them. */
export function apply(state: LiveState, messages: readonly LiveMessage[], at: number): LiveState {
  if (messages.length === 0) return state;
  const draft = new Draft(state, at);
  for (const message of messages) draft.take(message);
  return draft.done();
}

class Draft {
  private readonly next: LiveState;
  private services: Map<string, ServiceSummary> | null = null;
  private events: EngineEvent[] | null = null;

  constructor(
    state: LiveState,
    private readonly at: number,
  ) {
    this.next = { ...state };
  }

  done(): LiveState {
    if (this.services) this.next.services = this.services;
    if (this.events) this.next.events = this.events.slice(-KEPT_EVENTS);
    return this.next;
  }

  take(message: LiveMessage): void {
    const { next } = this;
    switch (message.type) {
      case "snapshot":
        next.seq = message.seq;
        next.status = message.status;
        this.services = new Map(message.services.map((service) => [service.name, this.withRecent(service)]));
        next.warnings = message.warnings;
        next.incidents = message.incidents;
        next.graph = message.graph;
        next.chaos = message.chaos;
        this.clock(message.status.now, message.status.row_age_seconds);
        break;
      case "beat":
        this.clock(message.now, message.row_age_seconds);
        for (const [name, moment] of Object.entries(message.services ?? {})) {
          // Pods that are up now are no part of the gauges: availability is of the last day.
          const { pods_up: _, ...gauges } = moment;
          this.change(name, (service) => ({ gauges: { ...service.gauges, ...gauges } }));
        }
        if (message.availability) this.availability(message.availability);
        break;
      case "lagged":
        next.missed += message.missed;
        break;
      case "event":
        // What a resumed stream sends twice is taken once.
        if (next.seq !== null && message.seq <= next.seq) return;
        next.seq = message.seq;
        this.event(message.event);
        break;
    }
  }

  /** Availability of services that failed in the last day; one that is not among them and is known did not fail. */
  private availability(imperfect: Record<string, number>): void {
    for (const [name, service] of this.services ?? this.next.services) {
      const isKnown = service.availability !== null || Object.values(service.metrics).some((value) => value !== null);
      const now = imperfect[name] ?? (isKnown ? 1 : null);
      if (now === service.availability) continue;
      this.change(name, (old) => ({ availability: now, gauges: { ...old.gauges, availability: now } }));
    }
  }

  private clock(now: string, age: number | null): void {
    const parsed = Date.parse(now);
    const { now: before, heardAt } = this.next;
    const passed = this.at - heardAt;
    // Two messages of one moment say nothing of speed.
    if (before !== null && passed > 500) this.next.rate = Math.min(5000, Math.max(0, (parsed - before) / passed)) || 1;
    this.next.now = Number.isNaN(parsed) ? null : parsed;
    this.next.rowAge = age;
    this.next.heardAt = this.at;
  }

  private withRecent(service: ServiceSummary): ServiceSummary {
    if (service.recent) return service;
    const old = (this.services ?? this.next.services).get(service.name);
    if (!old?.recent) return { ...service, recent: [service.probability] };
    const isNewer = service.time !== null && service.time !== old.time;
    return { ...service, recent: isNewer ? [...old.recent, service.probability].slice(-KEPT_SCORES) : old.recent };
  }

  private change(name: string, how: (service: ServiceSummary) => Partial<ServiceSummary>): void {
    this.services ??= new Map(this.next.services);
    const service = this.services.get(name);
    if (service) this.services.set(name, { ...service, ...how(service) });
  }

  private event(event: EngineEvent): void {
    const name = event.service;
    if (event.event !== "row" && event.event !== "score") {
      this.events ??= [...this.next.events];
      this.events.push(event);
    }
    if (event.event === "incident") return this.incident(event);
    if (event.event === "budget") return this.budget(event);
    if (event.event === "action") return this.action(event);
    if (typeof name !== "string") return;
    switch (event.event) {
      case "service_appeared":
        this.services ??= new Map(this.next.services);
        if (!this.services.has(name)) this.services.set(name, appeared(name));
        break;
      case "service_expired":
        this.services ??= new Map(this.next.services);
        this.services.delete(name);
        break;
      case "row":
        this.row(name, event);
        break;
      case "score":
        this.score(name, event);
        break;
      case "warning":
        this.warning(name, event as unknown as WarningView & EngineEvent);
        break;
      case "outcome":
        this.outcome(name, event);
        break;
      case "failure":
        this.change(name, (service) => {
          const failing_since = event.state === "ended" ? null : ((event.onset as string | undefined) ?? event.time);
          return { failing_since, status: standing({ ...service, failing_since }) };
        });
        break;
    }
  }

  private row(name: string, event: EngineEvent): void {
    const values = event.values as (number | null)[] | undefined;
    const metrics = this.next.status?.metrics;
    this.change(name, (service) => {
      const named: Record<string, number | null> = { ...service.metrics };
      metrics?.forEach(({ name: metric }, index) => {
        named[metric] = values?.[index] ?? null;
      });
      const missing = (event.missing as ServiceSummary["missing"] | undefined) ?? null;
      const measured = gaugesOf(named, metrics ?? [], this.next.status?.step_seconds ?? 60);
      return {
        time: event.time,
        age_seconds: 0,
        metrics: named,
        missing,
        gauges: { ...service.gauges, ...measured },
      };
    });
  }

  private score(name: string, event: EngineEvent): void {
    if (event.shadow === true) return;
    this.change(name, (service) => {
      const probability = (event.probability as number | null | undefined) ?? null;
      const changed = {
        probability,
        level: (event.level as Level | null | undefined) ?? null,
        cannot_tell: (event.cannot_tell as ServiceSummary["cannot_tell"] | undefined) ?? null,
        recent: [...(service.recent ?? []), probability].slice(-KEPT_SCORES),
      };
      return { ...changed, status: standing({ ...service, ...changed }) };
    });
  }

  private warning(name: string, event: WarningView & EngineEvent): void {
    const { next } = this;
    const old = next.warnings.find((warning) => warning.id === event.id);
    const others = next.warnings.filter((warning) => warning.id !== event.id);
    if (event.state === "firing") {
      const added: WarningView = {
        ...event,
        resolved_at: null,
        acknowledged: old?.acknowledged ?? false,
        acted: old?.acted ?? false,
        outcome: null,
        lead_minutes: null,
      };
      next.warnings = [added, ...others];
    } else {
      next.warnings = others;
    }
    this.change(name, (service) => {
      const warning = event.state === "firing" ? event.id : service.warning === event.id ? null : service.warning;
      return { warning, status: standing({ ...service, warning }) };
    });
  }

  /** What an operator did: `{acknowledge: {warning}}` and the like. */
  private action(event: EngineEvent): void {
    const body = event as Record<string, unknown>;
    const of = (name: string) => body[name] as Record<string, string> | undefined;
    const [acknowledged, acted, silence] = [of("acknowledge")?.warning, of("acted")?.warning, of("silence")];
    const { next } = this;
    next.warnings = next.warnings.map((warning) => {
      if (warning.id === acknowledged) return { ...warning, acknowledged: true };
      return warning.id === acted ? { ...warning, acted: true } : warning;
    });
    if (silence?.service) {
      const until = silence.until ?? null;
      // A time that is over ends a silence.
      const holds = until !== null && Date.parse(until) > Date.parse(event.time);
      this.change(silence.service, () => ({ silenced_until: holds ? until : null }));
    }
  }

  /** An entry of the ledger: counted for its service, and told to the warning that it is about. */
  private outcome(name: string, event: EngineEvent): void {
    if (event.shadow === true) return;
    const { next } = this;
    const outcome = event.outcome as OutcomeKind;
    next.warnings = next.warnings.map((warning) =>
      warning.id === event.warning
        ? { ...warning, outcome, lead_minutes: (event.lead_minutes as number | null | undefined) ?? null }
        : warning,
    );
    const count = COUNTS[outcome];
    if (count) {
      this.change(name, ({ ledger }) => ({ ledger: { ...ledger, [count]: (ledger[count] ?? 0) + 1 } }));
    }
  }

  private incident(event: EngineEvent): void {
    const others = this.next.incidents.filter((incident) => incident.id !== event.id);
    if (event.state === "closed") {
      this.next.incidents = others;
      return;
    }
    const old = this.next.incidents.find((incident) => incident.id === event.id);
    const base: IncidentView = old ?? {
      id: String(event.id),
      since: String(event.since ?? event.time),
      closed_at: null,
      state: "opened",
      updated_at: event.time,
      services: [],
      suspects: [],
      victims: [],
      path: [],
      warnings: [],
      blast_radius: null,
    };
    const changed: IncidentView = {
      ...base,
      updated_at: event.time,
      state: (event.state as IncidentView["state"] | undefined) ?? base.state,
      services: (event.services as string[] | undefined) ?? base.services,
      suspects: pairs(event.suspects, "share") ?? base.suspects,
      victims: pairs(event.victims, "probability") ?? base.victims,
    };
    this.next.incidents = [changed, ...others];
  }

  private budget(event: EngineEvent): void {
    const { status } = this.next;
    if (!status) return;
    const { per_service_week, realised_per_service_week, false_alarms, service_weeks } =
      event as unknown as Status["budget"];
    this.next.status = {
      ...status,
      budget: { per_service_week, realised_per_service_week, false_alarms, service_weeks },
    };
  }
}

/** Where an outcome is counted. */
const COUNTS: Partial<Record<OutcomeKind, keyof Counts>> = {
  hit: "hits",
  late: "late",
  false: "false",
  missed: "missed",
  averted: "averted",
  censored: "censored",
  detected: "detected",
};

/** Pairs of the engine (`["cart", 0.7]`) as the API writes them (`{service, share}`); those pass as they are. */
function pairs<K extends "share" | "probability">(
  list: unknown,
  key: K,
): ({ service: string } & Record<K, number>)[] | null {
  if (!Array.isArray(list)) return null;
  return list.map((item: unknown) =>
    Array.isArray(item)
      ? ({ service: String(item[0]), [key]: Number(item[1]) } as { service: string } & Record<K, number>)
      : (item as { service: string } & Record<K, number>),
  );
}

function appeared(name: string): ServiceSummary {
  const gauges = { cpu: null, memory: null, latency: null, error_rate: null, throughput: null, availability: null };
  return {
    name,
    time: null,
    age_seconds: null,
    metrics: {},
    missing: null,
    health: null,
    status: "unknown",
    probability: null,
    level: null,
    cannot_tell: "too_few_rows",
    warning: null,
    failing_since: null,
    silenced_until: null,
    availability: null,
    gauges,
    ledger: { hits: 0, late: 0, false: 0, missed: 0, averted: 0, censored: 0, detected: 0, out_of_reach: 0 },
  };
}

/** How a service stands: failing before warned before at risk, and unknown where the model cannot tell. */
export function standing(
  service: Pick<ServiceSummary, "failing_since" | "warning" | "level" | "probability">,
): Standing {
  if (service.failing_since) return "failing";
  if (service.warning) return "warning";
  if (service.probability === null || service.level === null) return "unknown";
  return service.level === "low" ? "ok" : "at_risk";
}

/** The gauges that a row measures, by name and unit as the server finds them. */
export function gaugesOf(
  values: Record<string, number | null>,
  metrics: readonly { name: string; unit: string | null }[],
  stepSeconds: number,
): Partial<Gauges> {
  const found: Partial<Gauges> = {};
  const take = (gauge: keyof Gauges, unit: string, words: string[], per = 1) => {
    for (const word of words) {
      const metric = metrics.find(({ name, unit: own }) => own === unit && name.toLowerCase().includes(word));
      if (!metric) continue;
      const value = values[metric.name] ?? null;
      found[gauge] = value === null ? null : value / per;
      return;
    }
  };
  take("cpu", "ratio", ["cpu", "processor"]);
  take("memory", "ratio", ["memory", "mem"]);
  take("latency", "ms", ["p95", "p99", "latency", "duration", "p50"]);
  take("error_rate", "ratio", ["error", "fail"]);
  take("throughput", "count per step", ["request", "call"], stepSeconds);
  return found;
}
