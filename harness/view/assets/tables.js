// What stands beside a timeline: the step, and what everything is at it.
import {html, nothing} from "lit-html";
import {time, bytes, payload} from "model";

export function tables(model, step) {
  return html`${about(model, step)} ${netstat(model, step)} ${pool(model, step)} ${operations(model, step)} ${timers(model, step)}`;
}

function about(model, step) {
  const s = model.steps[step];
  if (!s) return html`<section><p>Nothing happened.</p></section>`;
  const e = s.event, source = model.source(s.where), bad = model.failed.get(step) || [];
  const got = e && e.bytes && payload(e.bytes, 2000);
  return html`<section class="about"><h2>Step ${step + 1} <small>${time(s.at)}</small></h2>
    <p class="what ${s.kind}">${s.text}</p>
    ${bad.map(f => html`<p class="failure">${f.text}</p>`)}
    <dl>
      ${e && e.since < step - 1 ? html`<dt>pending since</dt><dd>step ${e.since + 1}</dd>` : nothing}
      ${e && e.fault ? html`<dt>course</dt><dd>⚡ ${e.outcome || "by the test"}</dd>` : nothing}
      ${s.where ? html`<dt>line</dt><dd><code>${s.where}</code></dd>` : nothing}
      ${source ? html`<dt></dt><dd><code>${source}</code></dd>` : nothing}
      ${e && e.size ? html`<dt>bytes</dt><dd>${bytes(e.size)}</dd>` : nothing}
    </dl>
    ${got && !got.binary ? html`<pre>${got.text}${got.cut ? "\n…" : ""}</pre>` : nothing}
    ${(s.changes || []).length ? html`<ul class="changes">${s.changes.map(c => change(model, c))}</ul>` : nothing}
  </section>`;
}

function change(model, c) {
  const lane = model.lanes[c.lane];
  if (lane.kind === "pool") return nothing;
  return html`<li><b>${lane.id}</b> ${c.state || "gone"} ${c.note || ""}</li>`;
}

function netstat(model, step) {
  const conns = model.present("conn", step);
  return html`<section><h2>Connections</h2>${conns.length ? html`<table class="netstat">
    <thead><tr><th>conn<th>to<th>for<th>is<th>client<th>server<th>→server<th>→client</tr></thead>
    <tbody>${conns.map(({lane, now}) => html`<tr><td>${lane.id}<td>${lane.title}<td>${lane.owner || "-"}
      <td class="is"><i class="dot ${dot(now.state)}"></i>${now.state || "gone"}${now.note ? html` <small>${now.note}</small>` : nothing}
      <td>${now.ends ? now.ends[0] : ""}<td>${now.ends ? now.ends[1] : ""}
      <td>${now.queues ? now.queues[0].join("+") : ""}<td>${now.queues ? now.queues[1].join("+") : ""}</tr>`)}</tbody></table>
    <p class="legend">* not closed by the program; bytes in flight+unread</p>` : html`<p class="none">none</p>`}</section>`;
}

function pool(model, step) {
  const hosts = model.present("pool", step), dials = model.present("dial", step).filter(d => d.now.state === "dialing");
  return html`<section><h2>Hosts</h2>${hosts.length ? html`<table class="pool">
    <thead><tr><th>host<th><i class="dot idle"></i>idle<th><i class="dot in-use"></i>in use<th><i class="dot dialing"></i>dialing<th><i class="dot waiting"></i>waiting</tr></thead>
    <tbody>${hosts.map(({lane, now}) => html`<tr><td>${lane.id}</td>${now.counts.map(n => html`<td class=${n ? "" : "zero"}>${n}</td>`)}</tr>`)}</tbody></table>`
    : html`<p class="none">none</p>`}
    ${dials.length ? html`<p>dialing: ${dials.map(({lane}) => lane.id + " to " + lane.title + (lane.owner ? " for " + lane.owner : "")).join("; ")}</p>` : nothing}</section>`;
}

function operations(model, step) {
  const ops = model.present("op", step);
  return html`<section><h2>Operations</h2>${ops.length ? html`<table class="ops"><tbody>${ops.map(({lane, now}) => html`
    <tr><td>${lane.id}<td><i class="dot ${dot(now.state)}"></i>${now.state} <small>${now.note || ""}</small><td>${lane.title}<td><code>${lane.where || ""}</code></tr>`)}</tbody></table>`
    : html`<p class="none">none under way</p>`}</section>`;
}

function timers(model, step) {
  const timers = model.present("timer", step);
  return timers.length ? html`<section><h2>Timers</h2><table><tbody>${timers.map(({lane, now}) => html`
    <tr><td>${lane.id}<td>${now.state}<td>${now.note || ""}</tr>`)}</tbody></table></section>` : nothing;
}

const dot = state => (state || "gone").replace(/\W+/g, "-");
