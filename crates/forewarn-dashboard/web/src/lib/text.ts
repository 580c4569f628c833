// The engine's words in those of a reader.
import { words } from "./format";
import type { Level, OutcomeKind, Standing } from "../api/types";

export const STANDING: Record<Standing, string> = {
  ok: "OK",
  at_risk: "At risk",
  warning: "Warning",
  failing: "Failing",
  unknown: "Cannot tell",
};

/** From the most urgent to the least. */
export const STANDINGS: Standing[] = ["failing", "warning", "at_risk", "unknown", "ok"];

export const LEVEL: Record<Level, string> = {
  low: "Low",
  medium: "Medium",
  high: "High",
  critical: "Critical",
};

export const OUTCOME: Record<OutcomeKind, string> = {
  hit: "Hit",
  late: "Late",
  false: "False alarm",
  missed: "Missed",
  averted: "Averted",
  censored: "Not known",
  detected: "Detected",
};

export const OUTCOME_MEANING: Record<OutcomeKind, string> = {
  hit: "Warned before the failure began",
  late: "Warned after the failure had begun",
  false: "Warned, and no failure began in the period",
  missed: "A failure that no warning came before",
  averted: "An operator acted on the warning",
  censored: "Whether a failure began cannot be known",
  detected: "A failure that a warning came before",
};

const KINDS: Record<string, string> = {
  latency: "Slow responses",
  errors: "Failing requests",
  cpu: "CPU at its limit",
  memory: "Memory filling up",
  traffic: "Unusual traffic",
  restarts: "Restarting pods",
  dependency: "Trouble in a server it calls",
  unknown: "Kind not clear",
};

export function kind(name: string | null | undefined): string {
  return name ? (KINDS[name] ?? name.replaceAll("_", " ")) : "Kind not clear";
}

const REASONS: Record<string, string> = {
  source_down: "the source of metrics does not answer",
  too_few_rows: "not yet seen for a whole observation window",
  missing_row: "the newest row is missing",
  no_traffic: "no requests, so nothing is known about them",
  far_from_training: "far from all that the model was trained on",
  service_silent: "the source has nothing of this service",
  out_of_range: "values outside of their range",
};

export function reason(name: string | null | undefined): string {
  return name ? (REASONS[name] ?? name.replaceAll("_", " ")) : "no reason given";
}

const EVENTS: Record<string, string> = {
  service_appeared: "Service appeared",
  service_expired: "Service forgotten",
  row: "Row closed",
  score: "Score",
  warning: "Warning",
  incident: "Incident",
  failure: "Failure",
  outcome: "Ledger entry",
  budget: "Budget",
  slo: "SLO",
  source: "Source",
  late: "Late samples",
  action: "Operator",
};

export function eventName(name: string): string {
  return EVENTS[name] ?? name.replaceAll("_", " ");
}

/** A kind of fault by its name in requests. */
export const fault = words;
