// The page: what is chosen goes to the server, the frames that come back are drawn.

import { Diagram } from "./network.js";
import { bytes, drawCurves, drawPlane, paintAnswer, paintMap, palette, wipe } from "./plots.js";
import { Closed, Lab, Refused } from "./talk.js";
import { TEXTS, filled } from "./texts.js";

const MOST_LAYERS = 6;
const MOST_UNITS = 8;
const MOST_FILE_BYTES = 5_000_000;
const RATES = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3];
const BATCHES = [1, 5, 10, 20, 50, 100];
const PENALTIES = [0, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1];
const DROPOUTS = [0, 0.1, 0.2, 0.3, 0.5];

const at = (id) => document.getElementById(id);
const setup = {
  data: "circles", count: 200, noise: 0.1, test_percent: 30, seed: 1, features: ["x", "y"], layers: [6, 4],
  activation: "tanh", optimizer: "adam", rate: 0.01, batch_size: 10, l2: 0, dropout: 0,
};

let language = document.documentElement.lang;
let lab, start, table, colours;
let experiment = null; // what the server told of the points
let frame = null;
let history = [];
let isRunning = false;
let status = "isPreparing";
let trouble = null; // texts in both languages
let pointed = null; // the neuron under the pointer
let timer = 0;
let isDirty = false;
let latest = 0; // the number of the last choice that was made here
let early = null; // the last frame that came, perhaps before the answer that tells of its experiment
let told = {}; // the findings that are shown, and since when

const say = (key, values) => filled(TEXTS[language][key], values);
const diagram = new Diagram(at("diagram"), (neuron) => {
  pointed = neuron;
  drawPicture();
});
const small = document.createElement("canvas");

// Words.

function translate() {
  document.documentElement.lang = language;
  document.title = say("title");
  for (const each of document.querySelectorAll("[data-text]")) each.textContent = say(each.dataset.text);
  for (const each of document.querySelectorAll("[data-label]")) each.ariaLabel = say(each.dataset.label);
  at("language").value = language;
  at("run").textContent = say(isRunning ? "pause" : "run");
  fillChoices();
  showLayers();
  showTable();
  showStatus(status);
  showTrouble(trouble);
  if (experiment) showExperiment();
  if (frame) showFrame();
  if (status === "isNothing") showNothing();
  showFindings();
}

function showStatus(key) {
  status = key;
  at("status").textContent = say(key);
}

// `texts` holds the sentence in each language.
function showTrouble(texts) {
  trouble = texts;
  at("trouble").hidden = !texts;
  at("trouble").textContent = texts ? texts[language] : "";
}

const inBoth = (key) => ({ en: TEXTS.en[key], ko: TEXTS.ko[key] });

// Choices.

function options(select, values, textOf, chosen) {
  select.replaceChildren(...values.map((value) => new Option(textOf(value), value)));
  select.value = chosen;
}

function fillChoices() {
  const none = (value) => (value ? String(value) : say("none"));
  options(at("speed"), start.choices.speed, (value) => (value ? String(value) : say("fastest")), at("speed").value || 1);
  options(at("activation"), start.choices.activation, String, setup.activation);
  options(at("optimizer"), start.choices.optimizer, say, setup.optimizer);
  options(at("rate"), RATES, String, setup.rate);
  options(at("batch_size"), BATCHES, String, setup.batch_size);
  options(at("l2"), PENALTIES, none, setup.l2);
  options(at("dropout"), DROPOUTS, none, setup.dropout);
  for (const id of ["count", "noise", "test_percent", "seed"]) {
    at(id).value = setup[id];
    const shown = document.querySelector(`output[for="${id}"]`);
    if (shown) shown.textContent = setup[id];
  }
  fillFieldset("data", "radio", [...start.choices.data, "table"], say, (name) => setup.data === name);
  fillFieldset("features", "checkbox", start.choices.features, String, (name) => setup.features.includes(name));
}

function fillFieldset(id, kind, names, textOf, isChosen) {
  const place = at(id);
  if (place.querySelectorAll("input").length) {
    // The inputs stay, so that the keyboard's place is kept.
    place.querySelectorAll("label").forEach((label, number) => { label.lastChild.textContent = textOf(names[number]); });
    place.querySelectorAll("input").forEach((input) => { input.checked = isChosen(input.value); });
    return;
  }
  place.append(...names.map((name) => {
    const input = Object.assign(document.createElement("input"), { type: kind, name: id, value: name, checked: isChosen(name) });
    const label = document.createElement("label");
    label.append(input, textOf(name));
    return label;
  }));
}

function showLayers() {
  const place = at("layers");
  const inputs = [...place.querySelectorAll("input")];
  if (inputs.length === setup.layers.length && inputs.length) {
    inputs.forEach((input, number) => {
      input.value = setup.layers[number];
      input.ariaLabel = say("neurons", { number: number + 1 });
    });
  } else {
    const empty = document.createElement("span");
    empty.textContent = setup.layers.length ? "" : say("noLayers");
    place.replaceChildren(place.querySelector("legend"), ...setup.layers.map((units, number) => {
      const input = Object.assign(document.createElement("input"), { type: "number", min: 1, max: MOST_UNITS, value: units });
      input.ariaLabel = say("neurons", { number: number + 1 });
      input.dataset.layer = number;
      return input;
    }), empty);
  }
  at("add-layer").disabled = setup.layers.length >= MOST_LAYERS;
  at("remove-layer").disabled = !setup.layers.length;
}

function showTable() {
  const isOwn = setup.data === "table";
  at("own").hidden = !isOwn;
  at("toy-settings").hidden = isOwn;
  at("columns").hidden = !table;
  at("table-name").textContent = table ? say("tableName", table) : "";
  if (!table) return;
  const numbers = table.columns.map((_, number) => number);
  const name = (number) => table.columns[number].name;
  for (const axis of ["x", "y", "label"]) options(at(`column-${axis}`), numbers, name, table.choice[axis]);
  at("is-value").value = table.choice.is_value ? "yes" : "";
}

// What is chosen.

function chooseSoon() {
  isDirty = true;
  clearTimeout(timer);
  timer = setTimeout(choose, 120);
}

async function choose() {
  clearTimeout(timer);
  isDirty = false;
  const mine = ++latest;
  const isLatest = () => mine === latest;
  // Where the choice is refused, what learned before is not to go on unseen.
  if (isRunning) lab.go({ action: "pause" }).catch(() => {});
  setRunning(false);
  showTrouble(null);
  if (setup.data === "table" && !table) {
    showNothing();
    return;
  }
  showStatus("isPreparing");
  const asked = setup.data === "table" ? { ...setup, choice: table.choice } : { ...setup };
  const begun = await attempt(() => lab.choose(asked), isLatest);
  if (!isLatest()) return;
  allowRunning(Boolean(begun));
  if (begun) begin(asked, begun);
  else showNothing();
}

// What was chosen cannot be learned from: nothing of what was there before it is to look like its results.
function showNothing() {
  experiment = frame = early = pointed = null;
  history = [];
  allowRunning(false);
  showStatus("isNothing");
  at("epoch").textContent = 0;
  for (const id of ["loss-0", "loss-1", "accuracy-0", "accuracy-1"]) at(id).textContent = "–";
  for (const id of ["legend", "diagram"]) at(id).replaceChildren();
  for (const id of ["diagram", "picture", "curves"]) at(id).ariaLabel = say("isNothing");
  for (const id of ["picture", "curves"]) wipe(at(id));
  at("signs").hidden = true;
  showFindings();
}

function begin(asked, begun) {
  experiment = { ...begun, features: [...asked.features], layers: [...asked.layers], isValue: !begun.names.length };
  history = [];
  frame = null;
  showExperiment();
  showFindings();
  if (early) take(early);
}

// Whether there is an experiment as it was chosen.
function allowRunning(isAllowed) {
  for (const id of ["run", "step", "show-program"]) at(id).disabled = !isAllowed;
}

// Does something that the server may refuse; nothing comes back then. A refusal that nobody waits for is not shown.
async function attempt(action, isAwaited = () => true) {
  try {
    return await action();
  } catch (error) {
    if (error instanceof Refused) isAwaited() && showTrouble(error.texts);
    else if (error instanceof Closed && error.message === "gone") leave();
    else if (error instanceof Closed) await open();
    else throw error;
  }
}

function setRunning(running) {
  isRunning = running;
  at("run").textContent = say(running ? "pause" : "run");
  if (!running) showFindings();
}

async function go(order) {
  // A choice that was made a moment ago comes first.
  if (isDirty) await choose();
  // What was refused a moment ago is no concern of what goes on.
  if (order.action && order.action !== "pause") showTrouble(null);
  if (order.action) setRunning(order.action === "run");
  if (order.action) showStatus(order.action === "run" ? "isRunning" : "isPaused");
  await attempt(() => lab.go(order));
}

function leave() {
  setRunning(false);
  showStatus("isPaused");
  showTrouble(inBoth("gone"));
  allowRunning(false);
  at("reset").disabled = true;
}

// Drawing.

function showExperiment() {
  at("legend").replaceChildren(...experiment.names.map((name, number) => {
    const item = document.createElement("span");
    const dot = document.createElement("i");
    dot.style.background = colours.names[number];
    // The diagnosis calls classes by their numbers.
    item.append(dot, name === String(number) ? name : `${name} (${number})`);
    return item;
  }), ...["trained", "tested"].map((key) => Object.assign(document.createElement("span"), { textContent: say(key) })));
  const chosen = at("shown").value || "answer";
  const neurons = experiment.layers.flatMap((units, layer) => Array.from({ length: units }, (_, unit) => `${layer},${unit}`));
  options(at("shown"), ["answer", ...neurons], (value) => {
    const [layer, unit] = value.split(",").map((number) => Number(number) + 1);
    return value === "answer" ? say("theAnswer") : say("aNeuron", { layer, unit });
  }, neurons.includes(chosen) ? chosen : "answer");
  at("accuracy").hidden = experiment.isValue;
  at("diagram").ariaLabel = say("diagram", { features: experiment.features.join(", "), layers: experiment.layers.join(", ") || "0" });
  diagram.build(experiment.features, experiment.layers, at("diagram").clientWidth);
  diagram.drawInputs(start.grid, experiment.span, colours);
  if (frame) diagram.draw(frame, start.grid, colours);
}

function showFrame() {
  at("epoch").textContent = frame.epoch;
  for (const name of ["loss", "accuracy"]) {
    for (const part of [0, 1]) {
      const value = frame[name]?.[part] ?? null;
      at(`${name}-${part}`).textContent = value === null ? "–" : value.toFixed(3);
    }
  }
  diagram.draw(frame, start.grid, colours);
  drawPicture();
  drawCurves(at("curves"), history, colours, { epoch: say("epoch") });
  const [train, test] = [0, 1].map((part) => at(`loss-${part}`).textContent);
  at("curves").ariaLabel = say("curves", { train, test });
  showSigns();
  showFindings();
}

function drawPicture() {
  if (!frame) return;
  const value = at("shown").value;
  const neuron = pointed ?? (value === "answer" ? null : value.split(",").map(Number));
  const map = neuron && frame.neurons[neuron[0]]?.[neuron[1]];
  if (map) paintMap(small, bytes(map), start.grid, colours);
  else paintAnswer(small, frame.picture, start.grid, colours);
  diagram.mark(map ? neuron : null);
  drawPlane(at("picture"), small, experiment, colours);
  const what = map ? say("aNeuron", { layer: neuron[0] + 1, unit: neuron[1] + 1 }) : say("theAnswer");
  at("picture").ariaLabel = say("picture", { what, train: experiment.num_train, test: experiment.num_test });
}

const percent = (share) => `${Math.round(share * 100)}%`;
const shortNumber = (value) => (value !== 0 && (value < 0.001 || value >= 10000) ? value.toExponential(1) : value.toPrecision(3));
// How each sign is written, and when it is a bad one; `answer` holds the signs of the last layer.
const SIGNS = [
  ["dead", percent, (share) => share >= 0.5],
  ["saturated", percent, (share) => share >= 0.5],
  ["gradient", shortNumber, (length, answer) => length < answer / 1000],
  ["update", shortNumber, (ratio) => ratio > 0.1],
  ["weight", shortNumber, () => false],
];

function showSigns() {
  at("signs").hidden = !frame.signs.length;
  const cell = (kind, text) => Object.assign(document.createElement(kind), { textContent: text });
  const columns = SIGNS.filter(([name]) => frame.signs.some((signs) => signs[name] != null));
  const head = at("signs").querySelector("thead tr");
  head.replaceChildren(...["layerColumn", ...columns.map(([name]) => name)].map((key) => Object.assign(cell("th", say(key)), { scope: "col" })));
  at("signs").querySelector("tbody").replaceChildren(...frame.signs.map((signs, number) => {
    const row = document.createElement("tr");
    const isLast = number === frame.signs.length - 1;
    const name = isLast ? say("answer") : `${say("layer", { number: number + 1 })} (${signs.activation})`;
    row.append(Object.assign(cell("th", name), { scope: "row" }), ...columns.map(([key, textOf, isAlarming]) => {
      const value = signs[key] ?? null;
      const shown = cell("td", value === null ? "–" : textOf(value));
      if (value !== null && isAlarming(value, frame.signs.at(-1)[key])) {
        shown.className = "alarm";
        shown.textContent += " !";
      }
      return shown;
    }));
    return row;
  }));
}

// The diagnosis. While the network learns its numbers change with every frame, and are shown anew once a second.
function showFindings() {
  const found = frame?.findings;
  const isCalm = isRunning && told.language === language && performance.now() - told.time < 1000;
  if (frame && isCalm) return;
  told = { language, time: performance.now() };
  at("no-findings").textContent = found?.length ? "" : say(found ? "noFindings" : "tooEarly");
  at("findings").replaceChildren(...(found ?? []).map((each) => {
    const item = Object.assign(document.createElement("li"), { className: `severity-${each.severity}` });
    const label = Object.assign(document.createElement("strong"), { textContent: say(`severity${each.severity}`) });
    item.append(label, ` ${each[language]}`);
    return item;
  }));
  // What is read out loud is said once, not with every number that changes.
  const names = found?.map((each) => each.name).join() ?? "";
  if (names !== at("news").dataset.names) at("news").textContent = found?.[0]?.[language] ?? "";
  at("news").dataset.names = names;
}

// Frames.

async function watch() {
  let number = 0;
  const watched = lab;
  while (watched === lab) {
    const next = await attempt(() => watched.frame(number));
    if (next === undefined) return;
    if (next && watched === lab) {
      number = next.number;
      take(next);
    }
    // A page that nobody sees asks for nothing, and so trains nothing.
    await new Promise(requestAnimationFrame);
  }
}

function take(next) {
  early = next;
  if (next.chosen !== experiment?.chosen) return;
  if (next.trouble) {
    showTrouble(next.trouble);
    setRunning(false);
    return;
  }
  frame = next;
  const { epoch, loss } = frame;
  // The first frame comes without vital signs, so that it comes soon.
  if (!history.length || history.at(-1).epoch < epoch) history.push({ epoch, loss });
  // So that long runs stay quick to draw.
  if (history.length > 1200) history = history.filter((_, place) => place % 2 === 0 || place > 1000);
  if (frame.has_diverged) {
    setRunning(false);
    const [en, ko] = ["en", "ko"].map((each) => [TEXTS[each].hasDiverged, ...(frame.findings ?? []).map((found) => found[each])].join(" "));
    showTrouble({ en, ko });
    showStatus("isPaused");
  } else if (status === "isPreparing") {
    showStatus("isReady");
  }
  showFrame();
}

// Beginning.

function listen() {
  const change = (id, action) => at(id).addEventListener("change", action);
  at("run").addEventListener("click", () => go({ action: isRunning ? "pause" : "run" }));
  at("step").addEventListener("click", () => go({ action: "step" }));
  at("reset").addEventListener("click", choose);
  change("speed", () => go({ speed: Number(at("speed").value) }));
  change("rate", () => {
    setup.rate = Number(at("rate").value);
    go({ rate: setup.rate });
  });
  change("language", () => {
    language = at("language").value;
    translate();
  });
  change("shown", drawPicture);
  for (const id of ["activation", "optimizer"]) change(id, () => set({ [id]: at(id).value }));
  for (const id of ["batch_size", "l2", "dropout"]) change(id, () => set({ [id]: Number(at(id).value) }));
  for (const id of ["count", "noise", "test_percent"]) {
    at(id).addEventListener("input", () => {
      document.querySelector(`output[for="${id}"]`).textContent = at(id).value;
      set({ [id]: Number(at(id).value) });
    });
  }
  change("seed", () => set({ seed: whole(at("seed"), 0, 9999) }));
  change("data", (event) => {
    set({ data: event.target.value });
    showTable();
  });
  change("features", () => {
    const features = [...at("features").querySelectorAll("input:checked")].map((input) => input.value);
    // A network needs an input.
    if (features.length) set({ features });
    else fillChoices();
  });
  change("layers", (event) => {
    const layers = [...setup.layers];
    layers[event.target.dataset.layer] = whole(event.target, 1, MOST_UNITS);
    set({ layers });
  });
  at("add-layer").addEventListener("click", () => setLayers([...setup.layers, 4]));
  at("remove-layer").addEventListener("click", () => setLayers(setup.layers.slice(0, -1)));
  change("file", openFile);
  for (const id of ["column-x", "column-y", "column-label", "is-value"]) change(id, chooseColumns);
  at("show-program").addEventListener("click", showProgram);
  at("close").addEventListener("click", () => at("program").close());
  at("copy").addEventListener("click", copyProgram);
  at("save").addEventListener("click", saveProgram);
  addEventListener("pagehide", () => lab.close());
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  addEventListener("resize", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    colours = palette();
    redraw();
  });
}

function redraw() {
  if (experiment) showExperiment();
  if (frame) showFrame();
}

function set(changes) {
  Object.assign(setup, changes);
  chooseSoon();
}

function setLayers(layers) {
  set({ layers });
  showLayers();
  // A button that is switched off would lose the keyboard's place.
  if (document.activeElement.disabled) at(layers.length ? "remove-layer" : "add-layer").focus();
}

// The whole number that was typed, brought into its range.
function whole(input, least, most) {
  const number = Math.min(Math.max(Math.round(Number(input.value)) || least, least), most);
  input.value = number;
  return number;
}

async function openFile() {
  const file = at("file").files[0];
  if (!file) return;
  // Whether it can be read or not: what learns now is of another table.
  if (isRunning) await go({ action: "pause" });
  if (file.size > MOST_FILE_BYTES) showTrouble(inBoth("tooLarge"));
  else await attempt(() => readTable(file));
  // So that the same file can be opened once more when it was mended.
  at("file").value = "";
}

async function readTable(file) {
  const content = await file.arrayBuffer().catch(() => null);
  if (!content) {
    showTrouble(inBoth("unreadable"));
    return;
  }
  table = await lab.table(file.name, content);
  showTable();
  await choose();
}

function chooseColumns() {
  const column = (axis) => Number(at(`column-${axis}`).value);
  table.choice = { x: column("x"), y: column("y"), label: column("label"), is_value: at("is-value").value === "yes" };
  choose();
}

async function showProgram() {
  await go({ action: "pause" });
  await attempt(async () => {
    at("program-text").textContent = await lab.program(language);
    at("copied").textContent = "";
    at("program").showModal();
  });
}

async function copyProgram() {
  try {
    await navigator.clipboard.writeText(at("program-text").textContent);
    at("copied").textContent = say("copied");
  } catch {
    at("copied").textContent = say("notCopied");
  }
}

function saveProgram() {
  const address = URL.createObjectURL(new Blob([at("program-text").textContent], { type: "text/x-python" }));
  Object.assign(document.createElement("a"), { href: address, download: "program.py" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

async function open() {
  experiment = frame = early = null;
  const isFirst = !start;
  await attempt(async () => {
    [lab, start] = await Lab.open();
    table = start.table;
    if (isFirst && table) setup.data = "table";
    if (!isFirst && !table && setup.data === "table") setup.data = "circles";
    translate();
    watch();
    await choose();
  });
}

document.body.dataset.waiting = "";
colours = palette();
await open();
if (start) listen();
delete document.body.dataset.waiting;
