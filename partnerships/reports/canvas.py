"""Server-made SVG: one drawing for the page, for print and for a PDF.

On a page a drawing has no width of its own: places along it are in per cent, so that it stretches and its text is never
scaled. For a file it has a width in pixels, and colors and patterns of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

EMPTY = SafeString("")
HATCHED, HATCHED_LATE = "hatch", "hatch-late"


@dataclass(frozen=True)
class Palette:
    """The colors of a drawing, by what they mean. ``c1`` to ``c3`` are from strong to soft, ``on1`` to ``on3`` text on them."""

    ink: str
    ink_2: str
    ink_3: str
    surface: str
    grid: str
    line_strong: str
    c1: str
    c2: str
    c3: str
    on1: str
    on2: str
    on3: str
    heat: str
    warning: str
    warning_soft: str
    accent_soft: str


# The page's own variables, so that a dark page needs no second drawing.
ON_PAGE = Palette(**{field.name: f"var(--{field.name.replace('_', '-')})" for field in fields(Palette)})
ON_PAPER = Palette(
    ink="#1b2126",
    ink_2="#4d565e",
    ink_3="#5f6971",
    surface="#ffffff",
    grid="#e6e8e4",
    line_strong="#b9beb9",
    c1="#0b6158",
    c2="#519c92",
    c3="#c3e0db",
    on1="#ffffff",
    on2="#10201d",
    on3="#10201d",
    heat="#c98a1b",
    warning="#7d4e00",
    warning_soft="#fcf0d4",
    accent_soft="#e2f0ed",
)


@dataclass(frozen=True)
class Canvas:
    """The place of a drawing: as wide as its place on the page, or ``width`` pixels wide in a file.

    A drawing for a file has its names, colors and patterns within it, and no links.
    """

    width: int | None = None
    palette: Palette = ON_PAGE
    font: str = ""

    @property
    def is_fixed(self) -> bool:
        return self.width is not None


PAGE = Canvas()


def paper(width: int, font: str = "") -> Canvas:
    """Return the canvas of a drawing for a file, ``width`` pixels wide, in the face ``font``."""
    return Canvas(width, ON_PAPER, font)


def number(value: float) -> str:
    """Return a number as attributes of a drawing have it: with two decimals at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"


def element(name: str, *content: object, **attributes: object) -> SafeString:
    """Return an element. An underscore in the name of an attribute stands for a hyphen; those that are None are left out."""
    shown = (
        (key.strip("_").replace("_", "-"), number(value) if isinstance(value, float | int) else value)
        for key, value in attributes.items()
        if value is not None
    )
    inner = format_html_join("", "{}", ((one,) for one in content))
    return format_html("<{}{}>{}</{}>", name, format_html_join("", ' {}="{}"', shown), inner, name)


def pattern_definitions(palette: Palette = ON_PAGE) -> SafeString:
    """Return the two patterns: of what ended, and of what is late."""
    stripes = (
        (HATCHED, 4, palette.surface, palette.ink_3, 2),
        (HATCHED_LATE, 5, palette.warning_soft, palette.warning, 2.2),
    )
    return element(
        "defs",
        *(
            element(
                "pattern",
                element("rect", width=size, height=size, fill=ground),
                element("line", x1=0, x2=0, y1=0, y2=size, stroke=stroke, stroke_width=width),
                id=name,
                width=size,
                height=size,
                patternUnits="userSpaceOnUse",
                patternTransform="rotate(45)",
            )
            for name, size, ground, stroke, width in stripes
        ),
    )


class Drawing:
    """A drawing in the making. Places along it are shares from 0 to 1 of its width without margins, heights are pixels.

    ``left`` and ``right`` are the margins for labels in a file; on a page the style sheet leaves them.
    """

    def __init__(self, canvas: Canvas, *, height: float, left: int = 0, right: int = 0) -> None:
        self.canvas, self.colors, self.height = canvas, canvas.palette, height
        self.left, self.right = left, right
        self.parts: list[SafeString] = []
        self.has_marks = self.has_patterns = False

    @property
    def inner_width(self) -> int:
        return (self.canvas.width or 0) - self.left - self.right

    def x(self, share: float) -> str:
        """Return a place or width along the drawing."""
        return number(share * self.inner_width) if self.canvas.is_fixed else f"{number(100 * share)}%"

    def add(self, *parts: SafeString) -> None:
        self.parts += parts

    def rect(self, first: float, last: float, top: float, height: float, fill: str, **more: object) -> SafeString:
        place = {"x": self.x(first), "width": self.x(max(last - first, 0)), "y": top, "height": max(height, 0)}
        return element("rect", **place, fill=fill, **more)

    def line(self, first: float, last: float, y1: float, y2: float, stroke: str, **more: object) -> SafeString:
        return element("line", x1=self.x(first), x2=self.x(last), y1=y1, y2=y2, stroke=stroke, **more)

    def text(self, words: object, at: float | None, y: float, **more: object) -> SafeString:
        """Return text at a share of the width, or without one at the start."""
        more.setdefault("fill", self.colors.ink_2)
        return element("text", words, x=0 if at is None else self.x(at), y=y, **more)

    def at(self, share: float, *content: SafeString, y: float = 0) -> SafeString:
        """Return content measured in pixels from a place along the drawing."""
        if self.canvas.is_fixed:
            return element("g", *content, transform=f"translate({self.x(share)} {number(y)})")
        return element("svg", *content, x=self.x(share), y=y, overflow="visible")

    def mark(self, address: str, title: str, *content: SafeString, css_class: str | None = None) -> SafeString:
        """Return a mark: a link to what it counts, or in a file the mark alone."""
        title_element = element("title", title)
        if self.canvas.is_fixed or not address:
            return element("g", title_element, *content, class_=css_class)
        # The first mark is a stop of the Tab key; arrow keys lead on from it.
        tabindex = "-1" if self.has_marks else None
        self.has_marks = True
        about = {"href": address, "aria_label": title, "tabindex": tabindex, "class_": css_class}
        return element("a", title_element, *content, **about)

    def hit(self, first: float, last: float, top: float, height: float) -> SafeString:
        """Return the area of a mark that can be clicked, wider than the mark; none in a file."""
        if self.canvas.is_fixed:
            return EMPTY
        return self.rect(first, last, top, height, "transparent", class_="hit")

    def hatched(self, name: str) -> str:
        self.has_patterns = True
        return f"url(#{name})"

    def done(self, css_class: str, label: str = "") -> SafeString:
        """Return the whole drawing; without a label it only repeats the text beside it."""
        about: dict[str, object] = {"role": "group", "aria_label": label} if label else {"aria_hidden": "true"}
        if not self.canvas.is_fixed:
            return element("svg", *self.parts, class_=f"chart {css_class}", width="100%", height=self.height, **about)
        width = self.canvas.width
        return element(
            "svg",
            pattern_definitions(self.colors) if self.has_patterns else EMPTY,
            element(
                "g",
                *self.parts,
                transform=f"translate({self.left} 0)",
                font_family=self.canvas.font or "sans-serif",
                font_size="11",
            ),
            xmlns="http://www.w3.org/2000/svg",
            width=width,
            height=self.height,
            viewBox=f"0 0 {width} {number(self.height)}",
            role="img",
            aria_label=label or None,
        )


def lines_between(
    drawing: Drawing, points: Iterable[tuple[float, float] | None], **look: object
) -> Iterable[SafeString]:
    """Return a line through points (share, y); None is a gap. A path could not have places in per cent."""
    last = None
    for point in points:
        if point is not None and last is not None:
            yield element("line", x1=drawing.x(last[0]), y1=last[1], x2=drawing.x(point[0]), y2=point[1], **look)
        last = point
