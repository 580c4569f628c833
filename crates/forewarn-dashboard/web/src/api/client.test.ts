import { expect, it } from "vitest";
import { query, refusal } from "./client";
import { may, tokenOf } from "./session";

it("leaves out of a query what is not set", () => {
  expect(query({ service: "a b", model: "", from: null, limit: 10, cursor: undefined })).toBe("?service=a+b&limit=10");
  expect(query({ service: null })).toBe("");
});

it("takes title and detail of a problem, and the status where there is none", () => {
  const problem = JSON.stringify({ type: "about:blank", title: "No such service", detail: "cart", status: 404 });
  expect(refusal(404, problem)).toMatchObject({ status: 404, title: "No such service", detail: "cart" });
  expect(refusal(502, "<html>")).toMatchObject({ status: 502, title: "Status 502", detail: null });
  expect(refusal(400, "[]")).toMatchObject({ title: "Status 400" });
});

it("finds the token of a link", () => {
  expect(tokenOf("#token=abc")).toBe("abc");
  expect(tokenOf("#token=")).toBeNull();
  expect(tokenOf("")).toBeNull();
});

it("ranks roles", () => {
  expect(may(null, "viewer")).toBe(false);
  expect(may("viewer", "operator")).toBe(false);
  expect(may("admin", "operator")).toBe(true);
});
