import { Component } from "@angular/core";
import { bootstrapApplication } from "@angular/platform-browser";
import { of } from "rxjs";
import { AsyncPipe } from "@angular/common";

@Component({
  selector: "app-root",
  imports: [AsyncPipe],
  template: `<h1>Compiled by {{ name | async }}</h1>`,
})
class App {
  name = of("Angular");
}

bootstrapApplication(App);
