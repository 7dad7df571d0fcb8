// The picture of a run: the rows of its steps, and its lanes.
import {html, svg, render, nothing} from "lit-html";
import {time, bytes} from "model";
import {row, layout, y, middle, ends} from "layout";

const slug = s => (s || "gone").replace(/\W+/g, "-");
const marks = {verb: ">", event: "", log: "|", section: "#", time: "⏱"};

// Timeline draws a model into its element. The rows are drawn in blocks of so many steps, a block
// once: a step marks its row, and draws only the blocks that come into sight. Nothing here reads
// the layout of the page between two writes, because the browser would compute it for each.
const block = 16;
const mostBlocks = 24; // that are kept for when they come into sight again
const headHeight = 44;

export class Timeline {
  constructor(model, onStep) {
    this.model = model;
    this.onStep = onStep;
    this.step = 0;
    this.differs = -1; // the first step that another run does not have
    this.plan = layout(model);
    this.blocks = new Map(); // by number, those used last at the end
    this.top = this.height = 0; // what can be seen; a height of 0 is not known
    this.element = document.createElement("div");
    this.element.className = "timeline";
    render(this.frame(), this.element);
    this.heads = this.element.querySelector(".heads");
    this.rows = this.element.querySelector(".rows");
    this.lanes = this.element.querySelector(".blocks");
    this.element.addEventListener("scroll", () => this.later(), {passive: true});
    this.element.addEventListener("click", e => {
      const at = e.target.closest("[data-step]");
      if (at) this.onStep(Number(at.dataset.step));
    });
    this.element.addEventListener("pointermove", e => this.hover(e));
    this.element.addEventListener("pointerleave", () => tip(null));
    new ResizeObserver(() => { this.height = this.element.clientHeight; this.later(); }).observe(this.element);
  }

  later() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => { this.waiting = 0; this.top = this.element.scrollTop; this.draw(); });
  }

  // forget has the next step look again at what can be seen: the element has been moved.
  forget() { this.height = 0; }

  show(step) {
    const e = this.element;
    this.step = step;
    if (!this.height) { this.height = e.clientHeight; this.top = e.scrollTop; }
    let top = this.top;
    if (y(step) < top + row) top = Math.max(0, y(step) - row);
    if (y(step) + row > top + this.height - headHeight) top = y(step) + 2 * row + headHeight - this.height;
    if (top !== this.top) { e.scrollTop = top; this.top = e.scrollTop; }
    this.draw();
  }

  // hover shows what is under the pointer.
  hover(e) {
    const at = e.target.closest("[data-about],[data-step],[data-lane]");
    if (!at) return tip(null);
    if (at.dataset.lane !== undefined) return tip(this.aboutLane(this.model.lanes[at.dataset.lane], Number(at.dataset.at ?? this.step)), e);
    tip(this.model.about(Number(at.dataset.step)), e);
  }

  aboutLane(lane, step) {
    const now = this.model.at(lane, step) || {};
    const lines = [lane.id + (lane.title && lane.title !== lane.id ? ": " + lane.title : "")];
    if (now.counts) lines.push(["idle", "in use", "dialing", "waiting"].map((w, i) => now.counts[i] + " " + w).join(", "));
    else lines.push([now.state, now.note].filter(Boolean).join(" "));
    if (now.ends) lines.push("client " + now.ends[0] + ", server " + now.ends[1]);
    if (lane.owner) lines.push("for " + lane.owner);
    lines.push("since step " + ((now.step || 0) + 1) + ", " + time((this.model.steps[now.step || 0] || {}).at));
    if (lane.where) lines.push(lane.where + (this.model.source(lane.where) ? ": " + this.model.source(lane.where) : ""));
    return lines.join("\n");
  }

  draw(all) {
    const last = Math.floor((this.model.steps.length - 1) / block), seen = n => Math.floor(n / row / block);
    const from = all ? 0 : Math.max(0, seen(this.top - 4 * row)), to = all ? last : Math.min(last, seen(this.top + (this.height || 600) + 4 * row));
    const drawn = [from, to, this.differs].join();
    if (drawn !== this.drawn) this.place(from, to);
    this.drawn = drawn;
    this.mark();
  }

  // place has exactly those blocks in the picture.
  place(from, to) {
    const wanted = new Set(range(from, to));
    for (const [n, b] of this.blocks) if (!wanted.has(n)) { b.rows.remove(); b.lanes.remove(); }
    for (const n of wanted) {
      const old = this.blocks.get(n), b = old && old.differs === this.differs ? old : this.block(n);
      if (old && old !== b) { old.rows.remove(); old.lanes.remove(); }
      this.blocks.delete(n);
      this.blocks.set(n, b);
      if (b.rows.parentNode !== this.rows) { this.rows.append(b.rows); this.lanes.append(b.lanes); }
    }
    for (const n of this.blocks.keys()) {
      if (this.blocks.size <= Math.max(mostBlocks, wanted.size)) break;
      this.blocks.delete(n);
    }
  }

  // mark moves the mark of the step that is shown.
  mark() {
    const b = this.blocks.get(Math.floor(this.step / block)), i = this.step % block;
    const marked = b ? [b.rows.children[i], b.backs[i]] : [];
    for (const e of this.marked || []) if (!marked.includes(e)) { e.classList.remove("now"); e.removeAttribute("aria-current"); }
    for (const e of marked) if (e) e.classList.add("now");
    if (marked[0]) marked[0].setAttribute("aria-current", "step");
    this.marked = marked.filter(Boolean);
    const heads = this.plan.groups.map(g => g.lanes.filter(l => !g.shared || l.first <= this.step && l.last >= this.step));
    const names = heads.flat().map(l => l.index).join();
    if (names !== this.names) render(this.titles(heads), this.heads);
    this.names = names;
  }

  // frame returns what stays when the steps are scrolled.
  frame() {
    return html`<div class="heads" style="width:${this.plan.width + 2}px"></div>
      <div class="canvas" style="height:${this.model.steps.length * row}px"><div class="rows"></div><div class="blocks"></div></div>`;
  }

  // titles returns the names of the groups and of those lanes.
  titles(heads) {
    return html`<div class="corner">${this.model.steps.length} steps</div>
      ${this.plan.groups.map((g, i) => html`<div class="group" style="left:${g.x}px;width:${g.width}px">${g.title}</div>
        ${heads[i].map(l => html`<div class="head" style="left:${l.x}px;width:${l.width}px" data-lane=${l.index}>${l.id}</div>`)}`)}`;
  }

  // block draws the steps of a block: their rows, and their part of the lanes.
  block(n) {
    const a = n * block, b = Math.min(this.model.steps.length, a + block) - 1, height = (b - a + 1) * row;
    const rows = document.createElement("div"), lanes = document.createElement("div");
    rows.className = "block";
    rows.style.top = y(a) + "px";
    render(range(a, b).map(i => this.line(i)), rows);
    lanes.className = "block";
    lanes.style.top = y(a) + "px";
    render(html`<svg class="lanes" width=${this.plan.width} height=${height} viewBox="0 ${y(a)} ${this.plan.width} ${height}" aria-hidden="true">
      ${this.backgrounds(a, b)}
      ${this.plan.groups.map(g => g.lanes.filter(l => l.first <= b && l.last >= a).map(l => this.lane(l, a, b)))}
      ${this.arrows(a, b)}</svg>`, lanes);
    return {rows, lanes, backs: lanes.querySelectorAll(".back"), differs: this.differs};
  }

  line(i) {
    const s = this.model.steps[i];
    const what = ["row", s.kind, this.model.failed.has(i) && "bad", i === this.differs && "differs",
      s.event && s.event.fault && "fault"].filter(Boolean).join(" ");
    const before = i && this.model.steps[i - 1].at;
    return html`<div class=${what} data-step=${i}>
      <span class="number">${i + 1}</span><span class="time">${i && s.at === before ? "" : time(s.at)}</span><span
      class="mark">${marks[s.kind]}</span><span class="text">${s.text}</span></div>`;
  }

  backgrounds(a, b) {
    return range(a, b).map(i => {
      const s = this.model.steps[i];
      const what = i === this.differs ? "differs" : this.model.failed.has(i) ? "bad" : s.kind === "section" ? "section" : "";
      return svg`<rect class="back ${what}" x="0" y=${y(i)} width=${this.plan.width} height=${row} data-step=${i}></rect>
        ${i && s.at > this.model.steps[i - 1].at ? svg`<line class="passes" x1="0" x2=${this.plan.width} y1=${y(i)} y2=${y(i)}></line>` : nothing}`;
    });
  }

  // lane draws the bars of a lane: one for each of its states.
  lane(lane, a, b) {
    const bars = [];
    lane.changes.forEach((c, k) => {
      const next = k + 1 < lane.changes.length ? lane.changes[k + 1].step : lane.last + 1;
      const from = Math.max(c.step, a - 1), to = Math.min(next, b + 2);
      if (c.step > b || next < a) return;
      const last = k + 1 === lane.changes.length && next === lane.last + 1 && lane.last < this.model.steps.length - 1;
      if (last && c.step === lane.last) bars.push(this.end(lane, c)); else if (from < to) bars.push(this.bar(lane, c, from, to));
    });
    if (lane.first >= a - 1 && lane.first <= b) bars.push(svg`<text class="label" x=${lane.x + lane.width / 2} y=${middle(lane.first) + 1}>${lane.id}</text>`);
    return bars;
  }

  bar(lane, c, from, to) {
    const top = middle(from), height = (to - from) * row;
    if (lane.kind === "pool") return this.counts(lane, c, top, height, from);
    if (lane.kind !== "conn") return svg`<rect class="bar ${slug(c.state)}" x=${lane.x} y=${top} width=${lane.width} height=${height} rx="3"
      data-lane=${lane.index} data-at=${from}></rect>`;
    const {client, server} = ends(lane), [one, other] = c.ends || ["", ""];
    return svg`<rect class="bar ${slug(c.state)}" x=${client} y=${top} width=${server - client} height=${height} data-lane=${lane.index} data-at=${from}></rect>
      <line class="end ${slug(one.replace("*", ""))}" x1=${client} x2=${client} y1=${top} y2=${top + height}></line>
      <line class="end ${slug(other.replace("*", ""))}" x1=${server} x2=${server} y1=${top} y2=${top + height}></line>`;
  }

  end(lane, c) {
    const x = lane.x + lane.width / 2;
    if (lane.kind === "conn") return nothing;
    return svg`<circle class="stop ${slug(c.state)}" cx=${x} cy=${middle(c.step)} r="5" data-lane=${lane.index} data-at=${c.step}></circle>`;
  }

  // counts draws what clients have to a host, a block for each.
  counts(lane, c, top, height, at) {
    const all = c.counts.reduce((sum, n) => sum + n, 0), unit = Math.min(14, lane.width / Math.max(1, all));
    let x = lane.x;
    return svg`<rect class="bar host" x=${lane.x} y=${top} width=${lane.width} height=${height} data-lane=${lane.index} data-at=${at}></rect>
      ${["idle", "in-use", "dialing", "waiting"].map((what, i) => {
        const width = c.counts[i] * unit, from = x;
        x += width;
        return width ? svg`<rect class="bar ${what}" x=${from} y=${top} width=${width - 1} height=${height} data-lane=${lane.index} data-at=${at}></rect>` : nothing;
      })}`;
  }

  arrows(a, b) {
    const near = range(a, Math.min(this.model.steps.length - 1, b + 40));
    const crossing = this.model.long.filter(i => i > b + 40 && this.model.steps[i].event.since <= b);
    return [...near, ...crossing].map(i => this.arrow(i, a, b));
  }

  arrow(i, a, b) {
    const e = this.model.steps[i].event;
    if (!e || e.since > b) return nothing;
    if (e.what === "dial") {
      const dial = this.model.lane("dial", e.lane), id = (e.outcome || "").replace(/^open /, ""), conn = this.model.lane("conn", id);
      if (!dial || dial.x === undefined) return nothing;
      const from = dial.x + dial.width / 2;
      return svg`${conn && conn.x !== undefined ? svg`<line class="arrow dial" x1=${from} y1=${middle(i)} x2=${ends(conn).client} y2=${middle(i)} data-step=${i}></line>` : nothing}
        ${e.fault ? this.bolt(from, middle(i), i) : nothing}`;
    }
    const lane = this.model.lane("conn", e.lane);
    if (!lane || lane.x === undefined || !e.from) return nothing;
    const {client, server} = ends(lane), [x1, x2] = e.from === "client" ? [client, server] : [server, client];
    const y1 = middle(Math.max(e.since, i - 400)), y2 = middle(i), way = Math.sign(x2 - x1);
    const word = e.what === "data" ? bytes(e.size || 0) : e.what.toUpperCase();
    return svg`<g class="arrow ${e.what} ${e.fault ? "fault" : ""}" data-step=${i}>
      <line x1=${x1} y1=${y1} x2=${x2 - way * 5} y2=${y2}></line>
      <path d="M${x2} ${y2} l${-way * 8} -4 v8 z"></path>
      <text x=${x1 + way * 9} y=${y2 - 3} text-anchor=${way > 0 ? "start" : "end"}>${word}</text>
      ${e.fault ? this.bolt(x2, y2, i) : nothing}</g>`;
  }

  bolt(x, y, i) { return svg`<text class="bolt" x=${x} y=${y + 5} data-step=${i}>⚡</text>`; }
}

const range = (a, b) => Array.from({length: Math.max(0, b - a + 1)}, (_, i) => a + i);

// tip shows a text at the pointer, or hides it.
export function tip(text, e) {
  const box = document.getElementById("tip");
  box.hidden = !text;
  if (!text) return;
  box.textContent = text;
  const x = Math.min(e.clientX + 14, innerWidth - box.offsetWidth - 8), y = e.clientY + 18;
  box.style.left = x + "px";
  box.style.top = (y + box.offsetHeight > innerHeight ? e.clientY - box.offsetHeight - 8 : y) + "px";
}
