import { expect, it } from "vitest";
import { waitFor } from "./connection";

it("waits longer each time, up to ten seconds and a quarter, apart from other pages", () => {
  expect([0, 1, 2, 3, 4, 5, 50].map((tries) => waitFor(tries, 0.5))).toEqual([
    500, 1000, 2000, 4000, 8000, 10_000, 10_000,
  ]);
  expect(waitFor(0, 0)).toBe(375);
  expect(waitFor(50, 1)).toBe(12_500);
});
