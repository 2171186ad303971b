// Charts as pictures: each gets a button that draws it on a canvas as it stands on the screen, and saves it as PNG.
// The page's policy allows no inline style, so what the style sheets say is written down as plain attributes.

const DRAWN = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "opacity",
  "font-family", "font-size", "font-weight", "text-anchor",
];
const SVG = "http://www.w3.org/2000/svg";
const SCALE = 3;
const TITLE = 28;
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
  const copy = with_looks(chart);
  copy.setAttribute("xmlns", SVG);
  copy.setAttribute("width", width * SCALE);
  copy.setAttribute("height", (height + TITLE) * SCALE);
  copy.setAttribute("viewBox", `0 ${-TITLE} ${width} ${height + TITLE}`);
  copy.append(...title(chart));
  const fills = patterns(copy);
  if (fills) copy.prepend(fills);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  const pen = canvas.getContext("2d");
  pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--paper") || "white";
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

function title(chart) {
  const text = document.createElementNS(SVG, "text");
  const looks = getComputedStyle(document.body);
  text.setAttribute("x", 4);
  text.setAttribute("y", -10);
  text.setAttribute("font-size", 14);
  text.setAttribute("font-weight", 600);
  text.setAttribute("font-family", looks.fontFamily);
  text.setAttribute("fill", looks.color);
  text.textContent = `${chart.getAttribute("aria-label") ?? ""}${span()}`;
  return [text];
}

// The days of the page: a picture leaves it.
function span() {
  const [first, last] = ["first", "last"].map((name) => document.querySelector(`.span-form [name="${name}"]`)?.value);
  return first && last ? `  ${first} – ${last}` : "";
}

function file_name(text) {
  return `${text}${span()}`.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 80);
}
