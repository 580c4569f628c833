// The graph as a drawing. Arrow keys go from service to service, Enter selects.
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import type { Graph, GraphEdge, GraphNode } from "../../api/types";
import { chance } from "../../lib/format";
import { STANDING } from "../../lib/text";
import { Icon, Mark } from "../../ui/icons";
import { NODE, type Placed, layOut, neighbour } from "./layout";

interface Props {
  graph: Graph;
  nodes: GraphNode[];
  edges: GraphEdge[];
  selected: string;
  onSelect: (name: string | null) => void;
  direction: "LR" | "TB";
}

const ZOOMS = [0.4, 0.55, 0.75, 1, 1.3, 1.7];

export function Drawing({ graph, nodes, edges, selected, onSelect, direction }: Props) {
  // Standing and probability change each minute; places do so only with the services and calls.
  const shape = `${direction}\n${nodes.map((node) => node.service).join("\n")}\n\n${edges
    .map((edge) => `${edge.client}>${edge.server}`)
    .join("\n")}`;
  const layout = useMemo(() => layOut({ nodes, edges }, direction), [shape]);
  const current = useMemo(() => new Map(nodes.map((node) => [node.service, node])), [nodes]);
  const [zoom, setZoom] = useState<number | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const [fit, setFit] = useState(1);
  const svg = useRef<SVGSVGElement>(null);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      const wide = (element.clientWidth - 2) / layout.width;
      const tall = 620 / layout.height;
      // A phone shows a part that can be read rather than all of it.
      setFit(Math.max(element.clientWidth < 600 ? 0.75 : 0.5, Math.min(1.15, wide, tall)));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [layout]);

  const scale = zoom ?? fit;

  // Where not all fits, what matters most is shown first.
  const first = selected || graph.cascades[0]?.root || layout.nodes[0]?.service;
  useEffect(() => {
    const place = layout.nodes.find((node) => node.service === first);
    const element = box.current;
    if (!place || !element) return;
    element.scrollTo(place.x * fit - element.clientWidth / 2, place.y * fit - element.clientHeight / 2);
  }, [layout, first, fit]);
  const step = (by: 1 | -1) => {
    const next =
      by > 0 ? ZOOMS.find((zoom) => zoom > scale + 0.01) : [...ZOOMS].reverse().find((zoom) => zoom < scale - 0.01);
    if (next !== undefined) setZoom(next);
  };

  const { victims, flow, critical, roots } = useMemo(() => emphasis(graph, selected), [graph, selected]);
  const [focused, setFocused] = useState<string | null>(null);
  const reachable =
    focused && current.has(focused) ? focused : selected && current.has(selected) ? selected : layout.nodes[0]?.service;

  const press = (event: KeyboardEvent, name: string) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      onSelect(name === selected ? null : name);
    } else if (event.key.startsWith("Arrow")) {
      event.preventDefault();
      const next = neighbour(layout.nodes, name, event.key);
      if (next) svg.current?.querySelector<SVGGElement>(`[data-name="${CSS.escape(next)}"]`)?.focus();
    } else if (event.key === "Escape") onSelect(null);
  };

  return (
    <div className="drawing">
      <div className="drawing-tools" role="group" aria-label="Zoom">
        <button type="button" className="icon-button" aria-label="Larger" onClick={() => step(1)}>
          <Icon name="plus" />
        </button>
        <button type="button" className="icon-button" aria-label="Smaller" onClick={() => step(-1)}>
          <Icon name="minus" />
        </button>
        <button type="button" className="icon-button" aria-label="Fit the window" onClick={() => setZoom(null)}>
          <Icon name="fit" />
        </button>
      </div>
      <div className="drawing-scroll" ref={box}>
        <svg
          ref={svg}
          role="group"
          aria-label="Service graph: arrow keys move, Enter selects"
          viewBox={`0 0 ${layout.width} ${layout.height}`}
          width={layout.width * scale}
          height={layout.height * scale}
        >
          <defs>
            {["plain", "bad", "flow", "critical"].map((kind) => (
              <marker
                key={kind}
                id={`arrow-${kind}`}
                className={`arrow-${kind}`}
                viewBox="0 0 8 8"
                refX="7"
                refY="4"
                markerWidth="7"
                markerHeight="7"
                markerUnits="userSpaceOnUse"
                orient="auto"
              >
                <path d="M0 0.5 8 4 0 7.5z" />
              </marker>
            ))}
          </defs>
          {layout.edges.map((edge) => {
            const isFlow = flow.has(edge.key);
            const isBad = (edge.error_rate ?? 0) >= 0.05;
            const isCritical = critical.has(edge.key);
            const touches = selected !== "" && (edge.client === selected || edge.server === selected);
            const place = touches ? "is-near" : selected && !isFlow ? "is-far" : "";
            const kind = isFlow ? "flow" : isBad ? "bad" : isCritical ? "critical" : "plain";
            return (
              <g key={edge.key}>
                {isCritical && <path className="edge-path" d={edge.path} />}
                <path
                  className={`edge is-${kind} ${place}`}
                  d={edge.path}
                  markerEnd={`url(#arrow-${kind})`}
                  strokeWidth={1.2 + Math.min(2.6, Math.log10(1 + (edge.requests ?? 0)) * 0.55)}
                />
              </g>
            );
          })}
          {layout.nodes.map((place) => (
            <Node
              key={place.service}
              node={{ ...place, ...current.get(place.service) }}
              isSelected={place.service === selected}
              isRoot={roots.has(place.service)}
              rootTag={within(roots.get(place.service) ?? null)}
              victim={victims.get(place.service)}
              tabIndex={place.service === reachable ? 0 : -1}
              onFocus={() => setFocused(place.service)}
              onClick={() => onSelect(place.service === selected ? null : place.service)}
              onKeyDown={(event) => press(event, place.service)}
            />
          ))}
        </svg>
      </div>
      <ul className="legend" aria-label="Legend">
        <li>
          <span className="key key-call" /> client to server, wider with more requests
        </li>
        <li>
          <span className="key key-critical" /> critical path
        </li>
        <li>
          <span className="key key-flow" /> predicted cascade
        </li>
        <li>
          <span className="key key-bad" /> 5 % errors or more
        </li>
      </ul>
    </div>
  );
}

/** What a selection, or else the first cascade, brings out. */
function emphasis(graph: Graph, selected: string) {
  const cascades = selected ? graph.cascades.filter((cascade) => cascade.root === selected) : graph.cascades;
  const victims = new Map<string, { probability: number }>();
  const reached = new Set<string>();
  for (const cascade of cascades) {
    reached.add(cascade.root);
    for (const victim of cascade.victims) {
      victims.set(victim.service, victim);
      reached.add(victim.service);
    }
  }
  const flow = new Set(
    graph.edges
      .filter((edge) => victims.has(edge.client) && reached.has(edge.server))
      .map((edge) => `${edge.client}\n${edge.server}`),
  );
  const critical = new Set(
    graph.critical_path.slice(1).map((server, index) => `${graph.critical_path[index] ?? ""}\n${server}`),
  );
  return { victims, flow, critical, roots: new Map(cascades.map((cascade) => [cascade.root, cascade.minutes])) };
}

/** When a cascade begins, in a word or two. */
function within(minutes: number | null): string {
  return minutes === null ? "begins here" : `begins in ${Math.max(1, Math.round(minutes))} min`;
}

function Node({
  node,
  isSelected,
  isRoot,
  rootTag,
  victim,
  ...rest
}: {
  node: Placed;
  isSelected: boolean;
  isRoot: boolean;
  rootTag: string;
  victim: { probability: number } | undefined;
  tabIndex: number;
  onFocus: () => void;
  onClick: () => void;
  onKeyDown: (event: KeyboardEvent) => void;
}) {
  const name = node.service.length > 19 ? `${node.service.slice(0, 18)}…` : node.service;
  const under = node.probability === null ? STANDING[node.status] : `${chance(node.probability)} risk`;
  const tag = isRoot ? rootTag : victim ? `${chance(victim.probability)} follows` : null;
  // What is to be seen comes first, as it is; then what the drawing says by shape and colour.
  const label = `${name} ${under} ${tag ?? ""} (${node.service}: ${STANDING[node.status]}${
    node.critical ? ", on the critical path" : ""
  }${isRoot ? ", probable root of a cascade" : victim ? ", would follow in the cascade" : ""})`;
  return (
    <g
      className={`node is-${node.status} ${isSelected ? "is-selected" : ""} ${node.critical ? "is-on-path" : ""} ${
        isRoot ? "is-root" : victim ? "is-victim" : ""
      }`}
      transform={`translate(${node.x - NODE.width / 2} ${node.y - NODE.height / 2})`}
      role="button"
      aria-pressed={isSelected}
      aria-label={label}
      data-name={node.service}
      {...rest}
    >
      <rect className="node-box" width={NODE.width} height={NODE.height} rx="10" />
      <g transform="translate(12 19)">
        <Mark standing={node.status} size={16} />
      </g>
      <text className="node-name" x="36" y="23">
        {`${name} `}
      </text>
      <text className="node-under" x="36" y="40">
        {`${under} `}
      </text>
      {tag && (
        <g transform={`translate(${NODE.width - 6} -8)`}>
          <rect
            className="node-fate-ground"
            x={-6.6 * tag.length - 4}
            y="-11"
            width={6.6 * tag.length + 8}
            height="15"
            rx="4"
          />
          <text className="node-fate" textAnchor="end" y="0">
            {tag}
          </text>
        </g>
      )}
    </g>
  );
}
