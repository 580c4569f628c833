// What someone on call does: acknowledge, say that they acted, silence.
import { useEffect, useState } from "react";
import { post } from "../../api/client";
import { may, useSession } from "../../api/session";
import type { ServiceSummary, WarningView } from "../../api/types";
import { useLive } from "../../live/store";
import { Dialog, attempt } from "../../ui/dialog";
import { Icon } from "../../ui/icons";
import { Choice } from "../../ui/parts";

const SPANS = [
  { value: "30", label: "30 min" },
  { value: "60", label: "1 h" },
  { value: "240", label: "4 h" },
  { value: "1440", label: "1 d" },
] as const;

export function Actions({ service }: { service: ServiceSummary }) {
  const { role } = useSession();
  const live = useLive((live) => live.warnings.find((warning) => warning.id === service.warning));
  const [answered, setAnswered] = useState<WarningView | null>(null);
  const [silencing, setSilencing] = useState(false);
  const [busy, setBusy] = useState(false);
  useEffect(() => setAnswered(null), [live?.id]);
  const allowed = may(role, "operator");
  const warning = live ? { ...live, ...answered } : null;
  const why = allowed ? undefined : "Needs the role operator: open the page by the link that the program printed";

  const act = async (what: "acknowledge" | "acted", done: string) => {
    if (!warning) return;
    setBusy(true);
    await attempt(async () => {
      const answer = await post<WarningView | undefined>(`warnings/${encodeURIComponent(warning.id)}/${what}`);
      setAnswered(answer ?? { ...warning, acknowledged: true, acted: warning.acted || what === "acted" });
    }, done);
    setBusy(false);
  };

  return (
    <div className="actions" role="group" aria-label="Actions">
      {warning && (
        <>
          <button
            type="button"
            className="button"
            disabled={!allowed || busy || warning.acknowledged}
            title={why}
            onClick={() => void act("acknowledge", "Acknowledged")}
          >
            <Icon name="check" size={16} />
            {warning.acknowledged ? "Acknowledged" : "Acknowledge"}
          </button>
          <button
            type="button"
            className="button"
            disabled={!allowed || busy || warning.acted}
            title={why ?? "The warning then counts as averted if no failure comes"}
            onClick={() => void act("acted", "Noted: if no failure comes, the warning counts as averted")}
          >
            <Icon name="hand" size={16} />
            {warning.acted ? "You acted" : "I acted"}
          </button>
        </>
      )}
      <button type="button" className="button" disabled={!allowed} title={why} onClick={() => setSilencing(true)}>
        <Icon name="mute" size={16} />
        Silence
      </button>
      {silencing && <SilenceDialog name={service.name} onClose={() => setSilencing(false)} />}
    </div>
  );
}

function SilenceDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const [minutes, setMinutes] = useState<(typeof SPANS)[number]["value"]>("60");
  const [comment, setComment] = useState("");
  const [busy, setBusy] = useState(false);
  const confirm = async () => {
    setBusy(true);
    const done = await attempt(
      () => post("silences", { service: name, minutes: Number(minutes), comment: comment.trim() }),
      `${name} is silenced`,
    );
    setBusy(false);
    if (done) onClose();
  };
  return (
    <Dialog title={`Silence ${name}`} confirm="Silence" busy={busy} onConfirm={() => void confirm()} onClose={onClose}>
      <p>Warnings are still raised and judged; they are only marked as silenced and not sent.</p>
      <Choice label="For how long" value={minutes} options={SPANS} onChange={setMinutes} />
      <label className="field">
        <span>Why</span>
        <input value={comment} onChange={(event) => setComment(event.target.value)} placeholder="Planned migration" />
      </label>
    </Dialog>
  );
}
