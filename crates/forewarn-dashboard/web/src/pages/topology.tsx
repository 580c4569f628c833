// Who calls whom, how they stand, and where a failure would go.
import { useEffect, useMemo, useState } from "react";
import { useResource } from "../api/resource";
import type { Graph } from "../api/types";
import { chance, plural } from "../lib/format";
import { Link, servicePath, setSearch, useParam } from "../lib/router";
import { useLive } from "../live/store";
import { Choice, Panel } from "../ui/parts";
import { Answer, Empty } from "../ui/states";
import { Drawing } from "./topology/drawing";
import { MOST, around } from "./topology/layout";
import { byRiskOfNodes } from "./topology/order";
import { Detail, Twin } from "./topology/twin";

const WORTH_ASKING = new Set(["warning", "failure", "incident", "service_appeared", "service_expired"]);

export function TopologyPage() {
  const graph = useResource<Graph>("graph", {
    refreshOn: (event) => WORTH_ASKING.has(event.event),
    atMostEvery: 5000,
  });
  return (
    <Answer of={graph} rows={8}>
      {(data) => <Topology graph={data} />}
    </Answer>
  );
}

function Topology({ graph }: { graph: Graph }) {
  const [selected] = useParam("service");
  const [view, setView] = useParam("view", "graph");
  const [depth, setDepth] = useParam("depth", "2");
  const services = useLive((live) => live.services);
  const select = (service: string | null) => setSearch({ service });
  const isWide = useWide();

  // The live state is newer than the graph's own.
  const nodes = useMemo(
    () =>
      graph.nodes.map((node) => {
        const service = services.get(node.service);
        return service
          ? { ...node, status: service.status, probability: service.probability, health: service.health ?? node.health }
          : node;
      }),
    [graph.nodes, services],
  );
  const most = useMemo(() => [...nodes].sort(byRiskOfNodes)[0]?.service, [nodes]);
  const isLarge = graph.nodes.length > MOST;
  const centre = selected || (isLarge ? (most ?? "") : "");
  const shown = useMemo(
    () =>
      isLarge && centre
        ? around({ nodes, edges: graph.edges }, centre, Number(depth) || 2)
        : { nodes, edges: graph.edges },
    [nodes, graph.edges, isLarge, centre, depth],
  );

  if (graph.nodes.length === 0) {
    return (
      <Empty title="No service graph">
        Who calls whom is not known: the configuration names no graph, and no source gives one.
      </Empty>
    );
  }
  return (
    <div className="topology">
      <div className="toolbar">
        <Choice
          label="View"
          value={view as "graph" | "list"}
          options={[
            { value: "graph", label: "Graph", icon: "topology" },
            { value: "list", label: "List", icon: "table" },
          ]}
          onChange={setView}
        />
        {isLarge && (
          <>
            <p className="quiet">
              {plural(shown.nodes.length, "service")} around {centre}, of {graph.nodes.length}
            </p>
            <Choice
              label="How many calls away"
              value={depth as "1" | "2" | "3"}
              options={[
                { value: "1", label: "1 call" },
                { value: "2", label: "2 calls" },
                { value: "3", label: "3 calls" },
              ]}
              onChange={setDepth}
            />
          </>
        )}
        {graph.critical_path.length > 1 && (
          <p className="critical-path">
            <span className="key key-critical" /> Critical path{" "}
            {graph.critical_path.map((name, index) => (
              <span key={name}>
                {index > 0 && <span aria-hidden="true"> → </span>}
                <button type="button" className="link-button" onClick={() => select(name)}>
                  {name}
                </button>
              </span>
            ))}
          </p>
        )}
      </div>
      <div className="topology-columns">
        <div className="topology-main">
          {view === "list" ? (
            <Twin graph={graph} nodes={shown.nodes} edges={shown.edges} selected={selected} onSelect={select} />
          ) : (
            <Drawing
              graph={graph}
              nodes={shown.nodes}
              edges={shown.edges}
              selected={selected}
              onSelect={select}
              direction={isWide ? "LR" : "TB"}
            />
          )}
        </div>
        <aside className="topology-side" aria-label="Selection">
          {selected ? (
            <Detail graph={graph} nodes={nodes} name={selected} onClose={() => select(null)} />
          ) : (
            <Cascades graph={graph} onSelect={select} />
          )}
        </aside>
      </div>
    </div>
  );
}

function Cascades({ graph, onSelect }: { graph: Graph; onSelect: (name: string) => void }) {
  return (
    <Panel title="Predicted cascades" note="Where failures would go, from the service where they begin">
      {graph.cascades.length === 0 ? (
        <Empty title="No cascade is expected">Select a service to see whom its failure would reach.</Empty>
      ) : (
        <ul className="cascades">
          {graph.cascades.map((cascade) => (
            <li key={cascade.root}>
              <button type="button" className="link-button" onClick={() => onSelect(cascade.root)}>
                {cascade.root}
              </button>{" "}
              <span className="quiet">
                {cascade.minutes === null
                  ? "begins it"
                  : `begins it in about ${Math.max(1, Math.round(cascade.minutes))} min`}
              </span>
              <ol>
                {cascade.victims.map((victim) => (
                  <li key={victim.service}>
                    <Link to={servicePath(victim.service)}>{victim.service}</Link>
                    <b>{chance(victim.probability)}</b>
                  </li>
                ))}
              </ol>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function useWide(): boolean {
  const [wide, setWide] = useState(() => matchMedia("(min-width: 760px)").matches);
  useEffect(() => {
    const media = matchMedia("(min-width: 760px)");
    const change = () => setWide(media.matches);
    media.addEventListener("change", change);
    return () => media.removeEventListener("change", change);
  }, []);
  return wide;
}
