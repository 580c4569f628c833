import type { Standing } from "../../api/types";
import { plural } from "../../lib/format";

/** What the fleet is like now, in words. */
export function sentence(counts: Record<Standing, number>, total: number, period: number): string {
  if (total === 0) return "Waiting for the first service.";
  const parts: string[] = [];
  if (counts.failing) parts.push(`${plural(counts.failing, "service is", "services are")} failing`);
  if (counts.warning) {
    parts.push(`${plural(counts.warning, "more is", "more are")} expected to fail within ${period} minutes`);
  }
  if (parts.length === 0) {
    return counts.unknown === total
      ? "Nothing can be told of any service now."
      : `No failure is expected in the next ${period} minutes.`;
  }
  if (!counts.failing) {
    return `${plural(counts.warning, "service is", "services are")} expected to fail within ${period} minutes.`;
  }
  return `${parts.join(", ")}.`;
}
