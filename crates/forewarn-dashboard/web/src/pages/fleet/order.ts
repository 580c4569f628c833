// Which services are shown, in which order and groups.
import type { ServiceSummary, Standing } from "../../api/types";
import { STANDING, STANDINGS } from "../../lib/text";

export type SortBy = "risk" | "name" | "errors" | "latency" | "cpu" | "memory" | "throughput";
export type GroupBy = "none" | "standing" | "prefix";

const RANK = new Map(STANDINGS.map((standing, index) => [standing, index]));

/** Failing first, then by probability, then by name: the order in which someone on call would look. */
export function byRisk(a: ServiceSummary, b: ServiceSummary): number {
  const rank = (RANK.get(a.status) ?? 9) - (RANK.get(b.status) ?? 9);
  if (rank !== 0) return rank;
  return (b.probability ?? -1) - (a.probability ?? -1) || compareNames(a, b);
}

function compareNames(a: ServiceSummary, b: ServiceSummary): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

const VALUE: Record<Exclude<SortBy, "risk" | "name">, (service: ServiceSummary) => number | null> = {
  errors: (service) => service.gauges.error_rate,
  latency: (service) => service.gauges.latency,
  cpu: (service) => service.gauges.cpu,
  memory: (service) => service.gauges.memory,
  throughput: (service) => service.gauges.throughput,
};

export function order(services: readonly ServiceSummary[], by: SortBy): ServiceSummary[] {
  const sorted = [...services];
  if (by === "risk") return sorted.sort(byRisk);
  if (by === "name") return sorted.sort(compareNames);
  const value = VALUE[by];
  // What is not known comes last, whatever the order.
  return sorted.sort((a, b) => (value(b) ?? -Infinity) - (value(a) ?? -Infinity) || compareNames(a, b));
}

export function filter(
  services: Iterable<ServiceSummary>,
  search: string,
  standings: ReadonlySet<Standing>,
): ServiceSummary[] {
  const wanted = search.trim().toLowerCase();
  const found: ServiceSummary[] = [];
  for (const service of services) {
    if (wanted !== "" && !service.name.toLowerCase().includes(wanted)) continue;
    if (standings.size > 0 && !standings.has(service.status)) continue;
    found.push(service);
  }
  return found;
}

export function count(services: Iterable<ServiceSummary>): Record<Standing, number> {
  const counts: Record<Standing, number> = { failing: 0, warning: 0, at_risk: 0, unknown: 0, ok: 0 };
  for (const service of services) counts[service.status] += 1;
  return counts;
}

export interface Group {
  key: string;
  title: string | null;
  services: ServiceSummary[];
}

/** Groups in the order of their first service. */
export function group(services: readonly ServiceSummary[], by: GroupBy): Group[] {
  if (by === "none") return [{ key: "all", title: null, services: [...services] }];
  const groups = new Map<string, Group>();
  for (const service of services) {
    const key = by === "standing" ? service.status : prefix(service.name);
    const title = by === "standing" ? STANDING[service.status] : key;
    const found = groups.get(key);
    if (found) found.services.push(service);
    else groups.set(key, { key, title, services: [service] });
  }
  return [...groups.values()];
}

/** The part of a name before its first separator: `shop` of `shop/cart` and of `shop-cart`. */
export function prefix(name: string): string {
  return name.split(/[-/._:]/, 1)[0] || name;
}

/** Standings of an address, `failing,warning`; unknown words are left out. */
export function parseStandings(text: string): Set<Standing> {
  return new Set(text.split(",").filter((part): part is Standing => RANK.has(part as Standing)));
}
