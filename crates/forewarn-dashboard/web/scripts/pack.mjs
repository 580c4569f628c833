// Compresses the built files and writes the table by which the crate knows them.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";

const out = process.env.DASHBOARD_OUT ?? "../dist";
const table = process.env.DASHBOARD_OUT ? path.join(out, "files.rs") : "../src/files.rs";

/** Type of a file by the end of its name; those of text are compressed. */
const TYPES = {
  ".css": ["text/css; charset=utf-8", true],
  ".html": ["text/html; charset=utf-8", true],
  ".js": ["text/javascript; charset=utf-8", true],
  ".svg": ["image/svg+xml", true],
  ".txt": ["text/plain; charset=utf-8", true],
  ".webmanifest": ["application/manifest+json", true],
  ".woff2": ["font/woff2", false],
};

const names = readdirSync(out, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.name.endsWith(".gz") && entry.name !== "files.rs")
  .map((entry) => path.relative(out, path.join(entry.parentPath, entry.name)).split(path.sep).join("/"))
  .sort();

let total = 0;
const rows = names.map((name) => {
  const [type, isText] = TYPES[path.extname(name)] ?? [];
  if (!type) throw new Error(`${name} has no known type: add it to TYPES in scripts/pack.mjs`);
  const bytes = readFileSync(path.join(out, name));
  const etag = createHash("sha256").update(bytes).digest("hex").slice(0, 32);
  let gzip = "None";
  let sent = bytes.length;
  if (isText) {
    const packed = gzipSync(bytes, { level: 9 });
    writeFileSync(path.join(out, `${name}.gz`), packed);
    gzip = `Some(include_bytes!("../dist/${name}.gz"))`;
    sent = packed.length;
  }
  if (name !== "licences.txt") total += sent;
  console.log(`${String(sent).padStart(8)} bytes  ${name}`);
  return `    File {
        path: "${name}",
        bytes: include_bytes!("../dist/${name}"),
        content_type: "${type}",
        etag: "\\"${etag}\\"",
        gzip: ${gzip},
    },`;
});
console.log(`${String(total).padStart(8)} bytes  all that the page loads, compressed`);
writeFileSync(
  table,
  `//! The built files, written by \`cargo xtask dashboard\`.

use crate::File;

/// Every file, in order of its path.
pub(crate) static FILES: &[File] = &[
${rows.join("\n")}
];
`,
);
