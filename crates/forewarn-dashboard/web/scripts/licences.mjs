// Lists what is bundled, with the text of each licence, in a file of the built page.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";

/** Licences that may be in the page. */
const ALLOWED = new Set(["MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "OFL-1.1"]);

/** Packages whose files are copied, and so are in no chunk. */
const COPIED = ["@fontsource-variable/inter"];

/** The folder of the package that a module belongs to, if it is of a package. */
function packageOf(module) {
  const found = module.replaceAll("\0", "").match(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//);
  return found?.[1];
}

/** A package and those that it depends on: some bring theirs within their own file. */
function withDependencies(folder) {
  const { dependencies = {} } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  const names = Object.keys(dependencies).filter((name) => existsSync(path.resolve("node_modules", name)));
  return [folder, ...names.flatMap((name) => withDependencies(path.resolve("node_modules", name)))];
}

function entry(folder) {
  const { name, version, license } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  if (!ALLOWED.has(license)) {
    throw new Error(`${name} ${version} has the licence ${license}: expected one of ${[...ALLOWED].join(", ")}`);
  }
  const file = readdirSync(folder).find((file) => /^licen[cs]e(\.(md|txt))?$/i.test(file));
  if (!file) throw new Error(`${name} ${version} brings no text of its licence`);
  const text = readFileSync(path.join(folder, file), "utf8").replaceAll("\r\n", "\n").trim();
  return { name, title: `${name} ${version}: ${license}`, text };
}

/** A plugin that writes `licences.txt` and refuses a package under a licence that is not allowed. */
export function licences() {
  return {
    name: "licences",
    generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
      const folders = new Set(modules.map(packageOf).filter(Boolean));
      for (const name of COPIED) {
        const folder = path.resolve("node_modules", name);
        if (!existsSync(folder)) throw new Error(`${name} is not installed: run npm ci`);
        folders.add(folder);
      }
      const all = new Set([...folders].flatMap(withDependencies));
      const entries = [...all].map(entry).sort((a, b) => (a.name < b.name ? -1 : 1));
      const list = entries.map(({ title }) => `- ${title}`).join("\n");
      const texts = entries.map(({ title, text }) => `${"=".repeat(80)}\n${title}\n\n${text}\n`).join("\n");
      const source = `The page of forewarn is made with these packages, which are part of it:\n\n${list}\n\n${texts}`;
      this.emitFile({ type: "asset", fileName: "licences.txt", source });
    },
  };
}
