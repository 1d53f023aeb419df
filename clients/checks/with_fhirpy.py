"""fhirpy: searches, pages, reads, creates, changes, deletes, sends a transaction, fetches a document.

python with_fhirpy.py ENDPOINT VERSION TASK
"""

import base64

from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import ResourceNotFound

from steps import Client, same
from web import ask


def main() -> None:
    client = Client("fhirpy")
    fhir = SyncFHIRClient(client.url)
    own, task = client.task["patient"], client.task

    with client.step("searches"):
        found = fhir.resources("DocumentReference").search(patient=own).fetch()
        same({document["resourceType"] for document in found}, {"DocumentReference"})
        same(fhir.resources("Patient").search(_id=own).first()["id"], own)
    with client.step("follows pages to the last"):
        ids = [patient["id"] for patient in fhir.resources("Patient").limit(2)]
        same(len(set(ids)), fhir.resources("Patient").count())
        same(len(ids) == len(set(ids)) > 4, True)
    with client.step("reads"):
        same(fhir.get("Patient", own)["birthDate"], "1979-05-04")
        same(fhir.reference("Patient", own).to_resource()["id"], own)
    with client.step("creates a Binary and reads it"):
        binary = fhir.resource(**with_type(task["binary"]))
        binary.save()
        again = fhir.get("Binary", binary["id"])
        same(again[task["element"]], task["binary"][task["element"]])
    with client.step("creates a document and fetches it by its link"):
        note = fhir.resource(**with_type(task["note"]))
        note.save()
        attachment = fhir.get("DocumentReference", note["id"])["content"][0]["attachment"]
        same("data" in attachment, False)
        answer = ask(attachment["url"])
        same(answer.body, base64.b64decode(task["bytes"]))
        same(int(attachment["size"]), len(answer.body))  # text in R5
        same(answer.headers["Content-Type"], attachment["contentType"])
    with client.step("changes and deletes"):
        patient = fhir.resource("Patient", name=[{"text": "Cora Testperson"}])
        patient.save()
        patient["active"] = True
        patient.save()
        same(patient["meta"]["versionId"], "2")
        patient.delete()
        gone(fhir, patient["id"])
    with client.step("sends a transaction"):
        done = fhir.execute("", method="post", data=task["transaction"])
        same([entry["response"]["status"][:3] for entry in done["entry"]], ["201", "201"])


def with_type(resource: dict) -> dict:
    return {
        "resource_type": resource["resourceType"],
        **{key: value for key, value in resource.items() if key != "resourceType"},
    }


def gone(fhir: SyncFHIRClient, own: str) -> None:
    try:
        fhir.get("Patient", own)
    except ResourceNotFound:
        return
    raise AssertionError(f"Patient/{own} is still there")


if __name__ == "__main__":
    main()
