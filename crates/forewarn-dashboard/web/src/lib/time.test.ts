import { expect, it } from "vitest";
import { clock, compact, full, parse, relative } from "./time";

const noon = Date.UTC(2026, 10, 28, 12, 0, 7);

it("writes times in UTC where that is chosen", () => {
  expect(clock(noon, "utc")).toBe("12:00");
  expect(full(noon, "utc")).toBe("28 Nov 2026, 12:00:07 UTC");
});

it("names the day of what is not of today", () => {
  expect(compact(noon - 3_600_000, noon, "utc")).toBe("11:00");
  expect(compact(noon - 30 * 3_600_000, noon, "utc")).toBe("27 Nov, 06:00");
});

it("tells past from future", () => {
  expect(relative(noon - 180_000, noon).replaceAll("\u202f", " ")).toBe("3 min ago");
  expect(relative(noon + 45_000, noon).replaceAll("\u202f", " ")).toBe("in 45 s");
  expect(relative(noon, noon)).toBe("now");
});

it("refuses what is not a time", () => {
  expect([parse(null), parse(undefined), parse(""), parse("soon")]).toEqual([null, null, null, null]);
  expect(parse("2026-11-28T12:00:07Z")).toBe(noon);
});
