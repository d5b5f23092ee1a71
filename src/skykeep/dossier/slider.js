// The time slider of a dossier's page; page_script.py makes what it reads.
"use strict";
(() => {
const $ = (id) => document.getElementById(id);
const scene = JSON.parse($("scene").textContent);
const SVG = document.querySelector("svg.map").namespaceURI;
const slider = $("time"), now = $("now"), when = $("when");
let at = null, timer = null;

function shape(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}
function clock(seconds) {
  let offset = 0;
  for (const [since, ahead] of scene.offsets) if (seconds >= since) offset = ahead;
  return new Date((scene.zero + seconds + offset) * 1000).toISOString().slice(11, 19);
}
const within = (spans, t) => spans.some(([since, until]) => t >= since && until >= t);
function last(rows, t) {
  let found = null;
  for (const row of rows) if (t >= row[0]) found = row;
  return found;
}
function place(track, t) {
  const before = last(track.points, t);
  if (before === null) return null;
  const after = track.points[track.points.indexOf(before) + 1];
  if (t - before[0] > scene.gap) return {point: before, lost: true};
  if (after === undefined) return {point: before, lost: t > before[0]};
  if (after[0] - before[0] > scene.gap) return {point: before, lost: false};
  const share = (t - before[0]) / Math.max(after[0] - before[0], 1e-6);
  return {point: before.map((v, i) => v + share * (after[i] - v)), lost: false};
}
const maps = [...document.querySelectorAll("svg.map")].map((svg) => {
  const box = ["east", "north", "side"].map((name) => Number(svg.dataset[name]));
  const scale = scene.size / box[2];
  return {
    svg, scale, layer: shape("g", {class: "then"}, svg),
    at: (e, n) => [(e - box[0]) * scale, scene.size - (n - box[1]) * scale],
  };
});
const lanes = [...document.querySelectorAll("svg.lanes")].map((svg) => ({
  svg, line: shape("path", {class: "cursor", d: ""}, svg),
}));
function path(map, points) {
  let d = "", before = null;
  for (const p of points) {
    const [x, y] = map.at(p[1], p[2]);
    const start = before === null || p[0] - before > scene.gap;
    d += (start ? "M" : "L") + x.toFixed(1) + " " + y.toFixed(1);
    before = p[0];
  }
  return d;
}
function covered(map, sensor) {
  const [range, from, to] = sensor.cover, [x, y] = map.at(...sensor.at), r = range * map.scale;
  if (to - from >= 360) return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
  const end = (deg) => [x + r * Math.sin(deg * Math.PI / 180), y - r * Math.cos(deg * Math.PI / 180)];
  const wide = ((to - from) % 360 + 360) % 360 > 180 ? 1 : 0;
  return `M${x} ${y}L${end(from).join(" ")}A${r} ${r} 0 ${wide} 1 ${end(to).join(" ")}Z`;
}
function draw(map, t) {
  map.layer.replaceChildren();
  for (const sensor of scene.sensors) {
    const health = last(sensor.health, t), state = health === null ? "unknown" : health[3];
    if ($("cover").checked && sensor.cover !== null)
      shape("path", {d: covered(map, sensor), class: "covers " + state}, map.layer);
  }
  for (const track of scene.tracks) {
    const flown = track.points.filter((p) => t >= p[0]), found = place(track, t);
    if (found === null) continue;
    const {point, lost} = found, [x, y] = map.at(point[1], point[2]);
    const verdict = last(track.verdicts, t), css = verdict === null ? "unjudged" : verdict[4];
    shape("path", {d: path(map, lost ? flown : [...flown, point]), class: "line " + css}, map.layer);
    const r = scene.sigmas * point[4] * map.scale;
    if (!lost) shape("circle", {cx: x, cy: y, r: Math.max(r, 1), class: "doubt now " + css}, map.layer);
    shape("circle", {cx: x, cy: y, r: lost ? 3 : 6, class: "place " + css}, map.layer);
    shape("text", {x: x + 10, y: y - 8}, map.layer).textContent = 
      track.id + (lost ? ", held until " + clock(point[0]) : "");
  }
}
function words(t) {
  const rows = [];
  for (const track of scene.tracks) {
    const found = place(track, t), v = last(track.verdicts, t);
    let said = "not seen yet";
    if (found !== null && found.lost) said = "held until " + clock(found.point[0]);
    else if (found !== null) {
      const within95 = Math.round(scene.sigmas * found.point[4]);
      said = `${Math.round(found.point[3])} m up, its place known within ${within95} m; ` +
        (v === null ? "near no zone yet" : `${v[3].toUpperCase()} (${v[1]}, ${v[2]})`);
    }
    rows.push(["Track " + track.id, said]);
  }
  const held = scene.zones.filter((zone) => within(zone.spans, t)).map((zone) => zone.name);
  rows.push(["Zones that apply", held.join("; ") || "none"]);
  for (const alert of scene.alerts) {
    const step = last(alert.steps, t);
    if (step !== null) rows.push(["Alert " + alert.id, step[1] + (step[2] ? " by " + step[2] : "")]);
  }
  const seeing = scene.sensors.filter((s) => s.seen.some((x) => 2 >= Math.abs(x - t)));
  rows.push(["Seen just now by", seeing.map((s) => s.id).join(", ") || "no sensor"]);
  const dumb = scene.sensors.filter((s) => (last(s.health, t) || [])[3] === "silent");
  if (dumb.length) rows.push(["Silent", dumb.map((s) => s.id).join(", ")]);
  return rows;
}
function say(rows) {
  const list = document.createElement("dl");
  for (const [name, said] of rows) {
    list.append(Object.assign(document.createElement("dt"), {textContent: name}));
    list.append(Object.assign(document.createElement("dd"), {textContent: said}));
  }
  if (list.textContent !== now.textContent) now.replaceChildren(list);
}
function show(t) {
  at = t;
  const all = t === null;
  document.body.classList.toggle("going", !all);
  for (const map of maps) all ? map.layer.replaceChildren() : draw(map, t);
  for (const zone of document.querySelectorAll("[data-zone]")) {
    const known = scene.zones.find((z) => z.id === zone.dataset.zone);
    zone.classList.toggle("off", !all && known !== undefined && !within(known.spans, t));
  }
  for (const row of document.querySelectorAll("[data-at]"))
    row.classList.toggle("later", !all && Number(row.dataset.at) > t);
  for (const {svg, line} of lanes) {
    const x = Number(svg.dataset.left) + Number(svg.dataset.scale) * (all ? 0 : t);
    line.setAttribute("d", all ? "" : `M${x} 18V${svg.dataset.height}`);
  }
  when.textContent = all ? "everything at once" : clock(t);
  slider.setAttribute("aria-valuetext", when.textContent);
  if (all) now.replaceChildren();
  else { slider.value = t; say(words(t)); }
}
function stop() {
  clearInterval(timer);
  timer = null;
  $("play").textContent = "Play";
}
function go(t) { stop(); show(t); }
slider.addEventListener("input", () => go(Number(slider.value)));
$("all").addEventListener("click", () => go(null));
$("next").addEventListener("click", () => {
  const from = at === null ? -1 : at;
  const ahead = scene.moments.filter((m) => m > from + 0.5 && scene.end >= m);
  if (ahead.length) go(Math.ceil(ahead[0]));
});
$("back").addEventListener("click", () => {
  const from = at === null ? scene.end + 1 : at;
  const past = scene.moments.filter((m) => from - 1 > m && m >= 0);
  if (past.length) go(Math.ceil(past[past.length - 1]));
});
$("cover").addEventListener("change", () => { if (at === null) show(0); else show(at); });
$("play").addEventListener("click", () => {
  if (timer !== null) return stop();
  if (at === null || at >= scene.end) show(0);
  const step = Math.max(1, Math.round(scene.end / 400));
  $("play").textContent = "Pause";
  timer = setInterval(() => at >= scene.end ? stop() : show(Math.min(at + step, scene.end)), 120);
});
$("player").hidden = false;
})();
