import "uplot/dist/uPlot.min.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/panels.css";
import "./styles/controls.css";
import "./styles/figures.css";
import "./styles/tables.css";
import "./styles/dialogs.css";
import "./styles/narrow-parts.css";
import "./styles/fleet.css";
import "./styles/service.css";
import "./styles/warnings.css";
import "./styles/topology.css";
import "./styles/incidents.css";
import "./styles/ledger.css";
import "./styles/chaos.css";
import "./styles/slos.css";
import "./styles/events.css";
import "./styles/models.css";
import "./styles/narrow-pages.css";
import { createRoot } from "react-dom/client";
import { startSession, tokenOf } from "./api/session";
import { App } from "./app";
import { startLive } from "./live/store";

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(<App />);
  // The cookie that a token is exchanged for must be there before the socket opens; else there is nothing to wait for.
  const hasToken = tokenOf(location.hash) !== null;
  const session = startSession();
  if (hasToken) void session.finally(startLive);
  else startLive();
}
