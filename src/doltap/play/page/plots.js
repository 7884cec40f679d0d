// Pictures: the plane with its points, the map of one neuron, and the curves of the losses.

const parse = (text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));

// The colours of the theme, as numbers for pictures and as text for lines.
export function palette() {
  const style = getComputedStyle(document.documentElement);
  const text = (name) => style.getPropertyValue(`--${name}`).trim();
  const names = Array.from({ length: 8 }, (_, number) => text(`class-${number}`));
  return {
    names,
    classes: names.map(parse),
    middle: parse(text("middle")),
    low: parse(text("low")),
    high: parse(text("high")),
    curves: [text("training"), text("test")],
    lowText: text("low"),
    highText: text("high"),
    ink: text("ink"),
    card: text("card"),
    line: text("line"),
    quiet: text("quiet"),
  };
}

export const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

const mixed = (from, to, share) => from.map((value, at) => value + (to[at] - value) * share);

// From -1 to 1, as a colour between low and high.
function between(value, colours) {
  return mixed(colours.middle, value < 0 ? colours.low : colours.high, Math.min(Math.abs(value), 1));
}

function paint(canvas, grid, colourAt) {
  canvas.width = canvas.height = grid;
  const context = canvas.getContext("2d");
  const image = context.createImageData(grid, grid);
  for (let place = 0; place < grid * grid; place++) {
    const [red, green, blue] = colourAt(place);
    image.data.set([red, green, blue, 255], place * 4);
  }
  context.putImageData(image, 0, 0);
}

// Outputs of one neuron: 128 stands for 0.
export function paintMap(canvas, map, grid, colours) {
  paint(canvas, grid, (place) => between((map[place] - 128) / 127, colours));
}

// What the network says: a class and how sure it is, or a value.
export function paintAnswer(canvas, answer, grid, colours) {
  if (answer.values) {
    paintMap(canvas, bytes(answer.values), grid, colours);
    return;
  }
  const classes = bytes(answer.classes);
  const sure = bytes(answer.sure);
  paint(canvas, grid, (place) => mixed(colours.middle, colours.classes[classes[place]], (0.12 + 0.88 * sure[place] / 255) * 0.55));
}

// A canvas with as many dots as the screen has for it.
function sharp(canvas) {
  const scale = window.devicePixelRatio || 1;
  const { width, height } = canvas.getBoundingClientRect();
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  return [context, width, height];
}

// An empty picture.
export function wipe(canvas) {
  sharp(canvas);
}

// The small picture behind, smoothed, and the points over it.
export function drawPlane(canvas, small, points, colours) {
  const [context, width, height] = sharp(canvas);
  context.imageSmoothingQuality = "high";
  if (small.width > 1) context.drawImage(small, 0.5, 0.5, small.width - 1, small.height - 1, 0, 0, width, height);
  for (const [x, y, label, isTest] of points.points) {
    const across = (x / points.span + 1) * width / 2;
    const down = (1 - y / points.span) * height / 2;
    const colour = points.names.length ? colours.names[label] : `rgb(${between(label / 1.5, colours)})`;
    context.beginPath();
    context.arc(across, down, 3.6, 0, 7);
    context.lineWidth = isTest ? 2.2 : 1.2;
    context.fillStyle = isTest ? colours.card : colour;
    context.strokeStyle = isTest ? colour : colours.card;
    context.fill();
    context.stroke();
  }
}

// The losses over the epochs: a full line for the training points, a dashed one for the test points.
export function drawCurves(canvas, history, colours, texts) {
  const [context, width, height] = sharp(canvas);
  const [left, bottom, right, top] = [38, height - 18, width - 6, 6];
  context.font = "11px system-ui, sans-serif";
  context.fillStyle = colours.quiet;
  context.strokeStyle = colours.line;
  context.strokeRect(left, top, right - left, bottom - top);
  const values = history.flatMap(({ loss }) => loss).filter((value) => value !== null);
  if (!values.length) return;
  const most = Math.max(...values) * 1.05 || 1;
  const last = Math.max(history.at(-1).epoch, 1);
  context.textAlign = "right";
  context.fillText(most.toPrecision(2), left - 4, top + 9);
  context.fillText("0", left - 4, bottom);
  context.fillText(`${texts.epoch} ${last}`, right, height - 4);
  for (const part of [0, 1]) {
    context.beginPath();
    context.setLineDash(part ? [5, 3] : []);
    context.lineWidth = 2;
    context.strokeStyle = colours.curves[part];
    for (const { epoch, loss } of history) {
      if (loss[part] === null) continue;
      context.lineTo(left + epoch / last * (right - left), bottom - loss[part] / most * (bottom - top));
    }
    context.stroke();
  }
  context.setLineDash([]);
}
