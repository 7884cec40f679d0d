"""A TensorBoard that runs, asked over HTTP as its page does."""

import json
import socket
import subprocess
import sys
import time
import urllib.request


class Server:
    """A running TensorBoard."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}/data/plugin/"
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--port", str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def asked(self, page, is_there, question=None):
        """What it answers, once it is up and has read what is to be there."""
        body = None if question is None else json.dumps(question).encode()
        request = urllib.request.Request(self.address + page, body, {"Content-Type": "application/json"})
        for _ in range(150):
            assert self.process.poll() is None, "tensorboard ended"
            try:
                with urllib.request.urlopen(request, timeout=5) as answer:
                    found = json.load(answer)
            except OSError:
                found = {}
            if found and is_there(found):
                return found
            time.sleep(0.2)
        raise AssertionError(f"tensorboard shows nothing: {found}")

    def sessions(self, count, status="STATUS_SUCCESS"):
        """The groups of runs on the page HPARAMS: parameters, and the last values of what was measured."""
        question = {"startIndex": 0, "sliceSize": 100, "allowedStatuses": [status]}

        def is_there(found):
            groups = found.get("sessionGroups", ())
            return len(groups) == count and all(group.get("metricValues") for group in groups)

        # Which columns there are is known from the experiment.
        experiment = self.asked("hparams/experiment", lambda found: len(found.get("hparamInfos", ())) > 0, {})
        question["colParams"] = [{"metric": one["name"]} for one in experiment.get("metricInfos", ())]
        question["colParams"] += [{"hparam": one["name"]} for one in experiment["hparamInfos"]]
        return self.asked("hparams/session_groups", is_there, question)["sessionGroups"]


def measured(group, tag, part=""):
    values = {
        (one["name"]["tag"], one["name"].get("group", "")): one["value"] for one in group["metricValues"]
    }
    return values[tag, part]
