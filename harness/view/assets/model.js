// What the page shows, and what each lane is at each step.

export const page = JSON.parse(await text(document.getElementById("data")));

// text returns the data, which is compressed if it is large.
async function text(element) {
  if (element.type === "application/json") return element.textContent;
  const packed = Uint8Array.from(atob(element.textContent), c => c.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

// States after which a lane has ended.
const ended = new Set(["done", "failed", "given up", "taken back", ""]);

// time returns a virtual time as people read it: "+1.5s".
export function time(ns) {
  if (!ns) return "+0s";
  const units = [[3600e9, "h"], [60e9, "m"], [1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];
  const [size, unit] = units.find(([size]) => ns >= size) || units[5];
  if (unit === "h" || unit === "m") {
    const rest = ns % size;
    return "+" + Math.floor(ns / size) + unit + (rest ? time(rest).slice(1) : "");
  }
  return "+" + Number((ns / size).toPrecision(6)) + unit;
}

// bytes returns a size as people read it.
export function bytes(n) {
  return n < 10000 ? n + " B" : n < 1e7 ? Math.round(n / 1024) + " KiB" : Math.round(n / 1048576) + " MiB";
}

// atob gives Latin-1; what is not printed is a dot, or an escape that people know.
export function payload(base64, most) {
  const raw = atob(base64 || "");
  const text = raw.slice(0, most).replace(/\r/g, "␍").replace(/[^\n\x20-\x7e␍]/g, "·");
  return {text, cut: raw.length > most, binary: (text.match(/·/g) || []).length > text.length / 8};
}

// Model is a run, ready to be asked.
export class Model {
  constructor(run) {
    this.run = run;
    this.steps = run.steps || [];
    this.lanes = (run.lanes || []).map((lane, index) => ({...lane, index, changes: [], first: 0, last: 0}));
    this.byKind = Map.groupBy(this.lanes, l => l.kind);
    this.byID = new Map(this.lanes.map(l => [l.kind + " " + l.id, l]));
    this.steps.forEach((step, i) => (step.changes || []).forEach(c => this.lanes[c.lane].changes.push({step: i, ...c})));
    for (const l of this.lanes) {
      const n = l.changes.length;
      l.first = n ? l.changes[0].step : 0;
      const final = n && (ended.has(l.changes[n - 1].state) || l.kind === "dial" && l.changes[n - 1].state === "open");
      l.last = final ? l.changes[n - 1].step : this.steps.length - 1;
    }
    // Events that were pending for long: their arrows cross many rows.
    this.long = [];
    this.steps.forEach((s, i) => s.event && i - s.event.since > 40 && this.long.push(i));
    this.failed = new Map();
    for (const f of run.failures || []) this.failed.set(f.step, [...(this.failed.get(f.step) || []), f]);
  }

  // at returns the change that says what the lane is at the step, or undefined.
  at(lane, step) {
    let low = 0, high = lane.changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (lane.changes[middle].step <= step) low = middle + 1; else high = middle;
    }
    return lane.changes[low - 1];
  }

  // present returns the lanes of the kind that are there at the step, with their states.
  present(kind, step) {
    const out = [];
    for (const lane of this.byKind.get(kind) || []) {
      if (lane.first > step || lane.last < step) continue;
      const now = this.at(lane, step);
      if (now) out.push({lane, now});
    }
    return out;
  }

  lane(kind, id) { return this.byID.get(kind + " " + id); }

  source(where) { return where && (this.run.sources || {})[where]; }

  // about returns a step in words: what, when, by which line.
  about(i) {
    const s = this.steps[i];
    if (!s) return "";
    const lines = [s.text, "step " + (i + 1) + ", " + time(s.at)];
    if (s.event && s.event.size) lines.push(bytes(s.event.size));
    if (s.event && s.event.since < i - 1) lines.push("pending since step " + (s.event.since + 1));
    if (s.event && s.event.fault) lines.push("not its normal course: " + (s.event.outcome || "by the test"));
    if (s.where) lines.push(s.where + (this.source(s.where) ? ": " + this.source(s.where) : ""));
    for (const f of this.failed.get(i) || []) lines.push("FAILED: " + f.text);
    return lines.join("\n");
  }
}
