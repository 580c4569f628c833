import { defineConfig } from "vitest/config";

// One browser for all tests, one after the other: a machine of two cores has no room for more.
export default defineConfig({
  test: {
    include: ["e2e/**/*.test.ts"],
    environment: "node",
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
