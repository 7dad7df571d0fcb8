// Where each lane stands. Time goes down, a row for each step; a lane has a column. Lanes that are
// not there at the same time share one where there are many.

export const row = 20;
const most = 12; // lanes of a kind that each have a column of their own

export const kinds = [
  {kind: "op", title: "operations", width: 40},
  {kind: "dial", title: "dials", width: 34},
  {kind: "conn", title: "connections", width: 132},
  {kind: "pool", title: "hosts", width: 84},
  {kind: "timer", title: "timers", width: 34},
];

// layout gives each lane of the model its x, and returns the groups of columns and the
// width of all.
export function layout(model) {
  let x = 10;
  const groups = [];
  for (const {kind, title, width} of kinds) {
    const lanes = model.lanes.filter(l => l.kind === kind && l.changes.length).sort((a, b) => a.first - b.first);
    if (!lanes.length) continue;
    const columns = []; // the last step of the lane that is in it
    for (const lane of lanes) {
      let c = lanes.length <= most ? -1 : columns.findIndex(last => last < lane.first - 1);
      if (c < 0) c = columns.push(0) - 1;
      columns[c] = lane.last;
      lane.x = x + c * (width + 4);
      lane.width = width;
    }
    groups.push({kind, title, x, width: columns.length * (width + 4) - 4, lanes, shared: columns.length < lanes.length});
    x += columns.length * (width + 4) + 14;
  }
  return {groups, width: x};
}

export const y = step => step * row;
export const middle = step => step * row + row / 2;

// ends returns the x of both ends of a connection.
export const ends = lane => ({client: lane.x + 16, server: lane.x + lane.width - 16});
