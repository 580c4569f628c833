// A form for a token, where the server wants one and the link brought none.
import { type FormEvent, useState } from "react";
import { signIn, useSession } from "../api/session";
import { reconnect } from "../live/store";
import { Icon } from "./icons";

export function SignIn() {
  const session = useSession();
  const [token, setToken] = useState("");
  const [busy, setBusy] = useState(false);
  if (!session.known || session.refused === null) return null;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    if (await signIn(token.trim())) reconnect();
    setBusy(false);
  };
  return (
    <form className="sign-in" onSubmit={submit}>
      <Icon name="lock" />
      <p role="alert">{session.refused}</p>
      <label>
        <span className="hidden">Token</span>
        <input
          type="password"
          placeholder="Token"
          autoComplete="off"
          value={token}
          onChange={(event) => setToken(event.target.value)}
        />
      </label>
      <button type="submit" className="button is-main" disabled={busy || token.trim() === ""}>
        Sign in
      </button>
    </form>
  );
}

/** Says which role an action needs, where the reader has none; nothing else. */
export function NeedsRole({ action }: { action: string }) {
  return (
    <p className="needs-role">
      <Icon name="lock" size={15} />
      <span>{action} needs the role operator: open the page by the link that the program prints when it starts.</span>
    </p>
  );
}
