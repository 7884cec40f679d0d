// How the page talks to the server it came from. The token is part of the page's own address.

const LONGEST_WAIT_MS = 60_000;
const base = new URL(".", location.href);

// Something was refused, with the reason in each language.
export class Refused extends Error {
  constructor(texts) {
    super(texts.en);
    this.texts = texts;
  }
}

// The lab of this page is no longer there; "gone" when the server itself is.
export class Closed extends Error {}

// What the server answers: JSON as objects, other things as text, null for nothing.
async function ask(path, options) {
  let answer;
  try {
    // A server that does not answer for so long has been stopped.
    answer = await fetch(new URL(path, base), { signal: AbortSignal.timeout(LONGEST_WAIT_MS), ...options });
  } catch {
    throw new Closed("gone");
  }
  // Another playground, started later on the same port, has another token.
  if (answer.status === 403) throw new Closed("gone");
  if (answer.status === 410) throw new Closed("lab");
  if (!answer.ok) throw new Error(await answer.text());
  if (answer.status === 204) return null;
  if (answer.headers.get("Content-Type") !== "application/json") return answer.text();
  const told = await answer.json();
  if (told.refused) throw new Refused(told.refused);
  return told;
}

export class Lab {
  static async open() {
    const start = await ask("labs", { method: "POST" });
    return [new Lab(start.lab), start];
  }

  constructor(name) {
    this.path = `labs/${name}`;
    this.last = Promise.resolve();
  }

  // Orders arrive in the order in which they were given.
  #post(what, body) {
    const sent = this.last.then(() => ask(`${this.path}/${what}`, { method: "POST", body }));
    this.last = sent.catch(() => {});
    return sent;
  }

  choose(setup) {
    return this.#post("setup", JSON.stringify(setup));
  }

  go(order) {
    return this.#post("go", JSON.stringify(order));
  }

  table(name, content) {
    return this.#post(`table?name=${encodeURIComponent(name)}`, content);
  }

  // The frame after this number, or null where none came for a while.
  frame(number) {
    return ask(`${this.path}/frame?after=${number}`);
  }

  program(language) {
    return ask(`${this.path}/program?language=${language}`);
  }

  close() {
    navigator.sendBeacon(new URL(`${this.path}/close`, base));
  }
}
