// What a reader does: with a token, without one, and by keyboard alone.
import { describe, expect, it } from "vitest";
import { context, expectAccessible, page, serve, settled, withBrowser } from "./harness";

withBrowser();

describe("without a token", () => {
  it("all can be read and nothing can be changed", async () => {
    const mock = await serve();
    const browser = await context();
    const { page: tab } = await page(browser);
    await tab.goto(`${mock.url}services/database`);
    await settled(tab);
    expect(await tab.getByRole("button", { name: "Acknowledge" }).isDisabled()).toBe(true);
    await tab.goto(`${mock.url}chaos`);
    await tab.getByText("Injecting a fault needs the role operator").waitFor();
    expect(await tab.getByRole("button", { name: /^Inject/ }).isDisabled()).toBe(true);
    await browser.close();
  });

  it("a wrong one is refused in words, and leaves the address", async () => {
    const mock = await serve();
    const browser = await context();
    const { page: tab } = await page(browser);
    await tab.goto(`${mock.url}#token=wrong`);
    await tab.getByText("The token is not known").waitFor();
    expect(tab.url()).toBe(mock.url);
    await expectAccessible(tab);
    await tab.getByPlaceholder("Token").fill(mock.token);
    await tab.getByRole("button", { name: "Sign in" }).click();
    await tab.locator(".role").getByText("operator").waitFor();
    await browser.close();
  });
});

describe("with a token", () => {
  it("a warning is acknowledged and acted on", async () => {
    const mock = await serve();
    const browser = await context();
    const { page: tab, complaints } = await page(browser);
    await tab.goto(`${mock.url}services/database#token=${mock.token}`);
    await settled(tab);
    expect(tab.url()).not.toContain("token");
    await tab.getByRole("button", { name: "Acknowledge", exact: true }).click();
    await tab.getByRole("button", { name: "Acknowledged" }).waitFor();
    await tab.getByRole("button", { name: "I acted" }).click();
    await tab.getByRole("button", { name: "You acted" }).waitFor();
    expect(complaints).toEqual([]);
    await browser.close();
  });

  it("a fault is injected, felt in the prediction, and stopped", async () => {
    const mock = await serve({ minute: 2 });
    const browser = await context();
    const { page: tab, complaints } = await page(browser);
    await tab.goto(`${mock.url}chaos#token=${mock.token}`);
    await settled(tab);
    await tab.getByRole("combobox", { name: "Service" }).selectOption("cart");
    await tab.getByRole("radio", { name: "Memory leak" }).check();
    await tab.getByRole("button", { name: "Inject memory leak" }).click();
    await tab.locator(".note").getByText("Memory leak in cart").waitFor();
    await tab
      .locator(".fault")
      .getByText(/risk now/)
      .waitFor();
    await expectAccessible(tab);
    await tab.getByRole("button", { name: /^Stop Memory leak in cart/ }).click();
    await tab.getByText("No fault acts now").waitFor();
    expect(complaints).toEqual([]);
    await browser.close();
  });

  it("a model is promoted with a reason, and not without", async () => {
    const mock = await serve();
    const browser = await context();
    const { page: tab } = await page(browser);
    await tab.goto(`${mock.url}models#token=${mock.token}`);
    await settled(tab);
    await tab.getByRole("button", { name: "Make it the main model" }).click();
    const dialog = tab.getByRole("dialog");
    expect(await dialog.getByRole("button", { name: "Promote" }).isDisabled()).toBe(true);
    await expectAccessible(tab);
    await dialog.getByLabel("Why").fill("Detects more");
    await dialog.getByRole("button", { name: "Promote" }).click();
    await tab.getByText("gru is the main model").waitFor();
    await browser.close();
  });
});

describe("by keyboard", () => {
  it("the content is one key away, and search another", async () => {
    const mock = await serve();
    const browser = await context();
    const { page: tab } = await page(browser);
    await tab.goto(mock.url);
    await settled(tab);
    await tab.keyboard.press("Tab");
    expect(await tab.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the content");
    await tab.keyboard.press("Enter");
    expect(await tab.evaluate(() => document.activeElement?.id)).toBe("main");
    await tab.keyboard.press("/");
    await tab.keyboard.type("orders");
    await tab.waitForFunction(() => document.querySelectorAll(".card").length === 1);
    await tab.locator(".card").focus();
    await tab.keyboard.press("Enter");
    await tab.waitForURL("**/services/orders");
    expect(await tab.evaluate(() => document.activeElement?.id)).toBe("main");
    await browser.close();
  });

  it("the graph is walked by arrows, and a dialog closed by Escape", async () => {
    const mock = await serve();
    const browser = await context();
    const { page: tab } = await page(browser);
    await tab.goto(`${mock.url}topology#token=${mock.token}`);
    await settled(tab);
    await tab.locator(".node[data-name=frontend]").focus();
    await tab.keyboard.press("ArrowRight");
    const reached = await tab.evaluate(() => document.activeElement?.getAttribute("data-name"));
    expect(["catalog", "checkout"]).toContain(reached);
    await tab.keyboard.press("Enter");
    await tab.waitForFunction((name) => location.search === `?service=${name}`, reached);
    await tab.goto(`${mock.url}services/database`);
    await settled(tab);
    await tab.getByRole("button", { name: "Silence" }).press("Enter");
    await tab.getByRole("dialog").waitFor();
    await tab.keyboard.press("Escape");
    await tab.getByRole("dialog").waitFor({ state: "detached" });
    await browser.close();
  });
});
