"""fhirclient, the SMART client of Python, whose models are R4's and refuse what R4 does not have.

python with_fhirclient.py ENDPOINT VERSION TASK
"""

import base64

from fhirclient.client import FHIRClient
from fhirclient.models import binary, bundle, capabilitystatement, documentreference, patient

from steps import Client, same


def main() -> None:
    client = Client("fhirclient (Python)")
    own, task = client.task["patient"], client.task
    smart = FHIRClient(settings={"app_id": "charta-clients", "api_base": client.url})
    server = smart.server

    with client.step("is ready at an open endpoint"):
        smart.prepare()
        same(smart.ready, True)
        same(isinstance(server.capabilityStatement, capabilitystatement.CapabilityStatement), True)
    with client.step("searches"):
        found = documentreference.DocumentReference.where({"patient": own}).perform_resources(server)
        same({document.status for document in found}, {"current"})
    with client.step("follows pages to the last"):
        ids = [one.id for one in patient.Patient.where({"_count": "2"}).perform_resources_iter(server)]
        same(len(ids), patient.Patient.where({"_count": "2"}).perform(server).total)
        same(len(ids) == len(set(ids)) > 4, True)
    with client.step("reads"):
        read = patient.Patient.read(own, server)
        same(read.birthDate.isostring, "1979-05-04")
        same(smart.human_name(read.name[0]), "Cora R4 Testperson")
    with client.step("creates a Binary and reads it"):
        created = binary.Binary(task["binary"]).create(server)
        same(server.request_json(f"Binary/{created['id']}")["data"], task["binary"]["data"])
    with client.step("creates a document and fetches it by its link"):
        created = documentreference.DocumentReference(task["note"]).create(server)
        attachment = documentreference.DocumentReference.read(created["id"], server).content[0].attachment
        same(attachment.data, None)
        data = server.request_data(attachment.url.removeprefix(f"{client.url}/"), headers={"Accept": "*/*"})
        same(data, base64.b64decode(task["bytes"]))
        same(attachment.size, len(data))
    with client.step("changes and deletes"):
        one = patient.Patient({"resourceType": "Patient", "name": [{"text": "Cora Testperson"}]})
        one = patient.Patient.read(one.create(server)["id"], server)
        one.active = True
        same(one.update(server)["meta"]["versionId"], "2")
        one.delete(server)
        same(patient.Patient.where({"_id": one.id}).perform(server).total, 0)
    with client.step("sends a transaction"):
        done = server.post_json("", bundle.Bundle(task["transaction"]).as_json()).json()
        same([entry.response.status[:3] for entry in bundle.Bundle(done).entry], ["201", "201"])


if __name__ == "__main__":
    main()
