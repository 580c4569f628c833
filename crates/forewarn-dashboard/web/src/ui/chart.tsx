// A chart over time: uPlot on a canvas, with bands, limits and values under the cursor.
import { useEffect, useMemo, useRef } from "react";
import uPlot from "uplot";
import { plural } from "../lib/format";
import { useSettings } from "../lib/settings";
import { clock, clockSeconds, day } from "../lib/time";

export interface Line {
  label: string;
  values: (number | null)[];
  /** Name of a custom property with the colour. */
  colour: string;
  fill?: boolean;
  dashed?: boolean;
  stepped?: boolean;
  width?: number;
}

export interface Band {
  from: number;
  to: number;
  kind: "warning" | "failure";
}

export interface ChartProps {
  label: string;
  /** Seconds since 1970. */
  times: number[];
  lines: Line[];
  bands?: Band[];
  limit?: { value: number; text: string } | null;
  format: (value: number | null) => string;
  height: number;
  /** Charts of one group share their cursor. */
  group: string;
  /** Largest value that the axis reaches whatever the data. */
  atLeast?: number;
  atMost?: number;
  onZoom?: (from: number, to: number) => void;
}

function colourOf(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function describe(props: ChartProps): string {
  const line = props.lines[0];
  const known = line?.values.filter((value) => value !== null) ?? [];
  if (known.length === 0) return `${props.label}: nothing known in this span`;
  const latest = known[known.length - 1] ?? null;
  let text = `${props.label}: now ${props.format(latest)}, from ${props.format(Math.min(...known))} to ${props.format(
    Math.max(...known),
  )}`;
  if (props.limit) text += `, limit ${props.limit.text}`;
  const warnings = props.bands?.filter((band) => band.kind === "warning").length ?? 0;
  const failures = props.bands?.filter((band) => band.kind === "failure").length ?? 0;
  if (warnings || failures) text += `; ${plural(warnings, "warning")} and ${plural(failures, "failure")} in this span`;
  return text;
}

export function Chart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLSpanElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const { zone, dark } = useSettings();
  const shape = props.lines.map((line) => `${line.label}${line.colour}`).join("|");

  const data = useMemo<uPlot.AlignedData>(
    () => [props.times, ...props.lines.map((line) => line.values)],
    [props.times, props.lines],
  );

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const made = new uPlot(options(latest, readout, element.clientWidth, zone), data, element);
    plot.current = made;
    const observer = new ResizeObserver(() => {
      const width = element.clientWidth;
      if (width > 0 && width !== made.width) made.setSize({ width, height: latest.current.height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
    // A new data set is given to the chart that is there; the rest makes a new one.
  }, [shape, zone, dark, props.height, props.group]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [data, props.bands, props.limit]);

  return (
    <div className="chart" aria-label={describe(props)} role="img">
      <div className="chart-head" aria-hidden="true">
        <span className="chart-title">{props.label}</span>
        <span className="chart-readout" ref={readout}>
          {readoutText(props, lastKnown(props), null)}
        </span>
      </div>
      <div ref={box} className="chart-box" aria-hidden="true" />
    </div>
  );
}

function lastKnown(props: ChartProps): number {
  const values = props.lines[0]?.values ?? [];
  for (let index = values.length - 1; index >= 0; index -= 1) if (values[index] !== null) return index;
  return values.length - 1;
}

function readoutText(props: ChartProps, index: number, at: string | null): string {
  const parts = props.lines.map((line, place) => {
    const value = props.format(line.values[index] ?? null);
    return place === 0 ? value : `${line.label.toLowerCase()} ${value}`;
  });
  if (props.limit) parts.push(`limit ${props.limit.text}`);
  return (at ? [at, ...parts] : parts).join(" · ");
}

function options(
  latest: { current: ChartProps },
  readout: { current: HTMLSpanElement | null },
  width: number,
  zone: "local" | "utc",
): uPlot.Options {
  const props = latest.current;
  const ink = colourOf("--ink-3");
  const grid = colourOf("--line");
  const font = "11px Inter Variable, system-ui, sans-serif";
  return {
    width: Math.max(width, 40),
    height: props.height,
    padding: [6, 8, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: props.group, scales: ["x", null] },
      points: { size: 6 },
      drag: { x: true, y: false, setScale: false },
      y: false,
    },
    tzDate: (seconds) => (zone === "utc" ? uPlot.tzDate(new Date(seconds * 1000), "UTC") : new Date(seconds * 1000)),
    scales: {
      x: { time: true },
      y: {
        range: (_, low, high) => {
          const { limit, atLeast, atMost } = latest.current;
          const top = Math.max(high ?? 0, atLeast ?? 0, limit && (high ?? 0) > limit.value * 0.5 ? limit.value : 0);
          const bottom = Math.min(0, low ?? 0);
          const reach = top <= bottom ? bottom + 1 : top + (top - bottom) * 0.08;
          return [bottom, atMost === undefined ? reach : Math.min(reach, Math.max(atMost, top))];
        },
      },
    },
    axes: [
      {
        stroke: ink,
        font,
        size: 24,
        gap: 4,
        grid: { show: false },
        ticks: { show: false },
        values: (_, ticks, __, ___, step) =>
          ticks.map((tick, index) => {
            const at = tick * 1000;
            if (step >= 86_400) return day(at, zone);
            const isNewDay = index > 0 && day(at, zone) !== day((ticks[index - 1] ?? tick) * 1000, zone);
            return isNewDay ? day(at, zone) : step < 60 ? clockSeconds(at, zone) : clock(at, zone);
          }),
      },
      {
        stroke: ink,
        font,
        size: 52,
        gap: 4,
        grid: { stroke: grid, width: 1 },
        ticks: { show: false },
        space: 34,
        values: (_, ticks) => ticks.map((tick) => latest.current.format(tick)),
      },
    ],
    series: [
      {},
      ...props.lines.map((line): uPlot.Series => {
        const colour = colourOf(line.colour);
        return {
          label: line.label,
          stroke: colour,
          width: line.width ?? 1.6,
          dash: line.dashed ? [4, 4] : undefined,
          fill: line.fill ? `${colour}1f` : undefined,
          paths: line.stepped ? uPlot.paths.stepped?.({ align: 1 }) : undefined,
          points: { show: false },
          spanGaps: false,
        };
      }),
    ],
    hooks: {
      drawClear: [(chart) => drawBands(chart, latest.current.bands ?? [])],
      draw: [(chart) => drawLimit(chart, latest.current.limit ?? null)],
      setCursor: [
        (chart) => {
          const element = readout.current;
          if (!element) return;
          const index = chart.cursor.idx;
          const now = latest.current;
          const time = index === null || index === undefined ? undefined : now.times[index];
          element.textContent =
            time === undefined
              ? readoutText(now, lastKnown(now), null)
              : readoutText(now, index as number, clock(time * 1000, zone));
        },
      ],
      setSelect: [
        (chart) => {
          const { left, width: wide } = chart.select;
          const zoom = latest.current.onZoom;
          if (wide > 8 && zoom) zoom(chart.posToVal(left, "x"), chart.posToVal(left + wide, "x"));
          if (wide > 0) chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

function drawBands(chart: uPlot, bands: Band[]): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const band of bands) {
    const colour = colourOf(band.kind === "failure" ? "--fail" : "--warn");
    const left = chart.valToPos(band.from, "x", true);
    const right = Math.max(chart.valToPos(band.to, "x", true), left + 2 * devicePixelRatio);
    ctx.fillStyle = `${colour}${band.kind === "failure" ? "2e" : "1c"}`;
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    // The edge at the top tells the two apart without colour: a full line, or a dashed one.
    ctx.strokeStyle = colour;
    ctx.lineWidth = 3 * devicePixelRatio;
    ctx.setLineDash(band.kind === "failure" ? [] : [4 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(left, bbox.top + 1.5 * devicePixelRatio);
    ctx.lineTo(right, bbox.top + 1.5 * devicePixelRatio);
    ctx.stroke();
  }
  ctx.restore();
}

function drawLimit(chart: uPlot, limit: ChartProps["limit"]): void {
  if (!limit) return;
  const { ctx, bbox } = chart;
  const y = chart.valToPos(limit.value, "y", true);
  if (!(y >= bbox.top && y <= bbox.top + bbox.height)) return;
  ctx.save();
  ctx.strokeStyle = colourOf("--fail");
  ctx.lineWidth = 1.25 * devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}
