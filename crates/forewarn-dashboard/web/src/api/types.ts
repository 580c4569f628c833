// What the server says, as JSON. Times are RFC 3339 in UTC; `null` is unknown, which is neither zero nor no.

export type Time = string;
export type Level = "low" | "medium" | "high" | "critical";
export type Standing = "ok" | "at_risk" | "warning" | "failing" | "unknown";
export type OutcomeKind = "hit" | "late" | "false" | "missed" | "averted" | "censored" | "detected";

export interface Gauges {
  cpu: number | null;
  memory: number | null;
  latency: number | null;
  error_rate: number | null;
  throughput: number | null;
  availability: number | null;
}

export interface Counts {
  hits: number;
  late: number;
  false: number;
  missed: number;
  averted: number;
  censored: number;
  /** Failures that a warning came before. */
  detected: number;
}

export interface ServiceSummary {
  name: string;
  time: Time | null;
  age_seconds: number | null;
  metrics: Record<string, number | null>;
  missing: string | null;
  health: number | null;
  status: Standing;
  probability: number | null;
  level: Level | null;
  cannot_tell: string | null;
  warning: string | null;
  failing_since: Time | null;
  silenced_until: Time | null;
  availability: number | null;
  gauges: Gauges;
  ledger: Counts;
  /** Probabilities of the last rows, oldest first, where the server sends them. */
  recent?: (number | null)[];
}

export interface Limit {
  above?: number | null;
  below?: number | null;
}

export interface ServiceDetail extends ServiceSummary {
  servers: string[];
  clients: string[];
  limits: Record<string, Limit>;
  slo: Slo[];
}

export interface EvidenceItem {
  metric: string;
  view: string;
  value: number | null;
  normal: number | null;
  deviations: number | null;
  log_odds: number;
}

export interface Recommendation {
  text: string;
  runbook: string | null;
}

export interface Prediction {
  service: string;
  time: Time | null;
  model: string;
  probability: number | null;
  per_step: (number | null)[] | null;
  minutes_to_failure: number | null;
  level: Level | null;
  threshold: number;
  kind: string | null;
  kind_confidence: number | null;
  cannot_tell: string | null;
  confidence: { calibrated: boolean; distance: number | null; text: string } | null;
  evidence: EvidenceItem[];
  recommendation: Recommendation | null;
  warning: string | null;
  similar: { warning: string; time: Time; outcome: OutcomeKind | null; lead_minutes: number | null }[];
}

export interface WarningView {
  id: string;
  service: string;
  state: "firing" | "resolved";
  since: Time;
  model: string;
  probability: number | null;
  threshold: number;
  level: Level;
  kind: string;
  kind_confidence: number;
  evidence: EvidenceItem[];
  minutes_to_failure: number | null;
  recommendation: Recommendation;
  incident: string | null;
  silenced: boolean;
  resolved_at: Time | null;
  acknowledged: boolean;
  acted: boolean;
  outcome: OutcomeKind | null;
  lead_minutes: number | null;
}

export interface FailureView {
  id: string;
  service: string;
  onset: Time;
  end: Time | null;
  warned?: string | null;
}

export interface History {
  service: string;
  step_seconds: number;
  times: Time[];
  metrics: Record<string, (number | null)[]>;
  probability: (number | null)[];
  threshold: (number | null)[];
  warnings: WarningView[];
  failures: FailureView[];
}

/** `blast_radius` is the expected number of services, and so no whole number. */
export interface IncidentView {
  id: string;
  since: Time;
  closed_at: Time | null;
  state: "opened" | "updated" | "closed" | "open";
  services: string[];
  suspects: { service: string; share: number }[];
  victims: { service: string; probability: number }[];
  path: string[];
  warnings: string[];
  blast_radius: number | null;
}

export interface Interval {
  value: number | null;
  low: number | null;
  high: number | null;
}

export interface ModelLedger {
  name: string;
  shadow: boolean;
  hits: number;
  late: number;
  false: number;
  missed: number;
  averted: number;
  censored: number;
  detected: number;
  precision: Interval | null;
  recall: Interval | null;
  median_lead_minutes: number | null;
  realised_per_service_week: number | null;
  budget_per_service_week: number;
  calibration: { predicted: number; observed: number; count: number }[];
}

export interface LedgerDay {
  day: string;
  hits: number;
  late: number;
  false: number;
  missed: number;
  averted: number;
  censored: number;
}

export interface OutcomeView {
  time: Time;
  service: string;
  model: string;
  shadow: boolean;
  warning: string | null;
  onset: Time | null;
  outcome: OutcomeKind;
  lead_minutes: number | null;
  net_lead_minutes: number | null;
}

export interface Ledger {
  models: ModelLedger[];
  by_day: LedgerDay[];
  entries: Page<OutcomeView>;
}

export interface GraphNode {
  service: string;
  health: number | null;
  probability: number | null;
  status: Standing;
  critical: boolean;
}

export interface GraphEdge {
  client: string;
  server: string;
  requests: number | null;
  error_rate: number | null;
}

export interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
  critical_path: string[];
  /** `minutes` until the root fails; null where that is not known, or it fails already. */
  cascades: { root: string; victims: { service: string; probability: number }[]; minutes: number | null }[];
  blast_radius: Record<string, number>;
}

export interface Slo {
  service: string;
  objective: string;
  target: number;
  window_days: number;
  budget_left: number | null;
  burn_rates: { window_minutes: number; rate: number | null }[];
  level: "met" | "ticket" | "page";
  since: Time | null;
  violated: boolean;
  forecast: { minutes_to_exhaustion: number | null; probability: number | null };
}

export interface ModelView {
  name: string;
  main: boolean;
  threshold: number;
  threshold_shift: number;
  /** What it was trained on, in words. */
  trained: string | null;
  metrics: string[];
  observation: number;
  lead: number;
  period: number;
  fingerprint: string;
  metadata: Record<string, unknown>;
  ledger: ModelLedger;
}

/** A shadow model against the main one, on the same failures. */
export interface Comparison {
  shadow: string;
  both: number;
  only_main: number;
  only_shadow: number;
  neither: number;
  main_false: number;
  shadow_false: number;
}

export interface Models {
  items: ModelView[];
  comparison: Comparison[] | null;
}

export interface Silence {
  service: string;
  until: Time;
  comment: string | null;
  by: string | null;
}

export interface ChaosFault {
  id: number;
  kind: string;
  service: string;
  severity: number;
  seconds: number;
  phase: "waiting" | "active" | "recovering" | "over";
  started: Time;
  /** When its recovery begins. */
  ends: Time;
  over: Time;
  left_seconds: number;
  stopped: boolean;
  reaches: string[];
  warned: string | null;
  failed: Time | null;
  minutes_ahead: number | null;
}

export interface Span {
  least: number;
  most: number;
  usual: number;
}

export interface ChaosKind {
  kind: string;
  label: string;
  description: string;
  routine: boolean;
  gradual: boolean;
  parameters: { severity: Span; seconds: Span };
  /** The services that it can strike. */
  services: string[];
}

/** `active` and `past` are left out where no faults can be injected. */
export interface Chaos {
  available: boolean;
  kinds: ChaosKind[];
  most_active?: number;
  active?: ChaosFault[];
  past?: ChaosFault[];
}

export interface SourceView {
  name: string;
  status: "up" | "down" | "partial";
  reason: string | null;
  last_row: Time | null;
}

export interface Status {
  name: string;
  version: string;
  now: Time;
  /** By the clock of the machine, while `now` is that of the data. */
  started: Time;
  replayed: number | null;
  next_minute: Time | null;
  row_age_seconds: number | null;
  step_seconds: number;
  failure_rule: string;
  observation_minutes: number | null;
  period_minutes: number | null;
  metrics: { name: string; unit: string | null }[];
  sources: SourceView[];
  counters: Record<string, number>;
  store: { degraded: boolean; error: string | null; bytes: number | null } | null;
  clients: number;
  simulator: boolean;
  budget: {
    per_service_week: number | null;
    realised_per_service_week: number | null;
    false_alarms: number;
    service_weeks: number;
  };
  seq: number | null;
  limits_hit: Record<string, number>;
  /** Why the configuration could not be read again the last time. */
  reload_error?: string | null;
}

/** One event of the engine: `event` says which, the other fields are its own. */
export interface EngineEvent {
  seq: number;
  time: Time;
  event: string;
  service?: string;
  [field: string]: unknown;
}

export interface Page<T> {
  items: T[];
  total?: number;
  next_cursor?: string | null;
}

export type Role = "viewer" | "operator" | "admin";

export interface Session {
  role: Role | null;
  name: string | null;
  /** Whether reading needs no more than this. */
  reads?: boolean;
}

export type LiveMessage =
  | {
      type: "snapshot";
      seq: number | null;
      status: Status;
      services: ServiceSummary[];
      warnings: WarningView[];
      incidents: IncidentView[];
      graph: Graph | null;
      chaos: Chaos | null;
    }
  | { type: "event"; seq: number; event: EngineEvent }
  | {
      type: "beat";
      now: Time;
      row_age_seconds: number | null;
      seq: number | null;
      services?: Record<string, Partial<Gauges>> | null;
    }
  | { type: "lagged"; missed: number };
