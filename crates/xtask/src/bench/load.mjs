// Loads every direct dependency of the package.json beside it, as Node does, and fails if one does
// not load. Run within the project that is to be checked.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

const read = (path) => JSON.parse(readFileSync(path, "utf8"));
const { dependencies, devDependencies } = read("package.json");
const require = createRequire(import.meta.url);
const failed = [];
for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
  if (name.startsWith("@types/")) continue;
  const folder = `node_modules/${name}`;
  try {
    const { main, exports } = read(`${folder}/package.json`);
    // Styles and commands have nothing to load.
    if (exports === undefined && !existsSync(`${folder}/${main || "index.js"}`)) continue;
    await import(name).catch(() => require(name));
  } catch (error) {
    failed.push(`${name}: ${error?.stack ?? error}`);
  }
}
if (failed.length > 0) {
  console.error(failed.join("\n"));
  process.exit(1);
}
process.exit(0);
