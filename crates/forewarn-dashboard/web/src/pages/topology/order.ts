import type { GraphNode } from "../../api/types";
import { STANDINGS } from "../../lib/text";

/** The most urgent first. */
export function byRiskOfNodes(a: GraphNode, b: GraphNode): number {
  return (
    STANDINGS.indexOf(a.status) - STANDINGS.indexOf(b.status) ||
    (b.probability ?? -1) - (a.probability ?? -1) ||
    (a.service < b.service ? -1 : 1)
  );
}
