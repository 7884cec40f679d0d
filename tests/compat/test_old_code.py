"""docs/old-code.md says what the tables say."""

import importlib.util
import pathlib

from doltap.compat import telling

FILE = pathlib.Path(__file__).parent.parent.parent / "docs" / "old_code.py"


def test_the_page_is_up_to_date():
    spec = importlib.util.spec_from_file_location("doltap_old_code", FILE)
    old_code = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(old_code)
    written = old_code.TABLE.read_text(encoding="utf-8")
    assert written == old_code.page(), "the tables hold other rows than docs/old-code.md: run make docs"
    for row in telling.rows():
        assert f"| `{row.old.replace('|', chr(92) + '|')}` |" in written
