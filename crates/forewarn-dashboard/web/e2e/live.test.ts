// The line to the server: changes as they come, reload, two tabs, a slow network, a lost line, a thousand services.
import { describe, expect, it } from "vitest";
import { context, page, serve, set, settled, withBrowser } from "./harness";

withBrowser();

describe("the live page", () => {
  it("follows what the engine says, and shows the same after a reload", async () => {
    const mock = await serve();
    const browser = await context();
    const { page: tab, complaints } = await page(browser);
    await tab.goto(`${mock.url}events`);
    await settled(tab);
    await tab.goto(`${mock.url}services/cart`);
    await settled(tab);
    const before = await tab.locator(".fresh-age").textContent();
    await set(mock, { minute: 1 });
    await tab.waitForFunction((old) => document.querySelector(".fresh-age")?.textContent !== old, before);
    await set(mock, { minute: 600 });
    await tab.waitForTimeout(2500);
    const badge = await tab.locator(".service-head .badge").textContent();
    await tab.reload();
    await settled(tab);
    expect(await tab.locator(".service-head .badge").textContent()).toBe(badge);
    expect(complaints).toEqual([]);
    await browser.close();
  });

  it("keeps a reader's choices in the address", async () => {
    const mock = await serve();
    const browser = await context();
    const { page: tab } = await page(browser);
    await tab.goto(mock.url);
    await settled(tab);
    await tab.getByRole("searchbox", { name: "Find a service" }).fill("pay");
    await tab.getByRole("button", { name: "Table" }).click();
    await tab.getByLabel("Order").selectOption("latency");
    await tab.waitForFunction(() => location.search.includes("pay"));
    const address = tab.url();
    expect(new URL(address).searchParams.toString()).toBe("search=pay&view=table&sort=latency");
    const { page: other } = await page(browser);
    await other.goto(address);
    await settled(other);
    expect(await other.getByRole("row").count()).toBe(2);
    await tab.getByRole("link", { name: "payments", exact: true }).click();
    await tab.getByText("Similar warnings before").waitFor();
    await tab.goBack();
    expect(await tab.getByRole("searchbox", { name: "Find a service" }).inputValue()).toBe("pay");
    await browser.close();
  });

  it("shows the same in two tabs, and takes over a choice of the other", async () => {
    const mock = await serve();
    const browser = await context();
    const [{ page: one }, { page: two }] = [await page(browser), await page(browser)];
    await one.goto(`${mock.url}#token=${mock.token}`);
    await two.goto(mock.url);
    await settled(one);
    await settled(two);
    await one.goto(`${mock.url}services/database`);
    await one.getByRole("button", { name: "Silence" }).click();
    await one.getByRole("dialog").getByRole("button", { name: "Silence" }).click();
    await two.goto(`${mock.url}events?kind=action`);
    await two.getByText("Silenced database").waitFor();
    await one.getByRole("button", { name: /Times are local/ }).click();
    await two.getByRole("button", { name: /Times are in UTC/ }).waitFor();
    await browser.close();
  });

  it("says that the line is lost, keeps what it has, and goes on where it was", async () => {
    const mock = await serve();
    const browser = await context();
    const { page: tab, complaints } = await page(browser);
    await tab.goto(mock.url);
    await settled(tab);
    const cards = await tab.locator(".card").count();
    await set(mock, { down: true });
    await tab.locator(".fresh.is-lost").waitFor();
    expect(await tab.locator(".card").count()).toBe(cards);
    await tab.getByRole("link", { name: "Ledger" }).click();
    await tab.getByText("The server cannot be reached").waitFor();
    await set(mock, { down: false });
    await settled(tab);
    await tab.getByText("failures detected").first().waitFor();
    expect(complaints.filter((text) => !text.includes("WebSocket connection"))).toEqual([]);
    await browser.close();
  });

  it("gets a snapshot where the server has started over", async () => {
    const mock = await serve();
    const browser = await context();
    const { page: tab } = await page(browser);
    await tab.goto(mock.url);
    await settled(tab);
    const { port } = new URL(mock.url);
    await mock.stop();
    await tab.locator(".fresh.is-lost").waitFor();
    await serve({ port: Number(port), services: 40 });
    await tab.getByText("of 40 services").waitFor();
    await settled(tab);
    await browser.close();
  });

  it("says that it loads on a slow network, and shows all in the end", async () => {
    const mock = await serve();
    await set(mock, { delay: 700 });
    const browser = await context();
    const { page: tab, complaints } = await page(browser);
    await tab.goto(`${mock.url}services/database`);
    await tab.locator(".loading").first().waitFor();
    await tab.getByText("Similar warnings before").waitFor();
    await settled(tab);
    expect(complaints).toEqual([]);
    await browser.close();
  });

  it("asks again and again where neither socket nor stream is let through", async () => {
    const mock = await serve();
    await set(mock, { deaf: true });
    const browser = await context();
    const { page: tab } = await page(browser);
    await tab.goto(`${mock.url}status`);
    await settled(tab);
    const next = () => tab.locator("dt:text('Next minute') + dd time").getAttribute("datetime");
    const before = await next();
    await set(mock, { minute: 1 });
    await tab.waitForFunction(
      (old) => [...document.querySelectorAll("main time")].every((time) => time.getAttribute("datetime") !== old),
      before,
    );
    expect(await tab.locator(".fresh.is-lost").count()).toBe(0);
    await set(mock, { deaf: false, minute: 600 });
    await settled(tab);
    await browser.close();
  });

  it("works below a path", async () => {
    const mock = await serve({ base: "/ops/forewarn/" });
    const browser = await context();
    const { page: tab, complaints } = await page(browser);
    await tab.goto(`${mock.url}services/database#token=${mock.token}`);
    await settled(tab);
    expect(tab.url()).toBe(`${mock.url}services/database`);
    await tab.getByRole("link", { name: "Topology" }).first().click();
    await tab.getByText("Predicted cascades").waitFor();
    expect(tab.url()).toBe(`${mock.url}topology`);
    await tab.reload();
    await settled(tab);
    expect(complaints).toEqual([]);
    await browser.close();
  });
});

describe("with a thousand services", () => {
  it("draws what is on the screen only, and finds any of them", async () => {
    const mock = await serve({ services: 1000 });
    const browser = await context();
    const { page: tab, complaints } = await page(browser);
    const session = await browser.newCDPSession(tab);
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    await tab.goto(mock.url);
    await settled(tab);
    const [nodes, drawn] = await tab.evaluate(() => [
      document.querySelectorAll("*").length,
      document.querySelectorAll(".card").length,
    ]);
    const { metrics } = await session.send("Performance.getMetrics");
    const task = metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0;
    // How long it takes depends on the machine; what has to be drawn does not.
    console.log(`1,000 services: ${nodes} elements, ${drawn} cards, ${Math.round(task * 1000)} ms of processor time`);
    expect(drawn).toBeLessThan(60);
    expect(nodes).toBeLessThan(1500);
    await tab.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await tab.waitForFunction(() => {
      const cards = [...document.querySelectorAll(".card")];
      return cards.some(
        (card) => card.getBoundingClientRect().bottom <= innerHeight && card.getBoundingClientRect().top > 0,
      );
    });
    await tab.getByRole("searchbox", { name: "Find a service" }).fill("service-0999");
    await tab.waitForFunction(() => document.querySelectorAll(".card").length === 1);
    await tab.goto(`${mock.url}topology`);
    await tab.getByText(/services around/).waitFor();
    expect(await tab.locator(".node").count()).toBeLessThanOrEqual(150);
    expect(complaints).toEqual([]);
    await browser.close();
  });
});
