import { Controller, Get, Injectable, Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { of } from "rxjs";

@Injectable()
class Greeter {
  greet() {
    return of({ greeting: "Hello from Nest" });
  }
}

@Controller()
class AppController {
  constructor(private readonly greeter: Greeter) {}

  @Get()
  index() {
    return this.greeter.greet();
  }
}

@Module({ controllers: [AppController], providers: [Greeter] })
class AppModule {}

async function start() {
  const app = await NestFactory.create(AppModule);
  await app.listen(Number(process.env.PORT), "127.0.0.1");
}

void start();
