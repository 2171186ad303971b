// Charts as pictures: each gets a button that draws it on a canvas as it stands on the screen, and saves it as PNG.
// The page's policy allows no inline style, so what the style sheets say is written down as plain attributes.

const DRAWN = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "opacity",
  "font-family", "font-size", "font-weight", "text-anchor",
];
const SVG = "http://www.w3.org/2000/svg";
const SCALE = 3;
const TITLE = 28;
const ROW = 20;
const KEY = "12px";
const label = document.querySelector('meta[name="chart-save"]')?.content;

for (const chart of document.querySelectorAll("svg.chart")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "chart-save quiet";
  button.textContent = label;
  button.setAttribute("aria-label", `${label}: ${chart.getAttribute("aria-label")}`);
  button.addEventListener("click", () => save(chart, button));
  // Chart and button are one field of a grid.
  const field = document.createElement("div");
  field.className = "chart-field";
  chart.replaceWith(field);
  field.append(chart, button);
}

async function save(chart, button) {
  button.disabled = true;
  try {
    const picture = await picture_of(chart);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(picture);
    link.download = `${file_name(chart.getAttribute("aria-label") ?? "chart")}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } finally {
    button.disabled = false;
  }
}

async function picture_of(chart) {
  const { width, height } = chart.viewBox.baseVal;
  const { marks, rows } = key_of(chart, width);
  const above = TITLE + rows * ROW;
  const copy = with_looks(chart);
  copy.setAttribute("xmlns", SVG);
  copy.setAttribute("width", width * SCALE);
  copy.setAttribute("height", (height + above) * SCALE);
  copy.setAttribute("viewBox", `0 ${-above} ${width} ${height + above}`);
  copy.append(line_of(`${chart.getAttribute("aria-label") ?? ""}${span()}`, { x: 4, y: 18 - above, size: 14, weight: 600 }));
  for (const mark of marks) {
    mark.setAttribute("transform", `translate(0 ${TITLE - above})`);
    copy.append(mark);
  }
  const fills = patterns(copy);
  if (fills) copy.prepend(fills);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  const pen = canvas.getContext("2d");
  pen.fillStyle = ground_of(chart);
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0);
  return new Promise((done, failed) => {
    canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("no picture"))), "image/png");
  });
}

// A copy in which every element carries its looks itself; links lead nowhere in a picture.
function with_looks(element) {
  const copy = element.cloneNode(false);
  for (const name of ["class", "href", "tabindex", "role"]) copy.removeAttribute(name);
  const looks = getComputedStyle(element);
  for (const name of DRAWN) {
    const value = looks.getPropertyValue(name);
    // A pattern's address is written down whole by some browsers.
    if (value && value !== "none") copy.setAttribute(name, value.replace(/url\("?[^"#)]*#([^")]+)"?\)/, "url(#$1)"));
    else if (value === "none") copy.setAttribute(name, "none");
  }
  for (const child of element.childNodes) {
    copy.append(child.nodeType === Node.ELEMENT_NODE ? with_looks(child) : child.cloneNode(true));
  }
  return copy;
}

function patterns(copy) {
  const wanted = new Set([...copy.querySelectorAll("[fill^='url']")].map((each) => each.getAttribute("fill").slice(5, -1)));
  if (!wanted.size) return null;
  const defs = document.createElementNS(SVG, "defs");
  for (const id of wanted) {
    const pattern = document.getElementById(id);
    if (!pattern) continue;
    const own = with_looks(pattern);
    own.setAttribute("id", id);
    defs.append(own);
  }
  return defs;
}

// What the chart stands on: a picture has no page behind it.
function ground_of(element) {
  for (let each = element; each; each = each.parentElement) {
    const colour = getComputedStyle(each).backgroundColor;
    if (!/^(transparent|rgba\(.*, 0\))$/.test(colour)) return colour;
  }
  return "white";
}

// The key of the series stands beside the chart on the page, and above it in the picture.
function key_of(chart, width) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `${KEY} ${getComputedStyle(document.body).fontFamily}`;
  const marks = [];
  let [x, row] = [4, 0];
  for (const item of chart.closest("section, figure")?.querySelectorAll(".series-key li") ?? []) {
    const swatch = item.querySelector("svg");
    const room = swatch.width.baseVal.value;
    const text = item.textContent.trim();
    const wide = room + 6 + pen.measureText(text).width + 16;
    if (x > 4 && x + wide > width) [x, row] = [4, row + 1];
    const mark = document.createElementNS(SVG, "g");
    const drawn = document.createElementNS(SVG, "g");
    drawn.setAttribute("transform", `translate(${x} ${row * ROW})`);
    drawn.append(...[...swatch.children].map(with_looks));
    mark.append(drawn, line_of(text, { x: x + room + 6, y: row * ROW + 11, size: 12, weight: 400 }));
    marks.push(mark);
    x += wide;
  }
  return { marks, rows: marks.length ? row + 1 : 0 };
}

function line_of(words, { x, y, size, weight }) {
  const text = document.createElementNS(SVG, "text");
  const looks = getComputedStyle(document.body);
  const said = { x, y, "font-size": size, "font-weight": weight, "font-family": looks.fontFamily, fill: looks.color };
  for (const [name, value] of Object.entries(said)) text.setAttribute(name, value);
  text.textContent = words;
  return text;
}

// The days of the page: a picture leaves it.
function span() {
  const [first, last] = ["first", "last"].map((name) => document.querySelector(`.span-form [name="${name}"]`)?.value);
  return first && last ? `  ${first} – ${last}` : "";
}

function file_name(text) {
  return `${text}${span()}`.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 80);
}
