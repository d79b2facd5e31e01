const request = require("supertest");
const app = require("./app");

jest.mock("./unused", () => ({ isMocked: true }), { virtual: true });

test("greets", async () => {
  const response = await request(app).get("/");
  expect(response.body).toEqual({ greeting: "Hello from Express" });
});

test("mocks", () => {
  expect(require("./unused")).toEqual({ isMocked: true });
});
