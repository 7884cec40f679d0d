"""The playground's server: who is answered, and what a page can ask for."""

from __future__ import annotations

import http.client
import importlib.resources
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from serving import LONGEST_WAIT_SECONDS, served

from doltap import cli
from doltap.play.server import Playground

ROOT = pathlib.Path(__file__).parent.parent.parent
PAGE = ["index.html", "style.css", "main.js", "texts.js", "network.js", "plots.js", "talk.js", "icon.svg"]
TABLE = "a,b,kind\n" + "".join(f"{i},{i * i % 7},{'yes' if i % 2 else 'no'}\n" for i in range(12))


class Page:
    """Asks the server as the page does, or not quite."""

    def __init__(self, playground):
        self.playground, self.port = playground, playground.server_address[1]
        self.root = f"/{playground.token}/"

    def ask(self, path="", body=None, *, root=None, method=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        body = json.dumps(body) if isinstance(body, (dict, list)) else body
        method = method or ("GET" if body is None else "POST")
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, (self.root if root is None else root) + path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer, content

    def told(self, path, body=None):
        answer, content = self.ask(path, body)
        assert answer.status == 200, content
        return json.loads(content)

    def new_lab(self):
        return f"labs/{self.told('labs', '')['lab']}"

    def frame(self, lab, after=0, until=lambda frame: True):
        """The first frame of which this holds."""
        end = time.monotonic() + LONGEST_WAIT_SECONDS
        while time.monotonic() < end:
            answer, content = self.ask(f"{lab}/frame?after={after}")
            if answer.status == 200:
                frame = json.loads(content)
                if until(frame):
                    return frame
                after = frame["number"]
        raise AssertionError("no such frame came")

    def ready(self, lab):
        """The frame of an experiment that waits to be run."""
        return self.frame(lab, until=lambda frame: frame["signs"])


@pytest.fixture(scope="module")
def page():
    with served(Playground(language="ko")) as playground:
        yield Page(playground)


def test_the_server_listens_on_this_machine_only(page):
    assert page.playground.server_address[0] == "127.0.0.1"


def test_the_page_comes_in_its_language_and_may_load_nothing_from_elsewhere(page):
    answer, content = page.ask()
    assert answer.status == 200
    assert b'<html lang="ko">' in content
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.findall(rb"https?://", content)


@pytest.mark.parametrize("name", PAGE)
def test_every_file_of_the_page_is_served(page, name):
    answer, content = page.ask(name)
    assert answer.status == 200
    assert content == (ROOT / "src/doltap/play/page" / name).read_bytes().replace(
        b'lang="en"', b'lang="ko"', 1 if name == "index.html" else 0
    )


def test_the_files_of_the_page_are_those_listed_here():
    folder = importlib.resources.files("doltap.play") / "page"
    assert sorted(each.name for each in folder.iterdir()) == sorted(PAGE)


def test_the_files_of_the_page_are_part_of_the_package():
    code = (
        "from setuptools import Distribution; d = Distribution({'script_name': 'x'}); d.parse_config_files();"
        "command = d.get_command_obj('build_py'); command.ensure_finalized();"
        "print(*[f'{to}/{name}' for _, _, to, names in command.data_files for name in names], sep='\\n')"
    )
    listed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    for name in PAGE:
        assert re.search(rf"/doltap/play/(\./)?page/{re.escape(name)}\n", listed.stdout), name


@pytest.mark.parametrize("root", ["/", "/wrong/", "//", "/%C3%A9/", ""])
@pytest.mark.parametrize("path", ["", "main.js", "labs"])
def test_without_the_token_nothing_is_told(page, root, path):
    for method in ("GET", "POST"):
        answer, content = page.ask(path, method=method, root=root or page.root[:-2] + "/")
        assert answer.status == 403
        assert page.playground.token.encode() not in content


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example", ""])
def test_an_address_of_another_name_is_refused(page, host):
    answer, _ = page.ask(Host=host)
    assert answer.status == 403


def test_localhost_is_this_machine(page):
    assert page.ask(Host=f"localhost:{page.port}")[0].status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1"])
def test_another_site_may_not_ask(page, origin):
    assert page.ask("labs", "", Origin=origin)[0].status == 403


def test_the_pages_own_origin_may_ask(page):
    assert page.ask("labs", "", Origin=f"http://127.0.0.1:{page.port}")[0].status == 200


@pytest.mark.parametrize("path", ["../../pyproject.toml", "%2e%2e/server.py", "/etc/passwd", "page/main.js"])
def test_no_other_file_is_served(page, path):
    assert page.ask(path)[0].status == 404


@pytest.mark.parametrize("path", ["labs/nobody/frame?after=0", "labs/nobody/program?language=en"])
def test_a_lab_that_is_not_there_is_gone(page, path):
    assert page.ask(path)[0].status == 410


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("setup", "{"),
        ("setup", "[" * 50_000),
        ("setup", b"\xff\xfe"),
        ("go", "[]"),
        ("table", "a,b,kind"),
    ],
    ids=["half", "deep", "bytes", "list", "nameless table"],
)
def test_what_no_page_sends_is_refused(page, what, body):
    assert page.ask(f"{page.new_lab()}/{what}", body)[0].status == 400


def test_a_body_that_is_too_large_is_refused_unread(page):
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=60)
    connection.putrequest("POST", f"{page.root}{page.new_lab()}/table?name=large.csv")
    connection.putheader("Content-Length", str(10**9))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.headers["Connection"] == "close"
    assert "5 megabytes" in json.loads(answer.read())["refused"]["en"]
    connection.close()


def test_an_experiment_runs_pauses_and_makes_steps(page):
    lab = page.new_lab()
    told = page.told(f"{lab}/setup", {"count": 20, "layers": [2]})
    assert len(told["points"]) == 20
    quick = page.frame(lab)
    assert quick["signs"] == []
    first = page.ready(lab)
    assert len(first["signs"]) == 2
    assert (first["epoch"], first["chosen"], first["is_running"]) == (0, told["chosen"], False)
    page.told(f"{lab}/go", {"action": "step"})
    assert page.frame(lab, first["number"])["epoch"] == 1
    page.told(f"{lab}/go", {"action": "run", "speed": 5})
    running = page.frame(lab, first["number"], lambda frame: frame["epoch"] > 20)
    assert running["epoch"] % 5 == 1
    page.told(f"{lab}/go", {"action": "pause"})
    time.sleep(0.3)
    paused = page.frame(lab, running["number"] - 1)
    assert page.ask(f"{lab}/frame?after={paused['number']}")[0].status == 204
    page.told(f"{lab}/go", {"rate": 0.5})
    assert page.frame(lab, paused["number"])["rate"] == 0.5
    _, text = page.ask(f"{lab}/program?language=ko")
    assert f"epochs={paused['epoch']}" in text.decode()


def test_a_page_that_asks_for_no_frame_trains_nothing(page):
    lab = page.new_lab()
    page.told(f"{lab}/setup", {"count": 20, "layers": [1]})
    number = page.ready(lab)["number"]
    page.told(f"{lab}/go", {"action": "run"})
    page.frame(lab, number)
    time.sleep(0.5)
    assert page.frame(lab, 0)["number"] <= number + 2


def test_as_fast_as_it_goes_is_many_epochs_a_frame(page):
    lab = page.new_lab()
    page.told(f"{lab}/setup", {"count": 20, "layers": [1]})
    page.told(f"{lab}/go", {"action": "run", "speed": 0})
    one = page.frame(lab, 0, lambda frame: frame["epoch"] > 10)
    assert page.frame(lab, one["number"])["epoch"] - one["epoch"] > 5


def test_a_table_is_opened_chosen_and_refused(page):
    lab = page.new_lab()
    told = page.told(f"{lab}/table?name=%EB%82%B4%20%ED%91%9C.csv", TABLE)
    assert told["name"] == "내 표.csv"
    assert [each["name"] for each in told["columns"]] == ["a", "b", "kind"]
    asked = {"data": "table", "choice": told["choice"], "layers": [2]}
    assert page.told(f"{lab}/setup", asked)["names"] == ["no", "yes"]
    assert page.frame(lab)["epoch"] == 0
    assert "내 표.csv" in page.ask(f"{lab}/program?language=en")[1].decode()
    asked["choice"] = {"x": 0, "y": 2, "label": 2, "is_value": False}
    refused = page.told(f"{lab}/setup", asked)["refused"]
    assert "expected numbers, got 'no'" in refused["en"]
    assert "숫자가 있어야" in refused["ko"]


def test_a_program_is_asked_for_before_anything_was_chosen(page):
    assert "an experiment" in page.told(f"{page.new_lab()}/program?language=en")["refused"]["en"]


def test_an_error_of_the_engine_is_told_and_ends_nothing(page, monkeypatch, capsys):
    lab = page.new_lab()

    def fail(self, epochs):
        raise MemoryError("too much")

    page.told(f"{lab}/setup", {"count": 20})
    number = page.ready(lab)["number"]
    with monkeypatch.context() as patched:
        patched.setattr("doltap.play.experiment.Experiment.advance", fail)
        page.told(f"{lab}/go", {"action": "run"})
        frame = page.frame(lab, number)
    assert "MemoryError: too much" in frame["trouble"]["ko"]
    assert not frame["is_running"]
    assert "MemoryError" in capsys.readouterr().err
    page.told(f"{lab}/go", {"action": "step"})
    assert page.frame(lab, frame["number"])["epoch"] == 1


def test_only_so_many_labs_are_kept(page):
    first = page.new_lab()
    for _ in range(8):
        page.new_lab()
    assert page.ask(f"{first}/frame?after=0")[0].status == 410
    assert len(page.playground._labs) == 8


class _Slow:
    """An experiment whose first frame takes long, as when it has to be compiled on a busy machine."""

    epochs = 0
    is_let_go = threading.Event()

    def __init__(self, *chosen):
        pass

    def frame(self, *, has_signs):
        self.is_let_go.wait(LONGEST_WAIT_SECONDS)
        return {}


@pytest.fixture
def slow(monkeypatch):
    monkeypatch.setattr("doltap.play.lab.Experiment", _Slow)
    _Slow.is_let_go.clear()
    yield
    _Slow.is_let_go.set()


def test_a_program_that_is_not_ready_is_told_after_a_while(page, slow, monkeypatch):
    monkeypatch.setattr("doltap.play.lab._LONGEST_WAIT_SECONDS", 1)
    lab = page.new_lab()
    page.told(f"{lab}/setup", {})
    refused = page.told(f"{lab}/program?language=en")["refused"]
    assert "to end in 1 seconds" in refused["en"]
    assert "1초 안에" in refused["ko"]


def test_a_new_page_does_not_wait_for_one_that_was_closed(page, slow):
    began = time.monotonic()
    for _ in range(9):
        lab = page.new_lab()
        page.told(f"{lab}/setup", {})
    page.told(f"{lab}/close", "")
    assert time.monotonic() - began < 20


def test_the_end_waits_for_all_labs_together_and_not_for_ever(slow, monkeypatch):
    monkeypatch.setattr("doltap.play.server._LONGEST_END_SECONDS", 1.0)
    with served(Playground()) as playground:
        for _ in range(4):
            lab = playground.lab(playground.new_lab()["lab"])
            lab.choose({})
        began = time.monotonic()
    assert time.monotonic() - began < 4
    assert not lab.is_done()
    _Slow.is_let_go.set()
    assert lab.is_done(LONGEST_WAIT_SECONDS)


def test_a_page_that_is_closed_closes_its_lab(page):
    lab = page.new_lab()
    page.told(f"{lab}/close", "")
    assert page.ask(f"{lab}/frame?after=0")[0].status == 410


def test_a_port_in_use_is_told_with_what_to_do(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert cli.main(["play", "--port", str(port), "--no-browser"]) == 1
        assert cli.main(["play", "--port", str(port), "--language", "ko"]) == 1
    said = capsys.readouterr().err
    assert (
        f"port {port}: expected a free port, got one that cannot be opened (Address already in use)" in said
    )
    assert "Leave --port out" in said
    assert f"{port}번 포트를 열 수 없습니다" in said


def test_port_0_finds_a_free_one():
    command = [sys.executable, "-m", "doltap", "play", "--port", "0", "--no-browser", "--language", "en"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    watchdog = threading.Timer(LONGEST_WAIT_SECONDS, running.kill)
    watchdog.start()
    try:
        assert re.search(r"http://127\.0\.0\.1:[1-9]\d+/", running.stdout.readline())
    finally:
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=LONGEST_WAIT_SECONDS)
        watchdog.cancel()


def test_an_address_without_its_last_slash_leads_to_the_page(page):
    answer, _ = page.ask(root=page.root.rstrip("/"))
    assert (answer.status, answer.headers["Location"]) == (301, page.root)


def test_a_wrong_address_is_told_in_the_language_of_the_playground(page):
    _, content = page.ask(root="/wrong/")
    assert "마지막에 알려 준 주소" in content.decode()


@pytest.mark.parametrize("port", ["65536", "http", "-1"])
def test_a_port_that_is_none_is_a_wrong_command(capsys, port):
    assert cli.main(["play", "--port", port]) == 2
    assert "to 65535" in capsys.readouterr().err


def test_a_table_that_is_not_there_is_told(capsys):
    assert cli.main(["play", "--data", "nothing.csv"]) == 1
    assert "nothing.csv" in capsys.readouterr().err


def test_a_language_that_is_none_is_told(capsys):
    assert cli.main(["play", "--language", "klingon"]) == 1
    assert "klingon" in capsys.readouterr().err


def test_without_a_screen_the_address_is_printed_and_ctrl_c_ends_it(tmp_path):
    (tmp_path / "table.csv").write_text(TABLE)
    screens = {"DISPLAY", "WAYLAND_DISPLAY", "BROWSER"}
    environment = {name: value for name, value in os.environ.items() if name not in screens}
    command = [sys.executable, "-m", "doltap", "play", "--language", "ko", "--data", "table.csv"]
    running = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    # What prints nothing would be waited for without end.
    watchdog = threading.Timer(LONGEST_WAIT_SECONDS, running.kill)
    watchdog.start()
    lines = [running.stdout.readline() for _ in range(3)]
    address = re.search(r"http://127\.0\.0\.1:(\d+)/([\w-]+)/", lines[0])
    assert "직접 여세요" in lines[1]
    connection = http.client.HTTPConnection("127.0.0.1", int(address[1]), timeout=60)
    connection.request("POST", f"/{address[2]}/labs", "")
    told = json.loads(connection.getresponse().read())
    assert told["table"]["name"] == "table.csv"
    choice = {"data": "table", "choice": told["table"]["choice"]}
    connection.request("POST", f"/{address[2]}/labs/{told['lab']}/setup", json.dumps(choice))
    connection.getresponse().read()
    connection.request("POST", f"/{address[2]}/labs/{told['lab']}/go", '{"action": "run"}')
    connection.getresponse().read()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    watchdog.cancel()
    connection.close()
    assert (running.returncode, err) == (0, "")
    assert "닫았습니다" in out
