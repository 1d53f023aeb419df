"""A thousand clients that download one document: all at once, slowly at first, then to the end.

While they are slow, each takes a little twice a second out of a small receive buffer, so the server
must hold every one of them in mid-document.
"""

import select
import socket
import time
import urllib.parse

import machine

RECEIVE_BUFFER_BYTES = 64 << 10
SIP_BYTES = 4 << 10
GULP_BYTES = 256 << 10
HOLD_SECONDS = 3
SIP_EVERY_SECONDS = 0.5
STALL_SECONDS_MAX = 30


class Reader:
    def __init__(self, address, request, expected):
        self.expected, self.head, self.at, self.chunked = expected, b"", None, False
        self.tail = b""
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self.socket.settimeout(STALL_SECONDS_MAX)
        self.socket.connect(address)
        self.socket.sendall(request)

    def take(self, bytes_max):
        """Reads once and compares with what was put there. False once the answer has ended."""
        try:
            received = self.socket.recv(bytes_max)
        except OSError as failure:
            raise machine.Unable(f"a download broke off: {failure}") from failure
        if not received:
            self.finish()
            return False
        if self.at is None:
            received = self.after_head(received)
        self.compare(received)
        return True

    def after_head(self, received):
        self.head += received
        head, blank_line, rest = self.head.partition(b"\r\n\r\n")
        if not blank_line:
            return b""
        if head.split(b" ", 2)[1] != b"200":
            raise machine.Unable(f"a download was refused: {head.splitlines()[0].decode(errors='replace')}")
        self.chunked = b"transfer-encoding: chunked" in head.lower()
        self.at = 0
        return rest

    def compare(self, received):
        """Every byte; of a chunked body, whose bytes lie between chunk heads, only amount and end."""
        if self.chunked:
            self.tail = (self.tail + received)[-5:]
        elif received != self.expected[self.at or 0:(self.at or 0) + len(received)]:
            raise machine.Unable(f"a download differs after byte {self.at}")
        if self.at is not None:
            self.at += len(received)

    def finish(self):
        self.socket.close()
        if self.at is None:
            raise machine.Unable("a download ended before its first byte")
        whole = len(self.expected)
        complete = self.tail == b"0\r\n\r\n" and self.at > whole if self.chunked else self.at == whole
        if not complete:
            raise machine.Unable(f"a download ended after {self.at} of {whole} bytes")


def download(url, path, headers, count, expected):
    """Downloads `count` times at once; gives the seconds they were held, and the seconds to finish them."""
    parts = urllib.parse.urlsplit(url)
    lines = [f"GET {path} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close", *(f"{k}: {v}" for k, v in headers.items())]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    readers = []
    try:
        for _ in range(count):
            readers.append(Reader((parts.hostname, parts.port), request, expected))
        started = time.monotonic()
        sip(readers)
        held = time.monotonic()
        finish(readers)
        return held - started, time.monotonic() - held
    finally:
        for reader in readers:
            reader.socket.close()


def sip(readers):
    deadline = time.monotonic() + HOLD_SECONDS
    while time.monotonic() < deadline:
        for reader in readers:
            reader.take(SIP_BYTES)
        time.sleep(SIP_EVERY_SECONDS)


def finish(readers):
    with select.epoll() as ready:
        waiting = {reader.socket.fileno(): reader for reader in readers}
        for descriptor in waiting:
            ready.register(descriptor, select.EPOLLIN)
        while waiting:
            events = ready.poll(STALL_SECONDS_MAX)
            if not events:
                raise machine.Unable(f"{len(waiting)} downloads stalled for {STALL_SECONDS_MAX} s")
            for descriptor, _ in events:
                if not waiting[descriptor].take(GULP_BYTES):  # a closed socket leaves epoll by itself
                    del waiting[descriptor]
