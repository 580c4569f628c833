// Questions and short messages.
import { type FormEvent, type ReactNode, useEffect, useId, useRef, useSyncExternalStore } from "react";
import { Icon } from "./icons";

/** A modal dialog with a form: the browser keeps the focus in it and closes it by Escape. */
export function Dialog({
  title,
  children,
  confirm,
  busy = false,
  onConfirm,
  onClose,
}: {
  title: string;
  children: ReactNode;
  confirm: string;
  busy?: boolean;
  onConfirm: () => void;
  onClose: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onConfirm();
  };
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={id} onClose={onClose}>
      <form onSubmit={submit}>
        <header>
          <h2 id={id}>{title}</h2>
          <button type="button" className="icon-button" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        <div className="dialog-body">{children}</div>
        <footer>
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button is-main" disabled={busy}>
            {confirm}
          </button>
        </footer>
      </form>
    </dialog>
  );
}

interface Note {
  id: number;
  text: string;
  bad: boolean;
}

let notes: Note[] = [];
let nextId = 0;
const listeners = new Set<() => void>();

function set(next: Note[]): void {
  notes = next;
  for (const listener of listeners) listener();
}

/** Says something for some seconds; what went wrong stays until it is closed. */
export function say(text: string, bad = false): void {
  const id = nextId;
  nextId += 1;
  set([...notes.slice(-3), { id, text, bad }]);
  if (!bad) setTimeout(() => dismiss(id), 5000);
}

function dismiss(id: number): void {
  set(notes.filter((note) => note.id !== id));
}

/** Runs an action of the reader and says how it ended; success is left unsaid where it shows by itself. */
export async function attempt(action: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await action();
    if (done !== undefined) say(done);
    return true;
  } catch (error) {
    say(error instanceof Error ? error.message : String(error), true);
    return false;
  }
}

export function Notes() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => notes,
  );
  return (
    <div className="notes" role="status" aria-live="polite">
      {shown.map((note) => (
        <div key={note.id} className={`note ${note.bad ? "is-bad" : ""}`}>
          <span>{note.text}</span>
          <button type="button" className="icon-button" aria-label="Close message" onClick={() => dismiss(note.id)}>
            <Icon name="close" size={14} />
          </button>
        </div>
      ))}
    </div>
  );
}
