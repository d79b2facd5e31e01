const Database = require("better-sqlite3");

const database = new Database(":memory:");
require("node:assert").equal(database.prepare("SELECT 1 + 1 AS sum").get().sum, 2);
