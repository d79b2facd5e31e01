const { Prisma } = require("@prisma/client");

require("node:assert").deepEqual(Object.keys(Prisma.UserScalarFieldEnum), ["id", "name"]);
