// The matrix of a conformance check: cases by subjects, each cell leading to its timelines.
import {html, nothing} from "lit-html";

const order = ["failed", "quirk", "undecided", "held", "n/a"];

export function matrixView(matrix, filter, onFilter) {
  const shown = matrix.cases.filter(c => c.name.includes(filter.text) && (!filter.state || c.cells.some(cell => cell.state === filter.state)));
  const totals = new Map();
  for (const c of matrix.cases) for (const cell of c.cells) totals.set(cell.state, (totals.get(cell.state) || 0) + 1);
  return html`<section class="matrix-page">
    <p class="filters"><label>case <input type="search" id="filter" .value=${filter.text} @input=${e => onFilter({...filter, text: e.target.value})}></label>
      ${order.filter(s => totals.has(s)).map(s => html`<button class="state ${slug(s)}" aria-pressed=${String(filter.state === s)}
        @click=${() => onFilter({...filter, state: filter.state === s ? "" : s})}>${totals.get(s)} ${s}</button>`)}
      <span>${shown.length} of ${matrix.cases.length} cases</span></p>
    <table class="matrix"><thead><tr><th scope="col">case</th>${matrix.subjects.map(s => html`<th scope="col">${s}</th>`)}<th scope="col">claim</th></tr></thead>
    <tbody>${shown.map(c => html`<tr><th scope="row">${c.name}</th>${c.cells.map(cell)}<td class="claim">${c.claim}</td></tr>`)}</tbody></table></section>`;
}

function cell(c) {
  const runs = c.runs || [], word = c.state + (c.schedules > 1 ? " " + c.schedules : "");
  return html`<td class="cell ${slug(c.state)}" title=${c.text || nothing}>${runs.length ? html`<a href=${"#/run/" + runs[0]}>${word}</a>` : word}</td>`;
}

const slug = s => s.replace(/\W+/g, "-");
