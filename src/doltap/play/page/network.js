// The drawing of the network: a map for each neuron, a line for each weight.

import { bytes, paintAnswer, paintMap } from "./plots.js";

const SIZE = 38;
// Room for the names of the inputs.
const LEFT = 44;
const GAP = 9;
const SVG = "http://www.w3.org/2000/svg";
// What each input is at a place of the plane, for its map.
const INPUTS = {
  x: (x) => x,
  y: (x, y) => y,
  "x²": (x) => x * x,
  "y²": (x, y) => y * y,
  xy: (x, y) => x * y,
  "sin x": (x) => Math.sin(x),
  "sin y": (x, y) => Math.sin(y),
};

export class Diagram {
  // `onChoose` is told which neuron the pointer is on, as [layer, unit], or null.
  constructor(place, onChoose) {
    this.place = place;
    this.onChoose = onChoose;
  }

  // Columns of boxes: the inputs, the hidden layers, the answer.
  build(features, layers, width) {
    const heights = [features.length, ...layers, 1];
    const rows = Math.max(...heights);
    const height = rows * (SIZE + GAP) + 8;
    const room = Math.max(width, LEFT + heights.length * (SIZE + 22));
    const across = (column) => LEFT + column * (room - LEFT - SIZE - 4) / (heights.length - 1);
    const down = (column, row) => 4 + (rows - heights[column]) * (SIZE + GAP) / 2 + row * (SIZE + GAP);
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("width", room);
    svg.setAttribute("height", height);
    // The whole is told as one picture, and each box can be chosen from a list.
    svg.setAttribute("aria-hidden", "true");
    this.lines = heights.slice(1).map((count, column) => this.#lines(svg, heights[column], count, (from, to) => [
      across(column) + SIZE, down(column, from) + SIZE / 2, across(column + 1), down(column + 1, to) + SIZE / 2,
    ]));
    this.boxes = heights.map((count, column) => Array.from({ length: count }, (_, row) => this.#box(across(column), down(column, row), column, row, heights.length)));
    features.forEach((name, row) => this.#caption(svg, LEFT - 8, down(0, row) + SIZE / 2, name));
    this.features = features;
    this.place.replaceChildren(svg, ...this.boxes.flat());
  }

  #lines(svg, inputs, outputs, ends) {
    return Array.from({ length: inputs }, (_, from) => Array.from({ length: outputs }, (_, to) => {
      const [x1, y1, x2, y2] = ends(from, to);
      const line = document.createElementNS(SVG, "path");
      const bend = (x2 - x1) / 2;
      line.setAttribute("d", `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`);
      line.setAttribute("fill", "none");
      svg.append(line);
      return line;
    }));
  }

  #box(left, top, column, row, columns) {
    const canvas = document.createElement("canvas");
    canvas.ariaHidden = "true";
    Object.assign(canvas.style, { left: `${left}px`, top: `${top}px`, width: `${SIZE}px`, height: `${SIZE}px` });
    if (column > 0 && column < columns - 1) {
      canvas.addEventListener("pointerenter", () => this.onChoose([column - 1, row]));
      canvas.addEventListener("pointerleave", () => this.onChoose(null));
    }
    return canvas;
  }

  #caption(svg, x, y, text) {
    const caption = document.createElementNS(SVG, "text");
    caption.setAttribute("x", x);
    caption.setAttribute("y", y + 4);
    caption.setAttribute("text-anchor", "end");
    caption.textContent = text;
    svg.append(caption);
  }

  // The inputs never change while the network learns.
  drawInputs(grid, span, colours) {
    this.features.forEach((name, row) => {
      const values = Array.from({ length: grid * grid }, (_, place) => INPUTS[name](
        (place % grid / (grid - 1) * 2 - 1) * span,
        (1 - Math.floor(place / grid) / (grid - 1) * 2) * span,
      ));
      const most = Math.max(...values.map(Math.abs)) || 1;
      paintMap(this.boxes[0][row], values.map((value) => 128 + value / most * 127), grid, colours);
    });
  }

  draw(frame, grid, colours) {
    frame.neurons.forEach((layer, number) => layer.forEach((map, unit) => {
      paintMap(this.boxes[number + 1][unit], bytes(map), grid, colours);
    }));
    paintAnswer(this.boxes.at(-1)[0], frame.picture, grid, colours);
    frame.weights.forEach((kernel, number) => this.#drawWeights(this.lines[number], kernel, colours));
  }

  #drawWeights(lines, kernel, colours) {
    const most = Math.max(1, ...kernel.flat().map(Math.abs));
    lines.forEach((row, from) => row.forEach((line, to) => {
      // Several classes have an output each, but one box: the strongest weight stands for all.
      const several = kernel[from].length > row.length;
      const weight = several ? kernel[from].reduce((one, two) => (Math.abs(two) > Math.abs(one) ? two : one)) : kernel[from][to];
      const strength = Math.abs(weight) / most;
      line.setAttribute("stroke", weight < 0 ? colours.lowText : colours.highText);
      line.setAttribute("stroke-width", (0.5 + 5 * strength).toFixed(2));
      line.setAttribute("stroke-opacity", (0.25 + 0.6 * strength).toFixed(2));
    }));
  }

  mark(neuron) {
    this.boxes.flat().forEach((box) => box.classList.remove("chosen"));
    if (neuron) this.boxes[neuron[0] + 1]?.[neuron[1]]?.classList.add("chosen");
  }
}
