// Writes the types of the API from the document that is committed: `node scripts/types.mjs`. The document is written by
// `FOREWARN_WRITE_OPENAPI=1 cargo test -p forewarn-server --lib committed_document`, and checked by every other run.
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const document = JSON.parse(readFileSync("openapi.json", "utf8"));
// Only what is sent and received; the page knows the addresses itself.
const types = astToString(await openapiTS({ ...document, paths: {} }));
writeFileSync("src/api/schema.ts", `// Types of the API, written by scripts/types.mjs from openapi.json.\n\n${types}`);
