"""Copy the table of RESULTS.md into the READMEs, where it stands between two marks."""

from __future__ import annotations

import pathlib
import re

ROOT = pathlib.Path(__file__).parent.parent

_WORDS = {
    "README.md": "Measured in turn in one run on {machine} (Keras {keras}, JAX {jax}), median of three. "
    "The ratio is Keras's time over doltap's; for memory, doltap's share of Keras's.",
    "README.ko.md": "{machine}에서 한 번에 번갈아 세 번씩 잰 값의 중앙값입니다(Keras {keras}, JAX {jax}). "
    "비율은 케라스의 시간을 돌탑의 시간으로 나눈 값이고, 메모리는 케라스에 대한 돌탑의 비율입니다.",
}


def main() -> None:
    """Rewrite the part between the marks in each README."""
    results = (ROOT / "bench" / "RESULTS.md").read_text(encoding="utf-8")
    facts = {
        "machine": _found(r"\* Machine: ([^;\n]*)", results),
        "keras": _found(r"keras ([\d.]+\d)", results),
        "jax": _found(r"jax ([\d.]+\d)", results),
    }
    table = _found(r"(\| program \| doltap.*?)\n\n", results)
    for name, words in _WORDS.items():
        path = ROOT / name
        part = f"<!-- bench -->\n{words.format(**facts)}\n\n{table}\n<!-- /bench -->"
        before, rest = path.read_text(encoding="utf-8").split("<!-- bench -->")
        after = rest.split("<!-- /bench -->")[1]
        path.write_text(before + part + after, encoding="utf-8")


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.S)
    assert match, f"RESULTS.md has no {pattern}"
    return match.group(1)


if __name__ == "__main__":
    main()
