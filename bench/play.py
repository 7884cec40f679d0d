"""How many pictures a second the playground draws: 200 points, three layers of eight, an epoch a picture.

Counted by asking the server as the page does, and in headless Chromium. Ends with
status 1 when the page draws fewer than ten.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import pathlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from doltap.play.server import Playground

_WANTED = 10
_SECONDS = 5.0
_SETUP = {"data": "spiral", "count": 200, "layers": [8, 8, 8], "activation": "relu"}
_CLICKED = """
const at = (id) => document.getElementById(id);
at("data").querySelector("[value=spiral]").click();
at("add-layer").click();
at("activation").value = "relu";
at("activation").dispatchEvent(new Event("change"));
const layers = [...document.querySelectorAll("#layers input")];
for (const layer of layers) {
  layer.value = 8;
  layer.dispatchEvent(new Event("change", { bubbles: true }));
}
return layers.length;
"""


def _of_the_server(playground: Playground, seconds: float) -> float:
    connection = http.client.HTTPConnection(*playground.server_address[:2])
    root = f"/{playground.token}/"

    def ask(path: str, body: str | None = None) -> dict:
        connection.request("GET" if body is None else "POST", root + path, body)
        answer = connection.getresponse()
        content = answer.read()
        return json.loads(content) if answer.status == 200 else {}

    lab = f"labs/{ask('labs', '')['lab']}"
    ask(f"{lab}/setup", json.dumps(_SETUP))
    ask(f"{lab}/go", json.dumps({"action": "run"}))
    return _steady(lambda number: ask(f"{lab}/frame?after={number}").get("number", number), seconds)


def _steady(next_number: Callable[[int], int], seconds: float) -> float:
    """Pictures a second, once everything is compiled."""
    number = 0
    while number < 20:
        number = next_number(number)
    first, began = number, time.perf_counter()
    while time.perf_counter() - began < seconds:
        number = next_number(number)
    return (number - first) / (time.perf_counter() - began)


def _of_the_page(playground: Playground, seconds: float) -> float:
    """Epochs are pictures here, as one is trained for each."""
    with _driven() as browser:
        browser.open(playground.address, width=1400, height=1000)
        time.sleep(2)
        assert browser.run(_CLICKED) == 3
        time.sleep(3)
        browser.run("document.getElementById('run').click()")

        def epoch(shown: int) -> int:
            time.sleep(0.1)
            return int(browser.run("return document.getElementById('epoch').textContent"))

        return _steady(epoch, seconds)


@contextlib.contextmanager
def _driven() -> Iterator[Any]:
    sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tests"))
    import browser

    with browser.started() as started:
        yield started


def main() -> int:
    playground = Playground()
    threading.Thread(target=playground.serve_forever, daemon=True).start()
    try:
        print(f"the server alone: {_of_the_server(playground, _SECONDS):.0f} pictures a second")
        drawn = _of_the_page(playground, _SECONDS)
        print(f"in Chromium: {drawn:.0f} pictures a second (wanted: {_WANTED})")
    finally:
        playground.shutdown()
        playground.close()
    return int(drawn < _WANTED)


if __name__ == "__main__":
    sys.exit(main())
