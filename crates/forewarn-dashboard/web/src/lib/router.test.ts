import { expect, it } from "vitest";
import { parseRoute, servicePath } from "./router";

it("finds the parts below any base", () => {
  expect(parseRoute("/services/cart", "", "/").parts).toEqual(["services", "cart"]);
  expect(parseRoute("/ops/forewarn/services/cart", "?range=1h", "/ops/forewarn/").parts).toEqual(["services", "cart"]);
  expect(parseRoute("/ops/forewarn/", "", "/ops/forewarn/").parts).toEqual([]);
  expect(parseRoute("/topology", "?service=a%20b", "/").search.get("service")).toBe("a b");
});

it("keeps names that hold slashes and percent signs", () => {
  for (const name of ["shop/cart", "shop.cart", "50% off", "a?b#c", "ü"]) {
    expect(parseRoute(servicePath(name), "", "/").parts).toEqual(["services", name]);
  }
  expect(parseRoute("/services/%zz", "", "/").parts).toEqual(["services", "%zz"]);
});
