// Every page: it shows what it should, is accessible in both themes, and fits a phone.
import { describe, expect, it } from "vitest";
import {
  context,
  expectAccessible,
  expectNoSidewaysScroll,
  expectRoom,
  page,
  serve,
  set,
  settled,
  withBrowser,
} from "./harness";

withBrowser();

/** Address, title, and a text that only the page with its data has. */
const PAGES: [string, string, string][] = [
  ["", "Fleet", "The next 5 minutes"],
  ["?view=table&group=standing", "Fleet", "Last hour"],
  ["services/database", "database", "Similar warnings before"],
  ["services/email", "email", "Cannot tell"],
  ["topology", "Topology", "Predicted cascades"],
  ["topology?service=database", "Topology", "Would take down"],
  ["topology?view=list", "Topology", "Called by"],
  ["incidents?state=all", "Incidents", "Probably began in database"],
  ["incidents/incident-1", "Incidents", "Who may follow"],
  ["ledger", "Ledger", "failures detected"],
  ["chaos", "Chaos", "Inject a fault"],
  ["slos", "SLOs", "Burning fast"],
  ["events", "Events", "Failure confirmed"],
  ["models", "Models", "Main against gru"],
  ["status", "Status", "Limits hit"],
];

for (const theme of ["light", "dark"] as const) {
  describe(`in ${theme}`, () => {
    it("every page shows its data and is accessible", async () => {
      const mock = await serve();
      const browser = await context({ theme });
      const { page: tab, complaints } = await page(browser);
      await tab.goto(`${mock.url}#token=${mock.token}`);
      for (const [address, title, text] of PAGES) {
        await tab.goto(mock.url + address);
        await tab.getByText(text, { exact: false }).first().waitFor();
        await settled(tab);
        expect(await tab.locator("h1").textContent(), address).toBe(title);
        expect(await tab.title(), address).toContain(title);
        await expectAccessible(tab);
        await expectRoom(tab, ".slo > *, .figure, .fault, .warnings > li");
      }
      expect(await tab.evaluate(() => document.documentElement.dataset.theme)).toBe(theme);
      expect(complaints).toEqual([]);
      await browser.close();
    }, 240_000);
  });
}

describe("on a phone", () => {
  it("no page is wider than the window, and the menu has them all", async () => {
    const mock = await serve();
    const browser = await context({ width: 360, height: 740 });
    const { page: tab, complaints } = await page(browser);
    await tab.goto(`${mock.url}#token=${mock.token}`);
    for (const [address] of PAGES) {
      await tab.goto(mock.url + address);
      await settled(tab);
      await expectNoSidewaysScroll(tab);
    }
    await tab.getByRole("button", { name: "More" }).click();
    await expectAccessible(tab);
    await tab.getByRole("link", { name: "Models" }).click();
    await tab.getByText("Main against gru").waitFor();
    expect(complaints).toEqual([]);
    await browser.close();
  }, 120_000);
});

describe("with nothing there", () => {
  it("every page says so", async () => {
    const mock = await serve();
    await set(mock, { empty: true });
    const browser = await context();
    const { page: tab, complaints } = await page(browser);
    const empty: [string, string][] = [
      ["", "No service yet"],
      ["topology", "No service graph"],
      ["incidents", "No incident is open"],
      ["ledger", "Nothing has been judged yet"],
      ["chaos", "No faults can be injected here"],
      ["slos", "No objective is configured"],
      ["events", "No event of this kind"],
      ["models", "No model is loaded"],
      ["services/nothing", "There is no service nothing"],
      ["incidents/nothing", "No such incident"],
      ["no/such/page", "There is no such page"],
    ];
    for (const [address, text] of empty) {
      await tab.goto(mock.url + address);
      await tab.getByText(text).first().waitFor();
    }
    await expectAccessible(tab);
    expect(complaints).toEqual([]);
    await browser.close();
  }, 120_000);
});
