const { code } = require("esbuild").transformSync("let a: number = 1", { loader: "ts" });
require("node:assert").equal(code, "let a = 1;\n");
