// Answers, one line each, how Node finds packages; `node find.js <project> <line>...`.
//
//   a > b@1.0.0     the version of what `a` gets when it requires `b`: `none`, or `npm:c@1.0.0` if it is really `c`
//   a > b == b      whether both ways lead to the same folder, `!=` if not
//   a > b has file  whether that folder has a file, `lacks` if not
//   folder a > b    that folder, and nothing else
//
// A way starts at the project, or at `./folder` of it. Printed is each line as it should have been.

const fs = require("fs");
const path = require("path");
const { createRequire } = require("module");

const [project, ...lines] = process.argv.slice(2);

function folder(way) {
  let from = project;
  for (const name of way.split(" > ")) {
    if (name.startsWith("./")) {
      from = fs.realpathSync(path.join(from, name));
      continue;
    }
    try {
      const find = createRequire(path.join(from, "package.json")).resolve;
      from = path.dirname(find(`${name}/package.json`));
    } catch {
      return undefined;
    }
  }
  return from;
}

function version(way) {
  const found = folder(way);
  if (found === undefined) return "none";
  const manifest = JSON.parse(fs.readFileSync(path.join(found, "package.json"), "utf8"));
  const isAlias = !way.endsWith(` > ${manifest.name}`) && way !== manifest.name;
  return isAlias ? `npm:${manifest.name}@${manifest.version}` : manifest.version;
}

function answer(line) {
  if (line.startsWith("folder ")) return folder(line.slice("folder ".length));
  const words = / (==|!=|has|lacks) /.exec(line);
  if (words === null) {
    const way = line.slice(0, versionAt(line));
    return `${way}@${version(way)}`;
  }
  const left = line.slice(0, words.index);
  const right = line.slice(words.index + words[0].length);
  if (words[1] === "==" || words[1] === "!=") {
    const isSame = folder(left) !== undefined && folder(left) === folder(right);
    return `${left} ${isSame ? "==" : "!="} ${right}`;
  }
  const found = folder(left);
  const isThere = found !== undefined && fs.existsSync(path.join(found, right));
  return `${left} ${isThere ? "has" : "lacks"} ${right}`;
}

// Where the last name ends: at its first `@`, but for that of a scope.
function versionAt(line) {
  const name = line.includes(" > ") ? line.lastIndexOf(" > ") + 3 : 0;
  return line.indexOf("@", name + 1);
}

for (const line of lines) console.log(answer(line));
