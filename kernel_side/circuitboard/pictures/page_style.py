"""How a page of a board looks: on screen in both themes, and on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from circuitboard.protocol.drawing import ColourMap

_STYLE = """
:root{color-scheme:light dark;--bg:#fff;--ink:#1f1f1f;--ink2:#555;--line:#e0e0de;--bg2:#f7f7f6;--pos:#1f5fae;--neg:#a04410;--post:#dfeafa;--negt:#f8e6da;--focus:#1976d2}
@media (prefers-color-scheme:dark){:root{--bg:#1f1f1f;--ink:#e6e6e6;--ink2:#b6b6b6;--line:#393939;--bg2:#262626;--pos:#7dc6fe;--neg:#f5ad5a;--post:#22384c;--negt:#443020;--focus:#4ea1f3}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:14px/1.5 -apple-system,"Segoe UI",Roboto,"Noto Sans",Cantarell,"DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1000px;margin:0 auto;padding:28px 24px 56px}
h1{margin:0;font-size:15px;font-weight:600}
h2{margin:24px 0 6px;padding-top:12px;border-top:1px solid var(--line);font-size:15px;font-weight:600}
p{margin:4px 0}
.value{margin:12px 0 2px;font-size:38px;font-weight:600;line-height:1.15;letter-spacing:-.01em}
.quiet,caption,th,summary small{color:var(--ink2)}
.pos{color:var(--pos)}.neg{color:var(--neg)}
figure{margin:14px 0 0}
figure>svg{display:block;max-width:100%;height:auto;border:1px solid var(--line);border-radius:4px;background:#fff}
figcaption{margin-bottom:8px;font-weight:600}
.scroll{overflow-x:auto;width:fit-content;max-width:100%}
table{margin:6px 0 10px;border-collapse:collapse;font-size:13px}
caption{padding:0 0 4px;text-align:left}
th,td{padding:3px 14px 3px 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;font-weight:400}
thead th{white-space:nowrap}
tbody th{color:var(--ink);font-weight:500}
.wide{min-width:17em}
.n{text-align:right;white-space:nowrap}
.off td,.off th{color:var(--ink2)}
.now th,.now td{font-weight:600;background:var(--bg2)}
ol.tokens{display:flex;flex-wrap:wrap;gap:6px 2px;margin:6px 0 14px;padding:0;list-style:none;font-size:13px}
ol.tokens li{display:grid;grid-template-rows:18px auto auto;padding:0 5px;border-radius:3px}
ol.tokens small{color:var(--ink2);font-size:11px}
ol.tokens b{color:var(--ink)}
ol.tokens .second{color:var(--ink2)}
mark{border-radius:3px;font-weight:600;background:none;color:inherit}
mark.first{background:var(--post);color:var(--pos)}
mark.second{background:var(--negt);color:var(--neg)!important}
details{margin:8px 0}
summary{cursor:pointer}
summary:focus-visible,pre:focus-visible,.scroll:focus-visible{outline:2px solid var(--focus);outline-offset:2px}
pre{overflow-x:auto;margin:8px 0;padding:12px 14px;border:1px solid var(--line);border-radius:4px;background:var(--bg2);font:12.5px/1.5 ui-monospace,"DejaVu Sans Mono",monospace}
code{font:12.5px ui-monospace,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
@media print{:root{--bg:#fff;--ink:#000;--ink2:#444;--line:#ccc;--bg2:#fff;--pos:#1f5fae;--neg:#a04410;--post:#fff;--negt:#fff}main{max-width:none;padding:0}figure,tr,ol.tokens li{break-inside:avoid}h2{break-after:avoid}pre{white-space:pre-wrap}.scroll{overflow:visible}details::details-content{display:block;block-size:auto;content-visibility:visible}}
""".strip()

_PURPLE_GREEN = """
:root{--pos:#006f20;--neg:#85389e;--post:#dff0df;--negt:#f5e6fb}
@media (prefers-color-scheme:dark){:root{--pos:#76d87f;--neg:#e59dff;--post:#1f3b24;--negt:#442c4d}}
@media print{:root{--pos:#006f20;--neg:#85389e;--post:#fff;--negt:#fff}}
""".rstrip()


def style_of(colours: ColourMap) -> str:
    """The style sheet, with the colours of what lowers and what raises the metric."""
    return _STYLE + (_PURPLE_GREEN if colours == "purple-green" else "")
