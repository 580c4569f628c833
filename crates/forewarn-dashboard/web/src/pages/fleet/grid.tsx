// Cards or rows of services. Only what is on the screen is drawn: a thousand services cost what thirty do.
import { useMemo, useRef } from "react";
import type { ServiceSummary } from "../../api/types";
import { offsets, useWindow, visible } from "../../lib/virtual";
import { Card, Row, RowHead } from "./card";
import type { Group } from "./order";

const CARD = { narrowest: 296, height: 208, gap: 12 };
const ROW_HEIGHT = 44;
const TITLE_HEIGHT = 44;

type Part =
  | { kind: "title"; key: string; title: string; count: number }
  | { kind: "items"; key: string; services: ServiceSummary[] };

export function Grid({ groups, view }: { groups: Group[]; view: "cards" | "table" }) {
  const box = useRef<HTMLDivElement>(null);
  const seen = useWindow(box);
  const columns = view === "cards" ? Math.max(1, Math.floor((seen.width + CARD.gap) / (CARD.narrowest + CARD.gap))) : 1;
  const { parts, tops, total } = useMemo(() => {
    const parts: Part[] = [];
    const heights: number[] = [];
    for (const { key, title, services } of groups) {
      if (title !== null) {
        parts.push({ kind: "title", key: `title ${key}`, title, count: services.length });
        heights.push(TITLE_HEIGHT);
      }
      for (let at = 0; at < services.length; at += columns) {
        const items = services.slice(at, at + columns);
        parts.push({ kind: "items", key: items.map(({ name }) => name).join("\n"), services: items });
        heights.push(view === "cards" ? CARD.height + CARD.gap : ROW_HEIGHT);
      }
    }
    return { parts, ...offsets(heights) };
  }, [groups, columns, view]);
  const [first, last] = visible(tops, total, seen.from, seen.to);
  const drawn = parts.slice(first, last).map((part, index) => ({ part, top: tops[first + index] ?? 0 }));

  if (view === "table") {
    return (
      <div className="rows-scroll" tabIndex={0} role="region" aria-label="Table of services">
        <div className="rows" role="table" aria-label="Services" aria-rowcount={parts.length + 1}>
          <RowHead />
          <div ref={box} role="rowgroup" style={{ position: "relative", height: total }}>
            {drawn.map(({ part, top }) =>
              part.kind === "title" ? (
                <div key={part.key} role="row" className="group-title" style={{ position: "absolute", top, left: 0 }}>
                  <span role="cell">
                    {part.title} <span className="quiet">{part.count}</span>
                  </span>
                </div>
              ) : part.kind === "items" && part.services[0] ? (
                <Row key={part.key} service={part.services[0]} top={top} />
              ) : null,
            )}
          </div>
        </div>
      </div>
    );
  }
  return (
    <div ref={box} className="cards" style={{ height: total }}>
      {drawn.map(({ part, top }) =>
        part.kind === "title" ? (
          <h3 key={part.key} className="group-title" style={{ position: "absolute", top }}>
            {part.title} <span className="quiet">{part.count}</span>
          </h3>
        ) : part.kind === "items" ? (
          <div
            key={part.key}
            className="cards-row"
            style={{ top, height: CARD.height, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}
          >
            {part.services.map((service) => (
              <Card key={service.name} service={service} />
            ))}
          </div>
        ) : null,
      )}
    </div>
  );
}
