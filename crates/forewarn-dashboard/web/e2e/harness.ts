// A browser and a stand-in for the server, and what the tests look at.
import axe from "axe-core";
import { type Browser, type BrowserContext, type Page, chromium } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { type Mock, type Options, start } from "../mock/server.mjs";

let browser: Browser | null = null;
const opened = new Set<Mock>();

/** Starts the browser before the tests of a file, and ends all that they started after them. */
export function withBrowser(): void {
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: process.env.FOREWARN_BROWSER ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu"],
    });
  });
  afterAll(async () => {
    await browser?.close();
    for (const mock of opened) await mock.stop();
  });
}

export async function serve(options: Options = {}): Promise<Mock> {
  const mock = await start(options);
  opened.add(mock);
  return mock;
}

/** Changes how the stand-in behaves. */
export async function set(mock: Mock, settings: Record<string, unknown>): Promise<void> {
  await fetch(new URL("/mock/set", mock.url), { method: "POST", body: JSON.stringify(settings) });
}

export interface Look {
  theme?: "light" | "dark";
  width?: number;
  height?: number;
}

export async function context({ theme = "light", width = 1280, height = 800 }: Look = {}): Promise<BrowserContext> {
  if (!browser) throw new Error("the browser is not there: call withBrowser");
  return browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    reducedMotion: "reduce",
    timezoneId: "Europe/Berlin",
  });
}

/** A page, with all that the browser complained of: defects, and what the content security policy refused. */
export async function page(within: BrowserContext): Promise<{ page: Page; complaints: string[] }> {
  const page = await within.newPage();
  page.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      complaints.push(message.text());
  });
  return { page, complaints };
}

/** Waits until the page shows what it has, and the line is open. */
export async function settled(page: Page): Promise<void> {
  await page.waitForSelector(".fresh.is-live");
  await page.waitForFunction(() => document.querySelectorAll("main .loading").length === 0);
}

/** Fails where axe finds a break of WCAG 2.2 AA. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const run = (window as unknown as { axe: typeof axe }).axe.run;
    const { violations } = await run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return violations.map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .slice(0, 4)
          .map(
            (node) =>
              `${node.html.slice(0, 160)} (${node.any
                .map((check) => check.message)
                .join("; ")
                .slice(0, 160)})`,
          )
          .join(" | ")}`,
    );
  });
  expect(found).toEqual([]);
}

/** Fails where an element has more in it than it is wide. */
export async function expectRoom(page: Page, selector: string): Promise<void> {
  const over = await page.evaluate(
    (within) =>
      [...document.querySelectorAll(within)]
        .filter((element) => element.scrollWidth > element.clientWidth + 1)
        .map((element) => element.outerHTML.slice(0, 120)),
    selector,
  );
  expect(over).toEqual([]);
}

/** Fails where the page is wider than its window. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const over = await page.evaluate(() => {
    const wide = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= wide) return [];
    return [...document.querySelectorAll("main *")]
      .filter((element) => element.getBoundingClientRect().right > wide + 1)
      .slice(0, 5)
      .map((element) => element.outerHTML.slice(0, 120));
  });
  expect(over).toEqual([]);
}
