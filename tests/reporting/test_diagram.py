"""Pictures of networks: where things go, and how they are drawn."""

import io
import itertools
import random
import xml.etree.ElementTree as ElementTree

import pytest

from doltap.reporting.diagram import layout, raster, svg
from doltap.reporting.diagram.layout import laid_out
from doltap.reporting.diagram.ranks import ranked
from doltap.reporting.diagram.record import Network, Part, Shows, text_width

DIRECTIONS = ["TB", "BT", "LR", "RL"]


def network(count, links, **inner):
    parts = tuple(Part(str(n), f"layer_{n}", "Dense", inner=inner.get(f"of_{n}")) for n in range(count))
    return Network("net", parts, tuple((str(a), str(b)) for a, b in links))


def drawn_by_chance(seed, *, with_circles=False):
    chance = random.Random(seed)
    count = chance.randint(1, 14)
    pairs = (
        itertools.product(range(count), repeat=2) if with_circles else itertools.combinations(range(count), 2)
    )
    return network(count, [pair for pair in pairs if chance.random() < 0.25])


def overlap(one, other):
    apart = one.x + one.width <= other.x or other.x + other.width <= one.x
    return not (apart or one.y + one.height <= other.y or other.y + other.height <= one.y)


def points_of(line):
    """Points along a line, close together."""
    at, found = line.start, [line.start]
    for piece in line.pieces:
        steps = [each / 20 for each in range(1, 21)]
        if len(piece) == 1:
            (end,) = piece
            found += [layout.Point(*(a + t * (b - a) for a, b in zip(at, end, strict=True))) for t in steps]
        else:
            corners = [at, *piece]
            shares = [[(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3] for t in steps]
            found += [
                layout.Point(
                    *(sum(s * c[axis] for s, c in zip(each, corners, strict=True)) for axis in (0, 1))
                )
                for each in shares
            ]
        at = piece[-1]
    return found


def inside(box, point):
    return box.x + 1 < point.x < box.x + box.width - 1 and box.y + 1 < point.y < box.y + box.height - 1


@pytest.mark.parametrize("rankdir", DIRECTIONS)
@pytest.mark.parametrize("with_circles", [False, True])
def test_no_boxes_overlap_and_no_line_goes_through_a_box(rankdir, with_circles):
    for seed in range(25):
        drawing = laid_out(drawn_by_chance(seed, with_circles=with_circles), Shows(), rankdir)
        for one, other in itertools.combinations(drawing.boxes, 2):
            assert not overlap(one, other), seed
        for line, box in itertools.product(drawing.lines, drawing.boxes):
            assert not any(inside(box, point) for point in points_of(line)), (seed, box.title)
        for box in drawing.boxes:
            assert box.x >= -0.01
            assert box.y >= -0.01
            assert box.x + box.width <= drawing.width + 0.01
            assert box.y + box.height <= drawing.height + 0.01
        for point in (point for line in drawing.lines for point in points_of(line)):
            assert -0.01 <= point.x <= drawing.width + 0.01
            assert -0.01 <= point.y <= drawing.height + 0.01


def test_every_line_ends_at_the_edges_of_its_two_boxes():
    net = network(5, [(0, 1), (0, 2), (0, 4), (1, 3), (2, 3), (3, 4)])
    drawing = laid_out(net)
    boxes = {box.part.key: box for box in drawing.boxes}
    assert len(drawing.lines) == len(net.links) > 3
    for (a, b), line in zip(net.links, drawing.lines, strict=True):
        assert line.start.y == pytest.approx(boxes[a].y + boxes[a].height)
        assert line.tip.y == pytest.approx(boxes[b].y)
        assert boxes[a].x < line.start.x < boxes[a].x + boxes[a].width
        assert boxes[b].x < line.tip.x < boxes[b].x + boxes[b].width


@pytest.mark.parametrize(
    ("rankdir", "axis", "sign"), [("TB", 1, 1), ("BT", 1, -1), ("LR", 0, 1), ("RL", 0, -1)]
)
def test_the_flow_goes_where_it_is_asked_to(rankdir, axis, sign):
    first, second = laid_out(network(2, [(0, 1)]), Shows(), rankdir).boxes
    assert sign * ((second.x, second.y)[axis] - (first.x, first.y)[axis]) > 0
    line = laid_out(network(2, [(0, 1)]), Shows(), rankdir).lines[0]
    assert line.heading[axis] == sign


def test_ranks_follow_the_links_and_inputs_stand_above_their_first_use():
    order = ranked(4, [(0, 1), (1, 2), (3, 2)])
    assert [sorted(rank) for rank in order.ranks] == [[0], [1, 3], [2]]


def test_links_that_cross_are_untangled():
    crossed = ranked(4, [(0, 3), (1, 2)])
    places = [{item: place for place, item in enumerate(rank)} for rank in crossed.ranks]
    assert (places[0][0] < places[0][1]) == (places[1][3] < places[1][2])


def test_a_link_that_leads_back_is_drawn_upwards():
    drawing = laid_out(network(2, [(0, 1), (1, 0)]))
    assert sorted(line.heading.y for line in drawing.lines) == [-1.0, 1.0]


def test_a_network_of_a_thousand_layers_is_laid_out_in_a_row():
    drawing = laid_out(network(1000, [(n, n + 1) for n in range(999)]))
    assert len({round(box.x + box.width / 2, 3) for box in drawing.boxes}) == 1
    assert sorted(drawing.boxes, key=lambda box: box.y) == drawing.boxes


def test_the_layers_inside_a_model_stand_in_its_frame():
    inner = network(2, [(0, 1)])
    drawing = laid_out(network(2, [(0, 1)], of_1=inner))
    frame = drawing.boxes[1]
    assert frame.inner.width + 2 * layout.FRAME_PADDING <= frame.width + 0.01
    assert frame.inner_at.y + frame.inner.height < frame.height
    assert svg.as_svg(drawing).count("layer_0 (Dense)") == 2


def test_where_links_are_not_known_the_parts_stand_in_a_row_without_lines():
    parts = tuple(Part(str(n), f"layer_{n}", "Dense") for n in range(3))
    drawing = laid_out(Network("net", parts, (), has_links=False))
    assert not drawing.lines
    assert len({box.y for box in drawing.boxes}) == 3


def test_an_empty_network_is_an_empty_picture():
    drawing = laid_out(Network("net", (), ()))
    assert ElementTree.fromstring(svg.as_svg(drawing)) is not None


def test_what_is_said_of_a_part_is_what_was_asked_for():
    part = Part(
        "1", "stone", "Dense", "weights", "relu", "(None, 4)", "(None, 3)", "float32", 15, is_trainable=False
    )
    everything = Shows(types=True, trainable=True, labels={"input": "입력", "no": "아니요"})
    text = svg.as_svg(laid_out(Network("net", (part,), ()), everything))
    for said in ("stone (Dense)", "relu", "입력", "(None, 4)", "(None, 3)", "float32", ">15<", "아니요"):
        assert said in text
    nothing = Shows(False, False, False, False, False, False)
    text = svg.as_svg(laid_out(Network("net", (part,), ()), nothing))
    assert ">Dense<" in text
    assert "stone" not in text
    assert "None" not in text


def test_foreign_names_are_text_and_nothing_else():
    part = Part("1", "<script>alert(1)</script>\x1b[31m", "Dense", activation='"><b>')
    text = svg.as_svg(laid_out(Network("</svg><script>", (part,), ())))
    assert "<script" not in text
    assert "\x1b" not in text
    root = ElementTree.fromstring(text)
    assert {each.tag.rpartition("}")[2] for each in root.iter()} == {"svg", "title", "rect", "text"}


def test_a_file_has_colours_of_its_own_and_a_page_gives_its_own():
    drawing = laid_out(network(2, [(0, 1)]))
    assert "prefers-color-scheme:dark" in svg.as_svg(drawing, is_alone=True)
    assert "<style" not in svg.as_svg(drawing)


def test_straight_lines_have_no_bends():
    drawing = laid_out(network(3, [(0, 1), (0, 2)]))
    assert "C" in "".join(path.split('"')[1] for path in svg.as_svg(drawing).split("<path ")[1:])
    assert "C" not in "".join(
        path.split('"')[1] for path in svg.as_svg(drawing, is_straight=True).split("<path ")[1:]
    )


@pytest.mark.parametrize(("form", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_matplotlib_draws_the_same(form, start):
    pytest.importorskip("matplotlib")
    inner = network(2, [(0, 1)])
    drawing = laid_out(network(3, [(0, 1), (0, 2)], of_1=inner))
    file = io.BytesIO()
    raster.save(drawing, file, form, 60)
    assert file.getvalue().startswith(start)


def test_a_picture_that_would_be_too_long_gets_fewer_pixels(monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(raster, "_LONGEST_PIXELS", 2000)
    file = io.BytesIO()
    raster.save(laid_out(network(40, [(n, n + 1) for n in range(39)])), file, "png", 200)
    height = int.from_bytes(file.getvalue()[20:24], "big")
    assert 1900 < height <= 2000


def test_names_with_formulas_and_letters_of_korea_are_drawn_without_complaint():
    pytest.importorskip("matplotlib")
    parts = (Part("0", "$\\frac{1", "Dense"), Part("1", "층", "Dense"))
    raster.save(laid_out(Network("탑", parts, (("0", "1"),))), io.BytesIO(), "png", 60)


def test_korean_letters_are_as_wide_as_high():
    assert text_width("돌탑", 12) == 24
    assert text_width("ab", 12) < 24
