// Writes the types of the API from the document of a running server, or from the one that is committed:
// `FOREWARN_TOKEN=... node scripts/types.mjs [http://127.0.0.1:8080/]`.
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const server = process.argv[2];
if (server) {
  const response = await fetch(new URL("api/v1/openapi.json", server), {
    headers: process.env.FOREWARN_TOKEN ? { authorization: `Bearer ${process.env.FOREWARN_TOKEN}` } : {},
  });
  if (!response.ok) throw new Error(`${response.url} answered with status ${response.status}: expected the document`);
  writeFileSync("openapi.json", `${JSON.stringify(await response.json(), null, 1)}\n`);
}
const document = JSON.parse(readFileSync("openapi.json", "utf8"));
// Only what is sent and received; the page knows the addresses itself.
const types = astToString(await openapiTS({ ...document, paths: {} }));
writeFileSync("src/api/schema.ts", `// Types of the API, written by scripts/types.mjs from openapi.json.\n\n${types}`);
