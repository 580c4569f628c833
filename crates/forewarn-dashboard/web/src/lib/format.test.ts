import { describe, expect, it } from "vitest";
import { bytes, chance, latency, metric, minutes, number, percent, proper, reach, span, within, words } from "./format";

const plain = (text: string) => text.replaceAll("\u202f", " ");

describe("numbers", () => {
  it("have the digits that count", () => {
    const shown = [0, 7, 1234, 0.4567, 12.345, 123.4, 1.2, 20_000, 482_113, 3_200_000, 2.5e9, 0.00312];
    expect(shown.map((value) => plain(number(value)))).toEqual([
      "0",
      "7",
      "1,234",
      "0.457",
      "12.3",
      "123",
      "1.2",
      "20 k",
      "482 k",
      "3.2 M",
      "2.5 G",
      "0.00312",
    ]);
  });

  it("are a dash where nothing is known, never a zero", () => {
    for (const format of [number, percent, chance, latency, bytes, span, minutes]) {
      for (const value of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY]) expect(format(value)).toBe("–");
    }
  });
});

describe("shares", () => {
  it("are never 0 or 100 percent unless they are", () => {
    const shown = [0, 0.00003, 0.0004, 0.0123, 0.5, 0.9996, 1, -0.08];
    expect(shown.map((value) => plain(percent(value)))).toEqual([
      "0 %",
      "< 0.01 %",
      "0.04 %",
      "1.2 %",
      "50 %",
      "99.96 %",
      "100 %",
      "−8 %",
    ]);
    expect([0, 0.002, 0.314, 0.998, 1].map((value) => plain(chance(value)))).toEqual([
      "0 %",
      "< 1 %",
      "31 %",
      "> 99 %",
      "100 %",
    ]);
  });
});

describe("units", () => {
  it("change with size", () => {
    expect([3.21, 45, 214.7, 1500, 12_345].map((value) => plain(latency(value)))).toEqual([
      "3.2 ms",
      "45 ms",
      "215 ms",
      "1.5 s",
      "12.3 s",
    ]);
    expect([12, 1234, 48_211_004].map((value) => plain(bytes(value)))).toEqual(["12 B", "1.23 kB", "48.2 MB"]);
    expect([4, 59.6, 125, 3600, 7500, 90_000, 86_400].map((value) => plain(span(value)))).toEqual([
      "4 s",
      "1 min",
      "2 min",
      "1 h",
      "2 h 5 min",
      "1 d 1 h",
      "1 d",
    ]);
    expect([3.44, 12.3, -1].map((value) => plain(minutes(value)))).toEqual(["3.4 min", "12 min", "−1 min"]);
  });

  it("are those that the server names", () => {
    expect(plain(metric(0.42, "ratio"))).toBe("42 %");
    expect(plain(metric(1200, "ms"))).toBe("1.2 s");
    expect(plain(metric(1200, "bytes"))).toBe("1.2 kB");
    expect(plain(metric(1200, "count"))).toBe("1,200");
    expect(plain(metric(1200, null))).toBe("1,200");
  });
});

describe("names", () => {
  it("read as words", () => {
    expect(["cpu_usage", "p95_latency", "request_count", "pr_auc"].map(words)).toEqual([
      "CPU usage",
      "p95 latency",
      "Request count",
      "PR AUC",
    ]);
    expect(["Cpu spike", "Dns error", "Bad deploy"].map(proper)).toEqual(["CPU spike", "DNS error", "Bad deploy"]);
    expect([0, 1, 2.65].map(reach)).toEqual(["no other service", "about 1 service", "about 2.6 services"]);
    expect(["Memory leak", "CPU spike"].map(within)).toEqual(["memory leak", "CPU spike"]);
  });
});
