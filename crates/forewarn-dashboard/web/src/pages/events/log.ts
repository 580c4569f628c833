// The list of events that a page holds.
import type { EngineEvent } from "../../api/types";

/** Kinds that come each minute for each service, which a reader rarely wants. */
export const FREQUENT = new Set(["row", "score", "budget"]);

/** Events that are held. */
const KEPT = 2000;

/** Both lists as one, newest first, each event once; frequent kinds give way first. */
export function merge(a: readonly EngineEvent[], b: readonly EngineEvent[]): EngineEvent[] {
  const all = new Map<number, EngineEvent>();
  for (const event of [...b, ...a]) all.set(event.seq, event);
  const sorted = [...all.values()].sort((x, y) => y.seq - x.seq);
  if (sorted.length <= KEPT) return sorted;
  let frequent = 0;
  return sorted.filter((event) => !FREQUENT.has(event.event) || (frequent += 1) <= KEPT / 2).slice(0, KEPT);
}
