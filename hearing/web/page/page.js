// Shows what the server says is new. Everything from outside becomes text, never markup.
import { drawFaces, drawRadar } from "./radar.js";

const AGAIN = 2000, SILENT = 7000; // ms until the next attempt to connect; without a sign of life until it is given up
const KEPT = 600; // s of stream time
const SLOW = 1; // seconds of work per second of sound

const $ = (id) => document.getElementById(id);
const captions = new Map(); // id -> { record, item }
const hidden = new Set();
let source, alive, pictures = 0;

function make(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${String(Math.floor(whole / 60)).padStart(2, "0")}:${String(whole % 60).padStart(2, "0")}`;
}

function connect() {
  source?.close();
  source = new EventSource("events");
  source.addEventListener("hello", (event) => {
    heard();
    $("control").hidden = !JSON.parse(event.data).control;
  });
  source.addEventListener("alive", heard);
  source.onmessage = (event) => {
    heard();
    show(JSON.parse(event.data));
  };
  source.onerror = () => {
    lost();
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, AGAIN);
  };
}

function heard() {
  alive = Date.now();
  $("light").className = "";
  $("notice").textContent = "";
}

function lost() {
  $("light").className = "off";
  $("notice").textContent = "no connection to the robot; trying again …";
}

function show(news) {
  if (news.fresh) {
    captions.clear();
    $("captions").replaceChildren();
  }
  const list = $("captions");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  for (const caption of news.captions) write(caption);
  for (const [id, { record }] of captions) if (record.end < news.time - KEPT) remove(id);
  if (news.captions.length || news.fresh) people();
  drawRadar($("sources"), news.tracks);
  if (news.faces.length || news.picture) $("seen").hidden = false;
  drawFaces($("frame"), $("faces"), news.faces);
  if (news.picture !== pictures) $("picture").setAttribute("href", `picture?${(pictures = news.picture)}`);
  health(news.time, news.health);
  // At last, since what is above may have grown.
  if (atEnd) list.scrollTop = list.scrollHeight;
  else if (news.captions.length) $("latest").hidden = false;
}

function write(record) {
  if (record.gone) return remove(record.id);
  const item = make("li", `${record.colour} ${record.final ? "final" : "partial"}`, "");
  const about = make("div", "about", "");
  about.append(
    make("span", "who", record.speaker),
    make("span", "when", clock(record.start)),
    make("span", "where", `${record.arrow} ${record.azimuth}°`),
  );
  if (record.to_robot) about.append(make("span", "robot", "to the robot"));
  item.append(about, make("div", "text", record.text + (record.final ? "" : " …")));
  item.hidden = hidden.has(record.speaker);
  const before = captions.get(record.id);
  if (before && before.record.start === record.start) before.item.replaceWith(item);
  else {
    before?.item.remove();
    const later = [...captions.values()].filter((c) => c.record.id !== record.id && c.record.start > record.start);
    later.sort((a, b) => a.record.start - b.record.start);
    $("captions").insertBefore(item, later.length ? later[0].item : null);
  }
  captions.set(record.id, { record, item });
}

function remove(id) {
  captions.get(id)?.item.remove();
  captions.delete(id);
}

function people() {
  const colours = new Map();
  for (const { record } of captions.values()) colours.set(record.speaker, record.colour);
  const names = [...colours.keys()].sort();
  const buttons = [...$("people").children];
  if (names.join("\n") === buttons.map((button) => button.textContent).join("\n")) return;
  $("people").replaceChildren(...names.map((name) => {
    const button = make("button", colours.get(name), name);
    button.type = "button";
    button.setAttribute("aria-pressed", hidden.has(name));
    button.onclick = () => {
      if (!hidden.delete(name)) hidden.add(name);
      button.setAttribute("aria-pressed", hidden.has(name));
      for (const { record, item } of captions.values()) item.hidden = hidden.has(record.speaker);
    };
    return button;
  }));
}

function health(time, state) {
  const lines = [["heard", clock(time), false]];
  if (state.latency !== undefined) lines.push(["latency", `${state.latency.toFixed(1)} s`, false]);
  if (state.real_time_factor !== undefined)
    lines.push(["load", `${Math.round(100 * state.real_time_factor)} %`, state.real_time_factor > SLOW]);
  if (state.queue !== undefined) lines.push(["waiting", `${state.queue}`, false]);
  if (state.behind !== undefined) lines.push(["behind", `${state.behind.toFixed(1)} s`, state.behind > 5]);
  $("health").replaceChildren(...lines.map(([name, value, bad]) => {
    const line = make("div", bad ? "bad" : "", "");
    line.append(make("dt", "", name), make("dd", "", value));
    return line;
  }));
  $("faults").replaceChildren(...state.faults.map((fault) => make("li", "", fault)));
  $("levels").replaceChildren(...state.levels_db.map((level) => {
    const bar = make("i", level > -3 ? "loud" : "", "");
    bar.style.backgroundSize = `100% ${Math.max(0, Math.min(100, (100 * (level + 70)) / 70))}%`;
    return bar;
  }));
}

$("captions").addEventListener("scroll", () => {
  const list = $("captions");
  if (list.scrollHeight - list.scrollTop - list.clientHeight < 40) $("latest").hidden = true;
});
$("latest").onclick = () => $("captions").scrollTo({ top: $("captions").scrollHeight });
$("control").onsubmit = async (event) => {
  event.preventDefault();
  const phrases = $("phrases").value.split(",").map((phrase) => phrase.trim()).filter(Boolean);
  try {
    const answer = await fetch("phrases", { method: "POST", body: JSON.stringify({ phrases }) });
    $("answer").textContent = answer.ok ? `expecting ${(await answer.json()).phrases} phrases` : await answer.text();
  } catch {
    $("answer").textContent = "no connection to the robot";
  }
};
// The token is in a cookie by now: it shall not stay in the address, where people copy and photograph it.
if (location.search.includes("token=")) history.replaceState(null, "", location.pathname);
setInterval(() => {
  if (Date.now() - alive > SILENT) {
    lost();
    alive = Date.now();
    connect();
  }
}, 1000);
connect();
