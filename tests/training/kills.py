"""Trainings in processes of their own, killed at random moments until they have ended.

python kills.py KILLS SEED FOLDER RUN... prints, as JSON, what was left of each
run: of one that nobody killed, and of one that was begun again after every kill.
Processes are forked from this one, which has imported everything and computed
nothing.
"""

from __future__ import annotations

import json
import os
import pathlib
import random
import signal
import sys
import time
import warnings

import resumed_runs

from doltap.files import formats
from doltap.training import loop, resuming

EPOCHS = 30


def apart(work):
    """Do the work in a process of its own; its id, and the end of a pipe that speaks when training begins."""
    listening, speaking = os.pipe()
    child = os.fork()
    if child:
        os.close(speaking)
        return child, listening
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        work(lambda: os.write(speaking, b"!"))
        code = 0
    except KeyboardInterrupt:
        code = 130
    finally:
        sys.stderr.flush()
        os._exit(code)


def trained(name, folder, resume, begun):
    """One training, with many states and slow enough to be killed."""
    warnings.filterwarnings("ignore", "The data ended after")
    loop._FIRST_STEPS, loop._LONGEST_CALL_SECONDS = 1, 0.0
    resuming._SECONDS = resuming._SHARE = 0.0
    begin, pass_by = resuming.Keeper.begin, resuming.Keeper.pass_by

    def begin_and_say(keeper, epochs):
        epoch = begin(keeper, epochs)
        begun()
        return epoch

    def pass_slowly(keeper, *place):
        time.sleep(0.003)
        pass_by(keeper, *place)

    resuming.Keeper.begin, resuming.Keeper.pass_by = begin_and_say, pass_slowly
    left = resumed_runs.run(name, folder, epochs=EPOCHS, resume=resume)
    (folder / "left.json").write_text(left)


def whole(name, folder):
    """What is left of the run that nobody kills."""
    folder.mkdir(parents=True)
    child, pipe = apart(lambda begun: trained(name, folder, None, begun))
    os.close(pipe)
    assert os.waitpid(child, 0)[1] == 0
    return (folder / "left.json").read_text()


def killed(name, folder, chance, kills):
    """What is left of the run that is killed, at most so often; and by how many signals."""
    folder.mkdir(parents=True)
    count = 0
    while True:
        child, pipe = apart(lambda begun: trained(name, folder, folder / "states", begun))
        if count < kills:
            # Seldom before it has begun.
            if chance.random() < 0.9:
                os.read(pipe, 1)
            time.sleep(chance.random() * 0.3)
            os.kill(child, signal.SIGINT if chance.random() < 0.1 else signal.SIGKILL)
        os.close(pipe)
        status = os.waitpid(child, 0)[1]
        if status == 0:
            return (folder / "left.json").read_text(), count
        was_killed = os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 130
        assert was_killed, f"{name} ended with an error of its own"
        for file in [*folder.glob("*.keras"), *folder.glob("*.weights.h5")]:
            formats.read(file)
        count += 1


def main():
    kills, seed, folder, *names = sys.argv[1:]
    chance, folder, left = random.Random(int(seed)), pathlib.Path(folder), []
    expected = {name: whole(name, folder / "whole" / name) for name in names}
    total, number = 0, 0
    while total < int(kills):
        name = names[number % len(names)]
        text, count = killed(name, folder / f"{number}", chance, min(4, int(kills) - total))
        left.append({"name": name, "kills": count, "is_same": text == expected[name]})
        total, number = total + count, number + 1
    print(json.dumps(left))


if __name__ == "__main__":
    main()
