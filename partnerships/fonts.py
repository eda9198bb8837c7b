"""The font of printed reports: one with Chinese signs, from the system or from the folder ``fonts`` of the site."""

from pathlib import Path

from django.conf import settings

# The first one that is there. The compiler of reports brings Latin fonts alone.
CHINESE_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "PingFang SC",
    "Microsoft YaHei",
    "HarmonyOS Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "SimHei",
    "Noto Serif CJK SC",
    "SimSun",
)


def font_folder() -> Path:
    """Return the folder in which an office can put font files of its own."""
    return settings.DATA_DIR / "fonts"


def font_paths() -> list[Path]:
    return [font_folder()] if font_folder().is_dir() else []


def chinese_font() -> str | None:
    """Return the name of a font with Chinese signs; None where there is none."""
    import typst  # loads a library of 60 MB, which few processes need

    found = {font.family for font in typst.Fonts(font_paths=[str(path) for path in font_paths()]).fonts()}
    return next((name for name in CHINESE_FONTS if name in found), None)
