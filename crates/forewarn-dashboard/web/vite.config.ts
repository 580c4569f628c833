import { defineConfig } from "vitest/config";
import { licences } from "./scripts/licences.mjs";

// Addresses in the page are relative to its <base>, so that it works below any path. Nothing is inlined as a data
// address: the content security policy allows files of the same origin only.
export default defineConfig({
  base: "./",
  build: {
    outDir: process.env.DASHBOARD_OUT ?? "../dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: false,
    target: "es2022",
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
    rollupOptions: {
      output: {
        entryFileNames: "assets/app.js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/[name][extname]",
      },
    },
  },
  plugins: [licences()],
  server: { proxy: { "/api": { target: "http://127.0.0.1:8090", ws: true } } },
  test: { include: ["src/**/*.test.ts", "src/**/*.test.tsx"], environment: "node" },
});
