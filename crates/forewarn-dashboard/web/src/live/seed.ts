// What cards draw of the last hour, asked once when the page opens: later minutes come with the events.
import { get, query } from "../api/client";
import type { History, ServiceSummary, Status } from "../api/types";
import { KEPT_SCORES } from "./state";

/** Of more services it is not asked: their drawings begin when the page does. */
const MOST = 60;

/** Requests at a time. */
const AT_ONCE = 6;

/** Gives the probabilities of the last rows of each service, one by one. */
export async function seed(
  status: Status,
  services: readonly ServiceSummary[],
  take: (name: string, recent: (number | null)[]) => void,
): Promise<void> {
  const end = Date.parse(status.next_minute ?? "");
  if (services.length > MOST || Number.isNaN(end)) return;
  const waiting = services.filter((service) => service.recent === undefined).map(({ name }) => name);
  const from = new Date(end - KEPT_SCORES * status.step_seconds * 1000).toISOString();
  const next = async (): Promise<void> => {
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      try {
        const path = `history/${encodeURIComponent(name)}${query({ from, resolution: status.step_seconds })}`;
        take(name, (await get<History>(path)).probability);
      } catch {
        // The drawing of this service begins now; nothing else is missing.
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}
