// The graph as a table, and what is known of one service in it.
import { useResource } from "../../api/resource";
import type { Graph, GraphEdge, GraphNode, Prediction } from "../../api/types";
import { chance, number, percent, reach } from "../../lib/format";
import { Link, servicePath } from "../../lib/router";
import { byRiskOfNodes } from "./order";
import { Icon } from "../../ui/icons";
import { Panel, ServiceLink, StandingBadge } from "../../ui/parts";

export function Twin({
  graph,
  nodes,
  edges,
  selected,
  onSelect,
}: {
  graph: Graph;
  nodes: GraphNode[];
  edges: GraphEdge[];
  selected: string;
  onSelect: (name: string | null) => void;
}) {
  const of = (list: GraphEdge[], mine: "client" | "server", name: string) =>
    list.filter((edge) => edge[mine] === name).map((edge) => edge[mine === "client" ? "server" : "client"]);
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label="Service graph as a table">
      <table className="table">
        <thead>
          <tr>
            <th>Service</th>
            <th>Standing</th>
            <th className="is-number">Risk</th>
            <th className="is-number">Health</th>
            <th>Calls</th>
            <th>Called by</th>
            <th className="is-number">Blast radius</th>
          </tr>
        </thead>
        <tbody>
          {[...nodes].sort(byRiskOfNodes).map((node) => (
            <tr key={node.service} className={node.service === selected ? "is-selected" : ""}>
              <td>
                <button type="button" className="link-button" onClick={() => onSelect(node.service)}>
                  {node.service}
                </button>
                {node.critical && <span className="quiet"> critical path</span>}
              </td>
              <td>
                <StandingBadge standing={node.status} />
              </td>
              <td className="is-number">{chance(node.probability)}</td>
              <td className="is-number">{percent(node.health)}</td>
              <td>{of(edges, "client", node.service).join(", ") || <span className="quiet">none</span>}</td>
              <td>{of(edges, "server", node.service).join(", ") || <span className="quiet">none</span>}</td>
              <td className="is-number">{number(graph.blast_radius[node.service])}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Detail({
  graph,
  nodes,
  name,
  onClose,
}: {
  graph: Graph;
  nodes: GraphNode[];
  name: string;
  onClose: () => void;
}) {
  const node = nodes.find((node) => node.service === name);
  const prediction = useResource<Prediction>(`predictions/${encodeURIComponent(name)}`, {
    refreshOn: (event) => event.event === "score" && event.service === name,
  }).data;
  const cascade = graph.cascades.find((cascade) => cascade.root === name);
  const threatened = graph.cascades.filter((cascade) => cascade.victims.some((victim) => victim.service === name));
  const calls = graph.edges.filter((edge) => edge.client === name);
  const callers = graph.edges.filter((edge) => edge.server === name);
  const radius = graph.blast_radius[name];
  return (
    <Panel
      title={name}
      actions={
        <button type="button" className="icon-button" aria-label="Close the selection" onClick={onClose}>
          <Icon name="close" size={16} />
        </button>
      }
    >
      {!node ? (
        <p className="quiet">This service is not in the graph.</p>
      ) : (
        <div className="detail">
          <p className="detail-now">
            <StandingBadge standing={node.status} />
            <span>{chance(node.probability)} risk</span>
          </p>
          <dl className="pairs">
            <dt>Health</dt>
            <dd>{percent(node.health)}</dd>
            <dt>Blast radius</dt>
            <dd>{radius === undefined ? "not known" : reach(radius)}</dd>
            {prediction?.minutes_to_failure != null && (
              <>
                <dt>Should it fail</dt>
                <dd>in about {Math.max(1, Math.round(prediction.minutes_to_failure))} min</dd>
              </>
            )}
          </dl>
          {cascade && (
            <>
              <h3>Would take down</h3>
              <ul className="neighbours">
                {cascade.victims.map((victim) => (
                  <li key={victim.service}>
                    <ServiceLink name={victim.service} />
                    <b>{chance(victim.probability)}</b>
                  </li>
                ))}
              </ul>
            </>
          )}
          {threatened.length > 0 && (
            <>
              <h3>Threatened by</h3>
              <ul className="neighbours">
                {threatened.map((other) => (
                  <li key={other.root}>
                    <ServiceLink name={other.root} />
                    <b>{chance(other.victims.find((victim) => victim.service === name)?.probability)}</b>
                  </li>
                ))}
              </ul>
            </>
          )}
          <Calls title="Calls" edges={calls} end="server" />
          <Calls title="Called by" edges={callers} end="client" />
          <Link className="button" to={servicePath(name)}>
            Open {name} <Icon name="arrow" size={15} />
          </Link>
        </div>
      )}
    </Panel>
  );
}

function Calls({ title, edges, end }: { title: string; edges: GraphEdge[]; end: "client" | "server" }) {
  if (edges.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul className="neighbours">
        {edges.map((edge) => (
          <li key={edge[end]}>
            <ServiceLink name={edge[end]} />
            <span className="quiet">
              {edge.requests === null ? "" : `${number(edge.requests)}/s`}
              {edge.error_rate === null ? "" : `, ${percent(edge.error_rate)} errors`}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
