// The fleet in one sentence and four figures.
import type { Standing } from "../../api/types";
import { number, plural } from "../../lib/format";
import { useLive } from "../../live/store";
import { Figure, Meter } from "../../ui/parts";
import { sentence } from "./sentence";

export function Headline({ counts, total }: { counts: Record<Standing, number>; total: number }) {
  const status = useLive((live) => live.status);
  const warnings = useLive((live) => live.warnings);
  const budget = status?.budget;
  const realised = budget?.realised_per_service_week ?? null;
  const accepted = budget?.per_service_week ?? null;
  const share = realised !== null && accepted ? realised / (2 * accepted) : null;
  const tone = counts.failing ? "failing" : counts.warning ? "warning" : "ok";
  return (
    <section className="headline" aria-label="The fleet now">
      <p className={`headline-text tone-${tone}`}>{sentence(counts, total, status?.period_minutes ?? 5)}</p>
      <dl className="figures">
        <Figure
          label="Warnings now"
          value={warnings.length}
          note={
            warnings.some((warning) => warning.silenced) ? "some of them silenced" : `of ${plural(total, "service")}`
          }
          tone={warnings.length ? "warning" : undefined}
        />
        <Figure
          label="Failing"
          value={counts.failing}
          note={status?.failure_rule ?? ""}
          tone={counts.failing ? "failing" : undefined}
        />
        <Figure
          label="Cannot tell"
          value={counts.unknown}
          note={counts.unknown ? "no prediction for these now" : "every service is predicted"}
        />
        <Figure
          label="False alarms per service and week"
          value={number(realised, 2)}
          note={
            <>
              <Meter
                share={share}
                mark={0.5}
                tone={realised !== null && accepted !== null && realised > accepted ? "warning" : "ok"}
                label={`${number(realised, 2)} so far, ${number(accepted)} accepted`}
              />
              of {number(accepted)} accepted
            </>
          }
        />
      </dl>
    </section>
  );
}
