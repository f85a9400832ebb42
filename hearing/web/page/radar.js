// Draws what sounds around the robot, seen from above with the front up, and the faces in the camera's picture.

const SVG = "http://www.w3.org/2000/svg";
const PERSON_RADIUS = 66, MACHINE_RADIUS = 100, OWN_RADIUS = 33;
const LABEL_RADIUS = 112, LABEL_HEIGHT = 13, HEARD = 0.3;

function draw(parent, tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

// Azimuth grows counter-clockwise from straight ahead.
function place(azimuth, radius) {
  const angle = (azimuth * Math.PI) / 180;
  return { x: -radius * Math.sin(angle), y: -radius * Math.cos(angle) };
}

function look(track) {
  if (track.kind === "noise") return { radius: MACHINE_RADIUS, style: "machine", name: "machine" };
  if (track.kind === "robot") return { radius: OWN_RADIUS, style: "self", name: "loudspeaker" };
  return { radius: PERSON_RADIUS, style: track.colour || "nobody", name: track.speaker || "someone" };
}

// On each side labels are pushed down until none covers another, then up again from the lower edge.
function spread(labels) {
  for (const side of [labels.filter((l) => l.x < 0), labels.filter((l) => l.x >= 0)]) {
    side.sort((a, b) => a.y - b.y);
    for (let i = 1; i < side.length; i++) side[i].y = Math.max(side[i].y, side[i - 1].y + LABEL_HEIGHT);
    let edge = 128;
    for (const label of side.reverse()) {
      label.y = Math.min(label.y, edge);
      edge = label.y - LABEL_HEIGHT;
    }
  }
}

export function drawRadar(group, tracks) {
  group.replaceChildren();
  const labels = [];
  for (const track of tracks) {
    const { radius, style, name } = look(track);
    const at = place(track.azimuth, radius);
    const source = draw(group, "g", { class: `source ${style} ${track.activity < HEARD ? "still" : ""}` });
    draw(source, "circle", { class: "halo", cx: at.x, cy: at.y, r: 7 + 13 * track.activity });
    if (track.kind === "noise") draw(source, "rect", { class: "mark", x: at.x - 5, y: at.y - 5, width: 10, height: 10, rx: 2 });
    else if (track.kind === "robot") draw(source, "path", { class: "mark", d: `M${at.x} ${at.y - 7}l7 12h-14Z` });
    else draw(source, "circle", { class: "mark", cx: at.x, cy: at.y, r: 6 });
    labels.push({ source, at, name, ...place(track.azimuth, LABEL_RADIUS) });
  }
  spread(labels);
  for (const { source, at, name, x, y } of labels) {
    const end = Math.max(-104, Math.min(104, x));
    draw(source, "line", { class: "leader", x1: at.x, y1: at.y, x2: end, y2: y });
    const text = draw(source, "text", { class: "name", x: end + (x < 0 ? -3 : 3), y, "text-anchor": x < 0 ? "end" : "start" }, name);
    const room = 160 - Math.abs(end) - 5;
    if (text.getComputedTextLength() > room) {
      text.setAttribute("textLength", room);
      text.setAttribute("lengthAdjust", "spacingAndGlyphs");
    }
  }
}

// The frame is at least 640 x 480 and grows with what is seen in it.
const frame = { width: 640, height: 480 };

export function drawFaces(svg, group, faces) {
  for (const { box: [left, top, width, height] } of faces) {
    frame.width = Math.max(frame.width, left + width);
    frame.height = Math.max(frame.height, top + height);
  }
  svg.setAttribute("viewBox", `0 0 ${frame.width} ${frame.height}`);
  group.replaceChildren();
  const unit = frame.width / 640;
  for (const face of faces) {
    const [x, y, width, height] = face.box;
    const one = draw(group, "g", { class: face.colour || "nobody" });
    const halo = 24 * unit * face.speaking;
    draw(one, "rect", { class: "halo", x, y, width, height, rx: 8 * unit, "stroke-width": halo });
    draw(one, "rect", { x, y, width, height, rx: 8 * unit, "stroke-width": 3 * unit });
    const says = [face.speaking >= 0.5 ? "speaks" : "", face.facing >= 0.5 ? "looks here" : ""].filter(Boolean);
    const name = `${face.speaker || face.id} · ${face.distance} m`;
    draw(one, "text", { x, y: Math.max(y - 10 * unit, 22 * unit), "font-size": 22 * unit }, name);
    draw(one, "text", { x, y: Math.min(y + height + 24 * unit, frame.height - 6 * unit), "font-size": 19 * unit }, says.join(", "));
  }
}
