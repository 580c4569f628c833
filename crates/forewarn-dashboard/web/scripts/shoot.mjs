// Pictures of every page from the mock, to look at:
// `node scripts/shoot.mjs FOLDER [light|dark] [wide|phone] [page ...]`.
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";
import { start } from "../mock/server.mjs";

const [folder = "shots", theme = "dark", size = "wide", ...wanted] = process.argv.slice(2);
const PAGES = {
  fleet: "",
  table: "?view=table&group=standing",
  service: "services/database",
  calm: "services/catalog?range=12h",
  topology: "topology",
  selected: "topology?service=database",
  incidents: "incidents?state=all",
  incident: "incidents/incident-1",
  ledger: "ledger",
  chaos: "chaos",
  slos: "slos",
  events: "events",
  models: "models",
  status: "status",
};

mkdirSync(folder, { recursive: true });
const mock = await start();
const browser = await chromium.launch({
  executablePath: process.env.FOREWARN_BROWSER ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const context = await browser.newContext({
  viewport: size === "phone" ? { width: 390, height: 844 } : { width: 1440, height: 900 },
  deviceScaleFactor: 1,
  colorScheme: theme,
  reducedMotion: "reduce",
  isMobile: size === "phone",
  hasTouch: size === "phone",
});
const page = await context.newPage();
page.on("console", (message) => ["error", "warning"].includes(message.type()) && console.log(message.text()));
page.on("pageerror", (error) => console.log("page error:", error.message));
await page.goto(`${mock.url}#token=${mock.token}`);
await page.waitForSelector(".card", { timeout: 15_000 });
for (const [name, address] of Object.entries(PAGES)) {
  if (wanted.length && !wanted.includes(name)) continue;
  await page.goto(mock.url + address);
  await page.waitForSelector("main > *:not(.loading)", { timeout: 10_000 });
  await page.waitForTimeout(500);
  await page.screenshot({ path: `${folder}/${name}-${theme}-${size}.png`, fullPage: true });
  console.log(name);
}
await browser.close();
await mock.stop();
