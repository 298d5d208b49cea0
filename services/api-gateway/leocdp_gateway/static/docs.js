// Draws an OpenAPI document as a list of operations. Text is only ever set as text, never as markup.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];
let api = {};

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function resolve(schema) {
  const name = (schema || {}).$ref;
  if (!name) return schema || {};
  return name.split("/").slice(1).reduce((at, part) => (at || {})[part], api) || {};
}

function typeOf(schema) {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const options = schema.anyOf || schema.oneOf;
  if (options) return options.map((option) => typeOf(resolve(option))).join(" | ");
  if (schema.type === "array") return `[${typeOf(resolve(schema.items))}]`;
  return schema.format || schema.type || "any";
}

function objectIn(schema) {
  const found = resolve(schema);
  if (found.properties) return found;
  if (found.type === "array") return objectIn(found.items);
  const options = (found.anyOf || found.oneOf || found.allOf || []).map(objectIn).filter(Boolean);
  return options[0] || null;
}

function shape(schema, depth = 0, seen = []) {
  const found = resolve(schema);
  const object = objectIn(found);
  if (!object) return typeOf(found);
  if (depth > 4 || seen.includes(object)) return "{…}";
  const pad = "  ".repeat(depth + 1);
  const lines = Object.entries(object.properties).map(([name, value]) => {
    const required = (object.required || []).includes(name) ? "" : "?";
    return `${pad}${name}${required}: ${shape(value, depth + 1, [...seen, object])}`;
  });
  const body = `{\n${lines.join("\n")}\n${"  ".repeat(depth)}}`;
  return found.type === "array" ? `[${body}]` : body;
}

function content(of) {
  const kinds = Object.entries((of || {}).content || {});
  return kinds.map(([kind, value]) => make("div", {}, make("p", {}, kind), make("pre", {}, shape(value.schema))));
}

function parameters(list) {
  if (!list.length) return null;
  const rows = list.map(resolve).map((each) => make("tr", {},
    make("td", {}, make("code", {}, each.name), each.required ? " *" : ""),
    make("td", {}, each.in),
    make("td", {}, typeOf(resolve(each.schema))),
    make("td", {}, each.description || resolve(each.schema).description || "")));
  const head = make("tr", {}, ...["name", "in", "type", "meaning"].map((name) => make("th", { scope: "col" }, name)));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
}

function responses(operation) {
  return Object.entries(operation.responses || {}).map(([status, value]) => {
    const found = resolve(value);
    return make("div", {}, make("h4", {}, `${status} ${found.description || ""}`), ...content(found));
  });
}

function draw(path, method, operation, shared) {
  const list = [...(shared || []), ...(operation.parameters || [])];
  const body = operation.requestBody ? content(resolve(operation.requestBody)) : [];
  return make("details", {},
    make("summary", {}, make("span", { class: "method" }, method.toUpperCase()),
      make("span", { class: "path" }, path), " ", make("span", { class: "word" }, operation.summary || "")),
    make("div", { class: "inside" },
      make("p", {}, operation.description || ""), parameters(list),
      body.length ? make("h4", {}, "Body") : null, ...body, ...responses(operation)));
}

function groups() {
  const found = new Map();
  for (const [path, item] of Object.entries(api.paths || {})) {
    for (const method of METHODS.filter((each) => item[each])) {
      const group = (item[method].tags || ["api"])[0];
      if (!found.has(group)) found.set(group, []);
      found.get(group).push(draw(path, method, item[method], item.parameters));
    }
  }
  return found;
}

function find(words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  for (const section of document.querySelectorAll("section")) {
    const all = [...section.querySelectorAll("details")];
    for (const each of all) {
      const text = each.querySelector("summary").textContent.toLowerCase();
      each.hidden = !wanted.every((word) => text.includes(word));
    }
    section.hidden = all.every((each) => each.hidden);
  }
}

async function start() {
  const main = document.getElementById("operations");
  try {
    const response = await fetch("/api/v1/openapi.json");
    if (!response.ok) throw new Error(`the description is not available (${response.status})`);
    api = await response.json();
  } catch (error) {
    main.replaceChildren(make("p", { role: "alert" }, `Try again in a moment: ${error.message}.`));
    return;
  }
  document.getElementById("title").textContent = `${api.info.title} API ${api.info.version}`;
  document.getElementById("about").textContent = api.info.description || "";
  main.replaceChildren(...[...groups()].map(([name, all]) => make("section", {}, make("h2", {}, name), ...all)));
  document.getElementById("find").addEventListener("input", (event) => find(event.target.value));
}

start();
