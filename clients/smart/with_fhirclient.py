"""fhirclient, the SMART client of Python: from the authorization page, which a script fills in, to a document.

python with_fhirclient.py ENDPOINT CLIENT REDIRECT SCOPE PATIENT NOTE

NOTE is the file that the patient's note was stored from.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import requests
from fhirclient.client import FHIRClient
from fhirclient.models import documentreference

PAGES_MAX = 8
SECONDS_MAX = 20
NOTE_ID = "doc-note-text"
OTHERS_DOCUMENT = "Binary/note-rtf"


class Form(HTMLParser):
    """The one form of a page: where it goes, and what it sends when it is allowed."""

    def __init__(self, page: str):
        super().__init__()
        self.action, self.fields = "", []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            self.action = given.get("action", "")
        elif tag == "input" or (tag == "button" and given.get("value") == "allow"):
            self.fields.append((given.get("name"), given.get("value", "")))

    def filled(self, answers: dict[str, str]) -> list[tuple[str, str]]:
        return [(name, answers.get(name, value)) for name, value in self.fields]


def allowed(url: str, redirect: str, answers: dict[str, str]) -> str:
    """Goes from page to page as a browser does; gives the URL that leads back to the app."""
    session = requests.Session()
    answer = session.get(url, allow_redirects=False, timeout=SECONDS_MAX)
    for _ in range(PAGES_MAX):
        here = answer.url
        if answer.is_redirect:
            place = urljoin(here, answer.headers["location"])
            if place.startswith(redirect):
                return place
            answer = session.get(place, allow_redirects=False, timeout=SECONDS_MAX)
        else:
            answer.raise_for_status()
            form = Form(answer.text)
            place = urljoin(here, form.action)
            answer = session.post(place, form.filled(answers), allow_redirects=False, timeout=SECONDS_MAX)
    raise RuntimeError(f"no end of questions at {answer.url}")


def main(endpoint: str, client: str, redirect: str, scope: str, patient: str, note: str) -> None:
    settings = {"app_id": client, "api_base": endpoint, "redirect_uri": redirect, "scope": scope}
    smart = FHIRClient(settings=settings)
    assert not smart.ready
    back = allowed(smart.authorize_url, redirect, {"user": "dr-sample", "patient": patient})
    smart.handle_callback(back)
    assert smart.ready
    assert smart.patient_id == patient and smart.patient.id == patient
    found = documentreference.DocumentReference.where({"patient": patient}).perform_resources(smart.server)
    assert {document.subject.reference for document in found} == {f"Patient/{patient}"}, found
    attachment = next(one for one in found if one.id == NOTE_ID).content[0].attachment
    place = attachment.url.removeprefix(f"{endpoint}/")
    data = smart.server.request_data(place, headers={"Accept": attachment.contentType})
    assert data == Path(note).read_bytes(), data[:100]
    try:
        smart.server.request_data(OTHERS_DOCUMENT, headers={"Accept": "*/*"})
    except Exception as refusal:  # the client's own, for 404
        assert type(refusal).__name__ == "FHIRNotFoundException", repr(refusal)
    else:
        raise AssertionError("another patient's document is given")


if __name__ == "__main__":
    main(*sys.argv[1:])
