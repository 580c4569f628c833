// Small drawings in SVG.
import { chance } from "../lib/format";

/** Probabilities over time as a line; a gap where nothing is known. */
export function Spark({
  values,
  width = 120,
  height = 30,
}: {
  values: readonly (number | null)[];
  width?: number;
  height?: number;
}) {
  const last = values.length - 1;
  if (last < 1) return <svg className="spark" viewBox={`0 0 ${width} ${height}`} aria-hidden="true" />;
  const top = Math.max(0.2, ...values.map((value) => value ?? 0));
  const point = (index: number, value: number): [number, number] => [
    (index / last) * (width - 2) + 1,
    height - 2 - (value / top) * (height - 4),
  ];
  let line = "";
  let area = "";
  let start: number | null = null;
  let pen = false;
  values.forEach((value, index) => {
    if (value === null) {
      if (pen && start !== null) area += `L${point(index - 1, 0)[0].toFixed(1)} ${height - 1}Z`;
      pen = false;
      return;
    }
    const [x, y] = point(index, value).map((at) => at.toFixed(1)) as [string, string];
    if (!pen) {
      start = index;
      area += `M${x} ${height - 1}L${x} ${y}`;
    } else area += `L${x} ${y}`;
    line += `${pen ? "L" : "M"}${x} ${y}`;
    pen = true;
  });
  if (pen) area += `L${point(last, 0)[0].toFixed(1)} ${height - 1}Z`;
  return (
    <svg className="spark" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <path className="spark-area" d={area} />
      <path className="spark-line" d={line} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}

/** The probability of each of the next minutes as bars, with the expected minute of the failure. */
export function Hazard({
  steps,
  expected,
  height = 96,
  compact = false,
}: {
  steps: readonly (number | null)[];
  expected: number | null;
  height?: number;
  compact?: boolean;
}) {
  const width = compact ? 200 : 320;
  const foot = compact ? 0 : 18;
  const head = compact ? 0 : 16;
  const slot = width / Math.max(1, steps.length);
  const top = Math.max(0.1, ...steps.map((step) => step ?? 0));
  const text = steps.map((step, index) => `minute ${index + 1}: ${chance(step)}`).join(", ");
  const label = `Probability that the failure begins in each of the next minutes: ${text}${
    expected === null ? "" : `. Expected in ${expected.toFixed(1)} minutes`
  }`;
  return (
    <svg className="hazard" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {steps.map((step, index) => {
        const tall = ((step ?? 0) / top) * (height - foot - head - 2);
        const x = index * slot + slot * 0.12;
        const y = height - foot - Math.max(tall, 1.5);
        return (
          <g key={index}>
            <rect
              className={step === null ? "hazard-unknown" : "hazard-bar"}
              x={x}
              y={y}
              width={slot * 0.76}
              height={Math.max(tall, 1.5)}
              rx="2"
              fillOpacity={0.35 + 0.65 * ((step ?? 0) / top)}
            />
            {!compact && (
              <>
                <text className="hazard-value" x={x + slot * 0.38} y={y - 5} textAnchor="middle">
                  {chance(step)}
                </text>
                <text className="hazard-minute" x={x + slot * 0.38} y={height - 4} textAnchor="middle">
                  +{index + 1}
                </text>
              </>
            )}
          </g>
        );
      })}
      {expected !== null && expected <= steps.length && expected > 0 && (
        <path
          className="hazard-expected"
          d={`M${(expected - 0.5) * slot} ${head - 2}V${height - foot}`}
          vectorEffect="non-scaling-stroke"
        />
      )}
    </svg>
  );
}
