"""The lines to copy: for a web page, for the usual SDKs, and for a terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from leocdp_admin.application.shapes.administration import SourceShape
from leocdp_admin.i18n.localisation import Localisation

METHODS: Final = ("track", "page", "identify", "group", "alias", "reset", "ready", "on")


@dataclass(frozen=True, slots=True)
class Step:
    text: str
    code: str


@dataclass(frozen=True, slots=True)
class WayIn:
    id: str
    title: str
    steps: Sequence[Step]


def ways_in(source: SourceShape, host: str, l10n: Localisation) -> list[WayIn]:
    """What fits the kind of source; a server's key never stands in anything for a page."""
    if source.kind == "browser":
        return [_page(source, host, l10n), _npm(source, host, l10n), _test(source, host, l10n)]
    return [_test(source, host, l10n), _node(source, host, l10n), _python(source, host, l10n)]


def page_snippet(write_key: str, host: str) -> str:
    """Queues calls until the library is there. Values are JSON strings, so nothing in them can end the script."""
    key, base, methods = _js(write_key), _js(host), json.dumps(METHODS)
    return f"""<script>
(function (key, host) {{
  var a = window.analytics = window.analytics || [];
  if (a.initialize || a.invoked) return;
  a.invoked = true;
  {methods}.forEach(function (name) {{
    a[name] = function () {{ a.push([name].concat([].slice.call(arguments))); return a; }};
  }});
  a._writeKey = key;
  a._cdn = host;
  var s = document.createElement("script");
  s.async = true;
  s.src = host + "/analytics.js/v1/" + key + "/analytics.min.js";
  document.head.appendChild(s);
  a.page();
}})({key}, {base});
</script>"""


def curl_line(write_key: str, host: str) -> str:
    body = '{"anonymousId":"test-1","event":"Test Event","properties":{"hello":"world"}}'
    lines = [f"curl -X POST {host}/v1/track", f"-u {write_key}:", "-H 'Content-Type: application/json'", f"-d '{body}'"]
    return " \\\n  ".join(lines)


def _page(source: SourceShape, host: str, l10n: Localisation) -> WayIn:
    identify = 'analytics.identify("customer-123", {\n  name: "Lan Nguyen",\n  email: "lan@example.vn"\n});'
    track = 'analytics.track("Order Completed", {\n  order_id: "A-1001",\n  total: 350000,\n  currency: "VND"\n});'
    return WayIn(
        "page",
        l10n.gettext("Website"),
        [
            Step(
                l10n.gettext("Put this on every page, just before </head>. From then on every page view is counted."),
                page_snippet(source.write_key, host),
            ),
            Step(l10n.gettext("When somebody logs in or gives their e-mail, say who it is:"), identify),
            Step(l10n.gettext("When something important happens, such as an order, say so:"), track),
        ],
    )


def _npm(source: SourceShape, host: str, l10n: Localisation) -> WayIn:
    code = (
        'import { AnalyticsBrowser } from "@segment/analytics-next";\n\n'
        f"const analytics = AnalyticsBrowser.load(\n"
        f"  {{ writeKey: {_js(source.write_key)}, cdnURL: {_js(host)} }},\n"
        f'  {{ integrations: {{ "Segment.io": {_endpoint(host)} }} }},\n'
        f");\n\nanalytics.page();"
    )
    return WayIn(
        "npm",
        l10n.gettext("React, Vue, apps"),
        [
            Step(l10n.gettext("Install the library:"), "npm install @segment/analytics-next"),
            Step(l10n.gettext("Start it once, where your app starts:"), code),
        ],
    )


def _test(source: SourceShape, host: str, l10n: Localisation) -> WayIn:
    text = l10n.gettext("Run this in a terminal to send one test event:")
    return WayIn("test", l10n.gettext("Test line"), [Step(text, curl_line(source.write_key, host))])


def _node(source: SourceShape, host: str, l10n: Localisation) -> WayIn:
    code = (
        'import { Analytics } from "@segment/analytics-node";\n\n'
        f"const analytics = new Analytics({{ writeKey: {_js(source.write_key)}, host: {_js(host)} }});\n\n"
        'analytics.track({\n  userId: "customer-123",\n  event: "Order Completed",\n'
        '  properties: { total: 350000, currency: "VND" },\n});'
    )
    return WayIn(
        "node",
        "Node.js",
        [
            Step(l10n.gettext("Install the library:"), "npm install @segment/analytics-node"),
            Step(l10n.gettext("Send events from your code:"), code),
        ],
    )


def _python(source: SourceShape, host: str, l10n: Localisation) -> WayIn:
    code = (
        f"import segment.analytics as analytics\n\nanalytics.write_key = {_js(source.write_key)}\n"
        f"analytics.host = {_js(host)}\n\n"
        'analytics.track("customer-123", "Order Completed", {"total": 350000, "currency": "VND"})\nanalytics.flush()'
    )
    return WayIn(
        "python",
        "Python",
        [
            Step(l10n.gettext("Install the library:"), "pip install segment-analytics-python"),
            Step(l10n.gettext("Send events from your code:"), code),
        ],
    )


def _endpoint(host: str) -> str:
    protocol, _, name = host.partition("://")
    return f"{{ apiHost: {_js(f'{name}/v1')}, protocol: {_js(protocol)} }}"


def _js(text: str) -> str:
    return json.dumps(text).replace("<", "\\u003c")
