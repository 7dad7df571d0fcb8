// The page: which view it shows, its keys, and what is in its address.
import {html, render, nothing} from "lit-html";
import {page, Model, time} from "model";
import {Timeline, tip} from "timeline";
import {tables} from "tables";
import {Tree, treeView, choicesView} from "tree";
import {matrixView} from "matrix";

const state = {view: "", shown: [], step: 0, filter: {text: "", state: ""}, help: false};
const models = new Map(), timelines = new Map();
let tree = null;

const model = i => models.get(i) || models.set(i, new Model(page.runs[i])).get(i);
const timeline = i => timelines.get(i) || timelines.set(i, new Timeline(model(i), go)).get(i);
const last = () => Math.max(0, ...state.shown.map(i => model(i).steps.length - 1));

export function start() {
  if (page.tree) tree = new Tree(page.tree);
  addEventListener("hashchange", route);
  addEventListener("keydown", key);
  addEventListener("click", writeAddress, true); // before a link leads away from here
  addEventListener("pagehide", writeAddress);
  addEventListener("beforeprint", () => state.shown.forEach(i => timeline(i).draw(true)));
  addEventListener("afterprint", () => state.shown.forEach(i => timeline(i).draw()));
  route();
}

// route reads the address: #/matrix, #/schedules, #/run/0/12, #/compare/3/7/12.
function route() {
  const words = location.hash.split("/").slice(1), number = i => Number(words[i]) || 0;
  const view = words[0] || (page.matrix ? "matrix" : page.tree && !(page.runs || []).length ? "schedules" : "run");
  state.view = view;
  state.shown = [];
  state.pair = null;
  state.step = 0;
  if (view === "run" && (page.runs || [])[number(1)]) {
    state.shown = [number(1)];
    state.step = words[2] === undefined ? firstLook(number(1)) : number(2);
  }
  if (view === "compare" && tree) {
    state.pair = [number(1), number(2)];
    state.shown = state.pair.map(i => page.tree.schedules[i].run - 1).filter(i => i >= 0);
    state.step = number(3);
    if (state.shown.length === 2) state.step = number(3) || differ();
  }
  clearTimeout(written);
  written = 0;
  state.shown.forEach(i => timeline(i).forget());
  draw();
  const parts = document.querySelector(".pair .parts");
  if (parts) parts.closest(".pair").scrollTop = parts.offsetTop - 5 * parts.offsetHeight;
}

// firstLook returns the step of a run to begin with: that of its first failure.
function firstLook(i) {
  const failures = page.runs[i].failures || [];
  return failures.length ? Math.max(0, failures[0].step) : 0;
}

// differ marks the first steps in which two runs differ, and returns its index.
function differ() {
  const [a, b] = state.shown.map(i => model(i).steps);
  let i = 0;
  while (i < a.length && i < b.length && a[i].text === b[i].text) i++;
  state.shown.forEach(k => timeline(k).differs = i);
  return Math.min(i, last());
}

function go(step) {
  state.step = Math.max(0, Math.min(last(), step));
  if (!written) written = setTimeout(writeAddress, 300);
  draw();
}

// writeAddress puts the step that is shown into the address. It waits for a pause in the steps,
// because each change of the address is work for the browser.
let written = 0; // the timer
function writeAddress() {
  if (!written) return;
  clearTimeout(written);
  written = 0;
  const words = location.hash.split("/").slice(0, 4);
  if (state.view === "run") history.replaceState(null, "", "#/run/" + state.shown[0] + "/" + state.step);
  if (state.view === "compare") history.replaceState(null, "", words.join("/") + "/" + state.step);
}

// interesting finds the next step, in a direction, that failed, or at which a fault or a
// verb of the test is.
function interesting(way, what) {
  const steps = model(state.shown[0]).steps, failed = model(state.shown[0]).failed;
  for (let i = state.step + way; i >= 0 && i < steps.length; i += way)
    if (what === "verb" ? steps[i].kind === "verb" : failed.has(i) || steps[i].event && steps[i].event.fault) return i;
  return state.step;
}

function key(e) {
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.matches?.("input[type=search]")) return;
  if (e.key === "?") { state.help = !state.help; draw(); return; }
  if (e.key === "Escape") { state.help = false; tip(null); draw(); return; }
  if (e.key === "d") { theme(); return; }
  if (!state.shown.length) return;
  const moves = {ArrowRight: 1, ArrowDown: 1, j: 1, ArrowLeft: -1, ArrowUp: -1, k: -1, PageDown: 20, PageUp: -20};
  if (moves[e.key]) go(state.step + moves[e.key] * (e.shiftKey ? 10 : 1));
  else if (e.key === "Home") go(0);
  else if (e.key === "End") go(last());
  else if (e.key === "n" || e.key === "p") go(interesting(e.key === "n" ? 1 : -1, "verb"));
  else if (e.key === "f" || e.key === "F") go(interesting(e.key === "f" ? 1 : -1, "failure"));
  else return;
  e.preventDefault();
}

function theme() {
  const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = (root.dataset.theme || (dark ? "dark" : "light")) === "dark" ? "light" : "dark";
}

function draw() {
  // A timeline that is in the page scrolls before anything is written into the page, so that
  // its layout is computed once.
  const show = i => timeline(i).show(Math.min(state.step, model(i).steps.length - 1));
  const there = state.shown.filter(i => timeline(i).height), others = state.shown.filter(i => !there.includes(i));
  there.forEach(show);
  render(html`
    <header>
      <h1>${page.title}</h1>
      <nav>${page.matrix ? html`<a href="#/matrix" aria-current=${state.view === "matrix" ? "page" : nothing}>matrix</a>` : nothing}
        ${tree ? html`<a href="#/schedules" aria-current=${state.view === "schedules" ? "page" : nothing}>schedules</a>` : nothing}
        ${runLinks()}</nav>
      <button @click=${theme} title="d">dark / light</button>
      <button @click=${() => { state.help = !state.help; draw(); }} title="?">keys</button>
    </header>
    ${state.help ? help() : nothing}
    ${body()}
    <div id="tip" role="tooltip" hidden></div>`, document.getElementById("app"));
  others.forEach(show);
}

function runLinks() {
  const runs = page.runs || [];
  if (page.matrix || runs.length > 8) return state.view === "run" ? html`<span>${(runs[state.shown[0]] || {}).name}</span>` : nothing;
  return runs.map((r, i) => html`<a href=${"#/run/" + i} aria-current=${state.view === "run" && state.shown[0] === i ? "page" : nothing}>${
    runs.length === 1 ? "timeline" : r.name}</a>`);
}

function body() {
  switch (state.view) {
    case "matrix": return matrixView(page.matrix, state.filter, f => { state.filter = f; draw(); });
    case "schedules": return treeView(tree, act);
    case "compare": return html`${choicesView(page.tree, ...state.pair)} ${state.shown.length ? bench() : html`<p>The page has no timeline of these two.</p>`}`;
  }
  return state.shown.length ? html`${verdict(page.runs[state.shown[0]])} ${bench()}` : html`<p>There is no such run.</p>`;
}

function verdict(run) {
  return html`<section class="verdict ${run.verdict}"><p><b>${run.verdict}</b> ${run.outcome || ""}</p>
    ${(run.failures || []).map(f => html`<p class="failure">${f.reason ? html`<span class="reason">${f.reason}</span> ` : nothing}<a
      href="#" @click=${e => { e.preventDefault(); go(f.step); }}>${f.text}</a> ${f.where ? html`<code>${f.where}</code>` : nothing}</p>`)}
    ${run.again ? html`<p class="again">again: <code>${run.again}</code></p>` : nothing}
    ${run.script ? html`<details><summary>as a script</summary><pre>${run.script}</pre></details>` : nothing}</section>`;
}

// bench is the timelines that are shown, the slider and the tables.
function bench() {
  const at = model(state.shown[0]).steps[Math.min(state.step, model(state.shown[0]).steps.length - 1)] || {at: 0};
  return html`<div class="slider"><button id="back" @click=${() => go(state.step - 1)} aria-label="one step back">◀</button>
      <input type="range" id="step" min="0" max=${last()} .value=${String(state.step)} @input=${e => go(Number(e.target.value))} aria-label="step"
        aria-valuetext=${"step " + (state.step + 1)} @keydown=${e => e.preventDefault()}>
      <button id="on" @click=${() => go(state.step + 1)} aria-label="one step on">▶</button>
      <output>${state.step + 1} / ${last() + 1}</output> <output class="time">${time(at.at)}</output></div>
    <main class=${state.shown.length > 1 ? "two" : "one"}>${state.shown.map(i => html`<div class="side">
      ${state.shown.length > 1 ? html`<h2 class=${page.runs[i].verdict}>${page.runs[i].name}: ${page.runs[i].verdict} ${page.runs[i].outcome || ""}</h2>` : nothing}
      ${timeline(i).element}
      <aside>${tables(model(i), Math.min(state.step, model(i).steps.length - 1))}</aside></div>`)}</main>`;
}

function act(what, value) {
  if (what === "fold") tree.open.has(value) ? tree.open.delete(value) : tree.open.add(value);
  if (what === "pick") tree.picked = tree.picked.includes(value) ? tree.picked.filter(i => i !== value) : [...tree.picked.slice(-1), value];
  draw();
}

function help() {
  const keys = [["← → ↑ ↓, j k", "one step; ten with Shift"], ["PgUp PgDn", "twenty steps"], ["Home End", "first and last step"],
    ["n p", "next and previous verb of the test"], ["f F", "next and previous failure or fault"], ["d", "dark or light"], ["?", "this list"]];
  return html`<section class="help"><table>${keys.map(([k, what]) => html`<tr><td><kbd>${k}</kbd><td>${what}</tr>`)}</table></section>`;
}
