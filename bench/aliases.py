"""What the aliases of old programs cost: installing them, and each import of a module that is loaded already.

`python bench/aliases.py [--runs 9]` prints the best of several fresh processes;
installing is to stay below 20 ms.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

_CHILD = """
import json, time, timeit
import doltap
plain = min(timeit.repeat("import json", number=20_000)) / 20_000
began = time.perf_counter()
import doltap.compat
doltap.compat.install()
installing = time.perf_counter() - began
hooked = min(timeit.repeat("import json", number=20_000)) / 20_000
found = {"installing_ms": installing * 1e3, "import_us": plain * 1e6, "import_under_aliases_us": hooked * 1e6}
print(json.dumps(found))
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=9)
    found = [_measured() for _ in range(parser.parse_args().runs)]
    for name in found[0]:
        print(f"{name:26} {min(each[name] for each in found):8.3f}")


def _measured() -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", _CHILD], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
