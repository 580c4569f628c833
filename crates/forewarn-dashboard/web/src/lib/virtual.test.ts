import { expect, it } from "vitest";
import { offsets, visible } from "./virtual";

it("gives the rows that touch the window and one before", () => {
  const { tops, total } = offsets([10, 20, 30, 40, 50]);
  expect(tops).toEqual([0, 10, 30, 60, 100]);
  expect(total).toBe(150);
  expect(visible(tops, total, 0, 150)).toEqual([0, 5]);
  expect(visible(tops, total, 35, 61)).toEqual([2, 4]);
  expect(visible(tops, total, 140, 400)).toEqual([4, 5]);
});

it("gives next to nothing where nothing is in sight", () => {
  const { tops, total } = offsets([10, 20]);
  expect(visible(tops, total, 500, 600)).toEqual([0, 1]);
  expect(visible(tops, total, -600, -500)).toEqual([0, 1]);
  expect(visible([], 0, 0, 100)).toEqual([0, 0]);
});
