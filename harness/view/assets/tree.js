// The schedules of an exploration: a tree with shared prefixes, and two of them side by side.
import {html, nothing} from "lit-html";

// Tree has the schedules as nodes. A node that has one way on is one with what follows it.
export class Tree {
  constructor(data) {
    this.data = data;
    this.root = {words: [], ways: new Map(), leaf: -1, depth: 0};
    data.schedules.forEach((s, i) => this.insert(s.choices, i));
    this.root = compact(this.root);
    count(this.root, data.schedules);
    this.open = new Set();
    this.reveal(this.root);
    this.picked = [];
  }

  insert(choices, leaf) {
    let node = this.root;
    for (const c of choices) {
      if (!node.ways.has(c)) node.ways.set(c, {words: [c], ways: new Map(), leaf: -1});
      node = node.ways.get(c);
    }
    node.ways.set(-1 - leaf, {words: [], ways: new Map(), leaf}); // a schedule may be the beginning of another
  }

  // reveal opens the ways to what failed or has a timeline, and the first nodes.
  reveal(node, depth = 0) {
    if (depth < 2 || node.failed || node.shown) this.open.add(node);
    for (const way of node.ways) if (way.failed || way.shown || depth < 1) this.reveal(way, depth + 1);
  }

  // visible returns the nodes that are not folded away, in order.
  visible(node = this.root, depth = 0, out = []) {
    out.push({node, depth});
    if (this.open.has(node)) for (const way of node.ways) this.visible(way, depth + 1, out);
    return out;
  }

  text(node) {
    const names = node.words.map(c => this.data.names[c]);
    return names.length > 4 ? names.slice(0, 2).join("; ") + "; … " + (names.length - 3) + " more …; " + names[names.length - 1] : names.join("; ");
  }
}

function compact(node) {
  const ways = [...node.ways.values()].map(compact);
  if (ways.length === 1 && node.leaf < 0) return {...ways[0], words: [...node.words, ...ways[0].words]};
  return {words: node.words, ways, leaf: node.leaf};
}

function count(node, schedules) {
  node.held = node.failed = node.pruned = node.undecided = node.shown = 0; // shown: with a timeline
  if (node.leaf >= 0) node[schedules[node.leaf].result]++;
  if (node.leaf >= 0 && schedules[node.leaf].run) node.shown++;
  for (const way of node.ways) {
    count(way, schedules);
    for (const k of ["held", "failed", "pruned", "undecided", "shown"]) node[k] += way[k];
  }
}

const signs = {held: "✓", failed: "✗", pruned: "✂", undecided: "?"};

// treeView shows the tree; act is told what the reader does.
export function treeView(tree, act) {
  const rows = tree.visible(), most = 3000;
  return html`<section class="tree-page">
    <p class="coverage">${tree.data.coverage}</p>
    ${tree.data.left ? html`<p>${tree.data.left} more schedules ran than the tree shows.</p>` : nothing}
    <p class="legend">${Object.entries(signs).map(([what, sign]) => html`<span class="sign ${what}">${sign}</span> ${what === "pruned" ? "pruned: equal to another" : what} `)}
      <span class="keys">↑ ↓ to move, ← → to fold, Enter for the timeline, Space to pick two</span></p>
    <p class="picked">${tree.picked.length ? html`picked: ${tree.picked.map(i => "schedule " + (i + 1)).join(" and ")}` : "Pick two schedules to see them side by side."}
      ${tree.picked.length === 2 ? html`<a class="button" id="compare" href=${"#/compare/" + tree.picked.join("/")}>side by side</a>` : nothing}</p>
    <div role="tree" aria-label="schedules" @keydown=${e => keys(e, tree, act)}>
      ${rows.slice(0, most).map(({node, depth}, i) => item(tree, node, depth, i, act))}
    </div>
    ${rows.length > most ? html`<p>${rows.length - most} more lines: fold some.</p>` : nothing}
  </section>`;
}

function item(tree, node, depth, i, act) {
  const folded = node.ways.length > 0, open = tree.open.has(node), s = tree.data.schedules[node.leaf];
  const current = tree.current === node || !tree.current && i === 0;
  return html`<div role="treeitem" tabindex=${current ? 0 : -1} aria-level=${depth + 1} aria-expanded=${folded ? String(open) : nothing}
      aria-selected=${String(tree.picked.includes(node.leaf))} class="node ${s ? s.result : ""} ${node.failed ? "leads-to-failure" : ""}" style="padding-left:${depth * 1.2 + 0.4}em"
      @click=${() => { tree.current = node; if (folded) act("fold", node); else if (s) act("pick", node.leaf); }} .node=${node}>
    <span class="fold">${folded ? (open ? "▾" : "▸") : ""}</span>
    ${s ? html`<span class="sign ${s.result}">${signs[s.result]}</span>` : nothing}
    <span class="choices">${tree.text(node) || (s ? "" : "(all)")}</span>
    ${s ? html`<span class="number">schedule ${node.leaf + 1}</span> <span class="outcome">${s.text || ""}</span>
      ${s.run ? html`<a href=${"#/run/" + (s.run - 1)} @click=${e => e.stopPropagation()} tabindex="-1">timeline</a>` : nothing}`
    : html`<span class="counts">${["held", "failed", "pruned", "undecided"].filter(k => node[k]).map(k => html`<span class="sign ${k}">${node[k]} ${signs[k]}</span> `)}</span>`}
  </div>`;
}

function keys(e, tree, act) {
  const items = [...e.currentTarget.querySelectorAll("[role=treeitem]")], at = items.indexOf(e.target.closest("[role=treeitem]"));
  const node = items[at] && items[at].node, s = node && tree.data.schedules[node.leaf];
  const go = i => { const to = items[Math.max(0, Math.min(items.length - 1, i))]; tree.current = to.node; act("move"); to.focus(); };
  switch (e.key) {
    case "ArrowDown": go(at + 1); break;
    case "ArrowUp": go(at - 1); break;
    case "Home": go(0); break;
    case "End": go(items.length - 1); break;
    case "ArrowRight": if (node.ways.length && !tree.open.has(node)) act("fold", node); else go(at + 1); break;
    case "ArrowLeft": if (tree.open.has(node)) act("fold", node); else go(parent(items, at)); break;
    case "Enter": if (s && s.run) location.hash = "#/run/" + (s.run - 1); else if (node.ways.length) act("fold", node); break;
    case " ": if (s) act("pick", node.leaf); break;
    default: return;
  }
  e.preventDefault();
  e.stopPropagation();
}

function parent(items, at) {
  const level = e => Number(e.getAttribute("aria-level"));
  for (let i = at - 1; i >= 0; i--) if (level(items[i]) < level(items[at])) return i;
  return at;
}

// choicesView shows the choices of two schedules, line by line, and where they part. If only one
// of them chooses at gates, these choices are left out.
export function choicesView(data, one, other) {
  const atGate = c => /^(hold )?gate /.test(data.names[c]);
  let [a, b] = [one, other].map(i => data.schedules[i].choices);
  const left = a.some(atGate) !== b.some(atGate);
  if (left) [a, b] = [a, b].map(choices => choices.filter(c => !atGate(c)));
  let same = 0;
  while (same < a.length && same < b.length && a[same] === b[same]) same++;
  const length = Math.max(a.length, b.length), name = c => c === undefined ? "" : data.names[c];
  return html`<details class="pair" open><summary>${same === length ? "The choices are the same." : html`The first <b>${same}</b> choices are the same.`}
      ${left ? "Those at gates, which only one of them makes, are left out." : ""}</summary>
    <table class="choices"><thead><tr><th><th>schedule ${one + 1}: ${data.schedules[one].text || data.schedules[one].result}<th>schedule ${other + 1}: ${data.schedules[other].text || data.schedules[other].result}</tr></thead>
    <tbody>${Array.from({length}, (_, i) => html`<tr class=${i < same ? "same" : i === same ? "parts" : ""}><td>${i + 1}<td>${name(a[i])}<td>${name(b[i])}</tr>`)}</tbody></table></details>`;
}
