"""The documents: made here, put into both servers, and compared before anything is measured."""

import base64
import http.client
import json
import os
import random
import urllib.parse

import machine

KIB, MIB = 1 << 10, 1 << 20
FHIR_JSON = "application/fhir+json"


def path(size):
    return f"/r4/Binary/bench-{size}"


def content(size):
    """The same bytes in every run; they do not compress."""
    return random.Random(size).randbytes(size)


def label(size):
    return f"{size // MIB} MiB" if size >= MIB else f"{size // KIB} KiB"


def put_into_nginx(directory, size):
    file = directory / "root" / path(size).lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content(size))


def put(server, size):
    status, _ = request(server, "PUT", path(size), content(size), {"Content-Type": "application/octet-stream"})
    if status not in (200, 201, 204):
        raise machine.Unable(f"{server.name} answers PUT {path(size)} with {status}: {server.complaint()}")


def forget_cached(directory):
    """Lets the next read bring all files back from the disk.

    How a file was written shows in the page cache for as long as it stays there: one of 16 MiB written
    in small pieces costs `sendfile` a quarter more than one written at once.
    """
    for file in directory.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def verify(server, size):
    if read(server, size, {}) != content(size):
        raise machine.Unable(f"{server.name} gives other bytes for {path(size)} than were put there")


def verified_json(options, server, size):
    """The Binary resource of a document as JSON, once its data decodes to the document."""
    body = read(server, size, {"Accept": FHIR_JSON})
    if not options.against_itself and base64.b64decode(json.loads(body)["data"]) != content(size):
        raise machine.Unable(f"{server.name} gives other bytes for {path(size)} as JSON than were put there")
    return body


def read(server, size, headers):
    status, body = request(server, "GET", path(size), None, headers)
    if status != 200:
        raise machine.Unable(f"{server.name} answers GET {path(size)} with {status}: {server.complaint()}")
    return body


def request(server, method, path, body, headers):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc, timeout=60)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as failure:
        raise machine.Unable(f"{server.name} failed {method} {path}: {failure!r} {server.complaint()}") from failure
    finally:
        connection.close()
