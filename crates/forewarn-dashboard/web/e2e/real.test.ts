// The page before the program itself: a fault from its first rise to the entry of the ledger.
import { describe, expect, it } from "vitest";
import type { Chaos, EngineEvent, IncidentView, Page, Prediction, WarningView } from "../src/api/types";
import { context, expectAccessible, page, settled, withBrowser } from "./harness";
import { PROGRAM, Watched, until, withProgram } from "./program";

withBrowser();
withProgram();

/** Simulated seconds in a second: a leak that lasts three quarters of an hour takes less than half a minute. */
const SPEED = 120;

const SERVICE = "auth";

describe.skipIf(!PROGRAM)("with the program itself", () => {
  it("a leak is announced, explained and judged, over a reload, in two tabs and over a kill", async () => {
    const server = await Watched.train(SPEED);
    await server.start();
    const browser = await context();
    const [{ page: tab, complaints }, { page: other, complaints: others }] = [await page(browser), await page(browser)];
    await tab.goto(`${server.url}chaos#token=${server.token}`);
    await settled(tab);
    await other.goto(`${server.url}services/${SERVICE}`);
    await settled(other);

    // Injected through the page.
    await tab.getByRole("combobox", { name: "Service" }).selectOption(SERVICE);
    await tab.getByRole("radio", { name: "Memory leak" }).check();
    await tab.getByRole("button", { name: "Inject memory leak" }).click();
    await tab.locator(".note").getByText(`Memory leak in ${SERVICE}`).waitFor();
    const { active } = await server.get<Chaos>("chaos");
    const fault = active?.find((each) => each.service === SERVICE);
    if (!fault) throw new Error("the fault that was injected is not active");

    // Announced: a warning of a service that it reaches, after it began.
    const warning = await until("a warning", async () => {
      const { items } = await server.get<Page<WarningView>>("warnings?state=all&limit=50");
      return items.findLast((each) => fault.reaches.includes(each.service) && each.since > fault.started);
    });
    // Its victims are named while it goes on.
    const incident = await until("an incident", async () => {
      const { items } = await server.get<Page<IncidentView>>("incidents?state=all&limit=50");
      return items.find((each) => each.id === warning.incident);
    });
    const named = new Set([...incident.services, ...incident.victims.map((victim) => victim.service)]);
    expect([...named], "the cascade has more than its root").toContain("gateway");
    await tab.goto(`${server.url}incidents/${encodeURIComponent(incident.id)}`);
    await tab.locator("main").getByText("gateway").first().waitFor();
    // Explained: the evidence is there, during the warning and after it.
    await other.goto(`${server.url}services/${encodeURIComponent(warning.service)}`);
    const told = other.locator(`[data-warning="${warning.id}"]`);
    await told.waitFor();
    await told.locator("summary").click();
    expect(await told.locator(".evidence li").count()).toBeGreaterThan(0);
    expect(warning.evidence.map(({ metric }) => metric).join(" ")).not.toBe("");
    const prediction = await server.get<Prediction>(`predictions/${warning.service}`);
    expect(prediction.model).toBe(warning.model);

    // Judged: the ledger's entry, in the API and on the page that was open all the time.
    const judged = await until("a verdict", async () => {
      const found = await server.get<WarningView>(`warnings/${encodeURIComponent(warning.id)}`);
      return found.outcome !== null && found;
    });
    await told.locator(`.outcome.is-${judged.outcome}`).first().waitFor();
    await tab.goto(`${server.url}ledger?service=${warning.service}`);
    await tab.locator(`main .outcome.is-${judged.outcome}`).first().waitFor();

    // The same after a reload.
    await tab.reload();
    await settled(tab);
    await tab.locator(`main .outcome.is-${judged.outcome}`).first().waitFor();
    await expectAccessible(tab);

    // Killed in the middle of a minute, and started again: the pages that are open go on by themselves.
    const before = await server.get<{ items: EngineEvent[] }>("events?after=0&limit=1000");
    await tab.goto(`${server.url}chaos`);
    await settled(tab);
    await server.kill();
    await tab.locator(".fresh.is-lost").waitFor();
    await server.start();
    await settled(tab);
    await settled(other);
    const after = await server.get<{ items: EngineEvent[] }>("events?after=0&limit=1000");
    expect(after.items.slice(0, before.items.length)).toEqual(before.items);
    await told.waitFor();
    // Still signed in, and the fault stands beside what was warned.
    await until("the fault among those that are over", async () => {
      const { past } = await server.get<Chaos>("chaos");
      return past?.some(({ id, warned }) => id === fault.id && warned !== null);
    });
    await tab.locator(".past-fault, tr").filter({ hasText: SERVICE }).first().waitFor();
    await tab.getByRole("button", { name: /^Inject/ }).click();
    await tab.locator(".note").getByText(/ in /).first().waitFor();
    const lost = (text: string) => text.includes("WebSocket connection");
    expect([...complaints, ...others].filter((text) => !lost(text))).toEqual([]);
    await browser.close();
  }, 600_000);
});
