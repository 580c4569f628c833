// The page's types hold what the server's document says: compiling fails where they do not.
import type { components } from "./schema";
import type * as own from "./types";

type Schemas = components["schemas"];

/** What the document leaves open is always sent: null where it is not known. */
type Sent<T> = T extends (infer Item)[]
  ? Sent<Item>[]
  : T extends object
    ? { [Key in keyof T]-?: Sent<Exclude<T[Key], undefined>> }
    : T;

/** `true` where all that the server may send is what the page expects. */
type Holds<Theirs, Ours> = [Sent<Theirs>] extends [Ours] ? true : { server: Sent<Theirs>; page: Ours };

export const HOLDS: [
  Holds<Schemas["ServiceSummary"], own.ServiceSummary>,
  Holds<Schemas["ServiceDetail"], own.ServiceDetail>,
  Holds<Schemas["Prediction"], own.Prediction>,
  Holds<Schemas["Warning"], own.WarningView>,
  Holds<Schemas["Incident"], own.IncidentView>,
  Holds<Schemas["History"], own.History>,
  Holds<Schemas["LedgerBook"], own.Ledger>,
  Holds<Schemas["Graph"], own.Graph>,
  Holds<Schemas["Objective"], own.Slo>,
  Holds<Schemas["Models"], own.Models>,
  Holds<Schemas["Silence"], own.Silence>,
  Holds<Schemas["ChaosView"], own.Chaos>,
  Holds<Schemas["Status"], own.Status>,
  Holds<Schemas["Session"], own.Session>,
] = [true, true, true, true, true, true, true, true, true, true, true, true, true, true];
