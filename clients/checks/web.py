"""Plain HTTP, without the manners of a FHIR client."""

import json
import urllib.error
import urllib.request
from typing import Any, NamedTuple

SECONDS_MAX = 60
JSON, XML = "application/fhir+json", "application/fhir+xml"
OLD = {JSON: "application/json+fhir", XML: "application/xml+fhir"}


class Answer(NamedTuple):
    status: int
    headers: Any
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def ask(url: str, accept: str = "*/*", method: str = "GET", body: Any = None, **headers: str) -> Answer:
    """One request. A body that is not bytes goes out as FHIR JSON. A refusal is an answer like any other."""
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers.setdefault("content_type", OLD[JSON] if "/dstu2" in url else JSON)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, body, {"Accept": accept, **named}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=SECONDS_MAX) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Answer(refusal.code, refusal.headers, refusal.read())
