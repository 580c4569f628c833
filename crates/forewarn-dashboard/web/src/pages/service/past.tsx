// The last warnings of a service, the one that fires among them.
import { query } from "../../api/client";
import { useResource } from "../../api/resource";
import type { Page, WarningView } from "../../api/types";
import { Panel } from "../../ui/parts";
import { Answer, Empty } from "../../ui/states";
import { Warnings } from "../../ui/warnings";

const SHOWN = 8;

export function PastWarnings({ name }: { name: string }) {
  const path = `warnings${query({ state: "all", service: name, limit: SHOWN })}`;
  const warnings = useResource<Page<WarningView>>(path, {
    refreshOn: (event) => event.service === name && (event.event === "warning" || event.event === "outcome"),
    keepPrevious: true,
  });
  return (
    <Panel title="Its warnings" note="With what moved the probability when each was raised">
      <Answer of={warnings}>
        {({ items }) => (items.length === 0 ? <Empty title="No warning yet" /> : <Warnings items={items} />)}
      </Answer>
    </Panel>
  );
}
