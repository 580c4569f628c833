// What the server says, as its document has it. Times are RFC 3339 in UTC; `null` is unknown, which is neither zero nor
// no.
import type { components } from "./schema";

type Schemas = components["schemas"];

/** What the document leaves open is always sent: null where it is not known. */
type Sent<T> = T extends (infer Item)[]
  ? Sent<Item>[]
  : T extends object
    ? { [Key in keyof T]-?: Sent<Exclude<T[Key], undefined>> }
    : T;

type Of<Name extends keyof Schemas> = Sent<Schemas[Name]>;

export type Time = string;
export type Level = Schemas["Level"];
export type Standing = Schemas["Standing"];
export type OutcomeKind = Schemas["Outcome"];
export type Role = Schemas["Role"];

export type Gauges = Of<"Gauges">;
export type Counts = Of<"Ledger">;
/** With the probabilities of the last rows, oldest first, which this page keeps. */
export type ServiceSummary = Of<"ServiceSummary"> & { recent?: (number | null)[] };
export type ServiceDetail = ServiceSummary & Of<"ServiceDetail">;
export type Limit = Of<"MetricLimit">;
export type EvidenceItem = Of<"Evidence">;
export type Recommendation = Of<"Advice">;
export type Prediction = Of<"Prediction">;
export type WarningView = Of<"Warning">;
export type FailureView = Of<"Failure">;
export type History = Of<"History">;
export type IncidentView = Of<"Incident">;
export type ModelLedger = Of<"ModelLedger">;
export type Ledger = Of<"LedgerBook">;
export type LedgerDay = Of<"LedgerDay">;
export type OutcomeView = Ledger["entries"]["items"][number];
export type Interval = Of<"Share">;
export type GraphNode = Of<"Node">;
export type GraphEdge = Of<"Edge">;
export type Graph = Of<"Graph">;
export type Slo = Of<"Objective">;
export type ModelView = Of<"Model">;
export type Comparison = Of<"Comparison">;
export type Models = Of<"Models">;
export type Silence = Of<"Silence">;
export type ChaosFault = Of<"ChaosExperiment">;
export type ChaosKind = Of<"ChaosKindInfo">;
/** What is active and what is over is left out where no faults can be injected. */
export type Chaos = Pick<Of<"ChaosView">, "available" | "kinds"> & Partial<Of<"ChaosState">>;
export type Span = Of<"Span">;
export type SourceView = Of<"SourceInfo">;
export type Status = Of<"Status">;
export type Session = Of<"Session">;

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

/** A message of the live stream. What a simulated service does between rows is in its beats. */
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
  | ({ type: "beat" } & Pick<Of<"Beat">, "now" | "row_age_seconds" | "seq"> & {
        services?: Record<string, Partial<Of<"Moment">>>;
        availability?: Record<string, number>;
      })
  | { type: "lagged"; missed: number };
