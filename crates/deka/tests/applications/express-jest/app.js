const express = require("express");

const app = express();
app.get("/", (_request, response) => response.json({ greeting: "Hello from Express" }));

module.exports = app;
