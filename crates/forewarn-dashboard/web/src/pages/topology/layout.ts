// Places of services and calls, and which of them are shown.
import dagre from "@dagrejs/dagre";
import type { Graph, GraphEdge, GraphNode } from "../../api/types";

export const NODE = { width: 176, height: 54 };

/** The most services that are drawn at once; of more, the neighbourhood of one is. */
export const MOST = 150;

export interface Placed extends GraphNode {
  x: number;
  y: number;
}

export interface Route extends GraphEdge {
  path: string;
  key: string;
}

export interface Layout {
  nodes: Placed[];
  edges: Route[];
  width: number;
  height: number;
}

/** Clients to the left (or top), servers to the right (or bottom). */
export function layOut(graph: Pick<Graph, "nodes" | "edges">, direction: "LR" | "TB"): Layout {
  const drawn = new dagre.graphlib.Graph();
  drawn.setGraph({ rankdir: direction, nodesep: 22, ranksep: direction === "LR" ? 84 : 56, marginx: 16, marginy: 16 });
  drawn.setDefaultEdgeLabel(() => ({}));
  const names = new Set(graph.nodes.map((node) => node.service));
  for (const node of graph.nodes) drawn.setNode(node.service, { ...NODE });
  const edges = graph.edges.filter((edge) => names.has(edge.client) && names.has(edge.server));
  for (const edge of edges) drawn.setEdge(edge.client, edge.server);
  dagre.layout(drawn);
  const size = drawn.graph() as { width?: number; height?: number };
  return {
    nodes: graph.nodes.map((node) => {
      const { x, y } = drawn.node(node.service) as { x: number; y: number };
      return { ...node, x, y };
    }),
    edges: edges.map((edge) => {
      const { points } = drawn.edge(edge.client, edge.server) as { points: { x: number; y: number }[] };
      return { ...edge, path: smooth(points), key: `${edge.client}\n${edge.server}` };
    }),
    width: Math.max(size.width ?? 0, NODE.width),
    height: Math.max(size.height ?? 0, NODE.height),
  };
}

/** A line through points with rounded corners. */
export function smooth(points: readonly { x: number; y: number }[]): string {
  const [first, ...rest] = points;
  if (!first) return "";
  const at = ({ x, y }: { x: number; y: number }) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  let path = `M${at(first)}`;
  rest.forEach((point, index) => {
    const next = rest[index + 1];
    if (!next) {
      path += `L${at(point)}`;
      return;
    }
    path += `Q${at(point)} ${at({ x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 })}`;
  });
  return path;
}

/** The services within `depth` calls of one, in either direction, and the calls between them. */
export function around(graph: Pick<Graph, "nodes" | "edges">, name: string, depth: number) {
  const next = new Map<string, string[]>();
  const join = (from: string, to: string) => {
    const list = next.get(from);
    if (list) list.push(to);
    else next.set(from, [to]);
  };
  for (const { client, server } of graph.edges) {
    join(client, server);
    join(server, client);
  }
  const found = new Set([name]);
  let edge = [name];
  for (let step = 0; step < depth && found.size < MOST; step += 1) {
    const further: string[] = [];
    for (const from of edge) {
      for (const to of next.get(from) ?? []) {
        if (found.has(to) || found.size >= MOST) continue;
        found.add(to);
        further.push(to);
      }
    }
    edge = further;
  }
  return {
    nodes: graph.nodes.filter((node) => found.has(node.service)),
    edges: graph.edges.filter((call) => found.has(call.client) && found.has(call.server)),
  };
}

/** The service that an arrow key leads to: the nearest one in its direction. */
export function neighbour(nodes: readonly Placed[], from: string, key: string): string | null {
  const start = nodes.find((node) => node.service === from);
  if (!start) return nodes[0]?.service ?? null;
  let best: string | null = null;
  let least = Infinity;
  for (const node of nodes) {
    if (node.service === from) continue;
    const [dx, dy] = [node.x - start.x, node.y - start.y];
    const along = key === "ArrowRight" ? dx : key === "ArrowLeft" ? -dx : key === "ArrowDown" ? dy : -dy;
    const across = key === "ArrowRight" || key === "ArrowLeft" ? Math.abs(dy) : Math.abs(dx);
    if (along <= 4) continue;
    const cost = along + across * 2;
    if (cost < least) {
      least = cost;
      best = node.service;
    }
  }
  return best;
}
