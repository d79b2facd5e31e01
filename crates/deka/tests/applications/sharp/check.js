const assert = require("node:assert");
const sharp = require("sharp");

const create = { width: 3, height: 2, channels: 3, background: "red" };
sharp({ create })
  .png()
  .toBuffer()
  .then((image) => sharp(image).metadata())
  .then(({ width, height }) => assert.deepEqual([width, height], [3, 2]));
