import $ from "jquery";
import { capitalize } from "lodash";
import "./style.css";

const greet = (name) => `Bundled by ${name}`;
$("body").append(greet(capitalize("webpack")));
