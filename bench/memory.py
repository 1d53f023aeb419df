"""Memory: idle, and at its peak under many slow downloads of a large document."""

import documents
import machine
import report
import servers
import slow_readers
from documents import MIB

DOWNLOADS = 1000
SIZE = 16 * MIB
IDLE_TARGET_MIB = 40


def parallel_downloads(options):
    """1,000 downloads held open at once by slow readers, then finished: nginx, Charta, Charta as JSON."""
    directory, core = options.directory / "memory", machine.server_core()
    table = report.Table(
        f"Memory under {DOWNLOADS:,} parallel downloads of {documents.label(SIZE)}, slow readers (idle target {IDLE_TARGET_MIB} MiB)",
        ["server", "form", "idle MiB", "peak MiB", "downloads", "held s", "finished s"],
    )
    with servers.nginx(directory / "nginx", core=core) as nginx:
        idle = nginx.memory_kib("VmRSS")
        documents.put_into_nginx(directory / "nginx", SIZE)
        documents.verify(nginx, SIZE)
        results = [downloads(nginx, "native", documents.content(SIZE), {}, idle, table)]
    for form, accept in [("native", {}), ("json", {"Accept": documents.FHIR_JSON})]:
        with servers.charta(options, directory / f"charta-{form}", worker_threads=1, core=core) as charta:
            idle = charta.memory_kib("VmRSS")
            documents.put(charta, SIZE)
            documents.verify(charta, SIZE)
            expected = documents.verified_json(options, charta, SIZE) if accept else documents.content(SIZE)
            results.append(downloads(charta, form, expected, accept, idle, table))
    return results


def downloads(server, form, expected, headers, idle_kib, table):
    server.forget_peak_memory()  # the upload is not what is measured
    held_seconds, finished_seconds = slow_readers.download(server.url, documents.path(SIZE), headers, DOWNLOADS, expected)
    peak_kib = server.memory_kib("VmHWM")
    table.row(server.name, form, report.short(idle_kib / 1024), report.short(peak_kib / 1024), DOWNLOADS,
              report.short(held_seconds), report.short(finished_seconds))
    return {
        "server": server.name, "form": form, "downloads": DOWNLOADS, "size_bytes": SIZE,
        "idle_kib": idle_kib, "peak_kib": peak_kib, "held_seconds": held_seconds, "finished_seconds": finished_seconds,
    }
