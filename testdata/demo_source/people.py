"""The invented patients and clinics. Names, numbers and addresses are chosen so that nobody can take them for real."""
from typing import NamedTuple


class Patient(NamedTuple):
    id: str  # logical id, as in Patient/<id>
    family: str
    given: str
    sex: str  # F or M
    born: str  # ISO date
    number: str  # medical record number as printed
    street: str
    city: str

    @property
    def name(self):
        return f"{self.given} {self.family}"

    @property
    def listed(self):
        return f"{self.family.upper()}, {self.given}"

    @property
    def sex_word(self):
        return {"F": "Female", "M": "Male"}[self.sex]

    @property
    def reference(self):
        return f"Patient/{self.id}"


class Clinic(NamedTuple):
    name: str
    department: str
    street: str
    city: str
    phone: str
    web: str


NORA = Patient("1694010", "Testperson", "Nora Htest", "F", "1961-03-14", "HTEST-1694010",
               "12 Sample Street", "Exampleville, KS 00000")
OTTO = Patient("1316024", "Testperson", "Otto Htest", "M", "1949-11-02", "HTEST-1316024",
               "7 Placeholder Lane", "Exampleville, KS 00000")
IDA = Patient("5BDAC5A796D242FAA4FC038CCD357065", "Testperson", "Ida Htest", "F", "1972-08-25", "HTEST-357065",
              "31 Fictional Avenue", "Exampleville, KS 00000")
ALFRED = Patient("nhs-testpatient", "Testpatient", "Alfred", "M", "1946-05-30", "999 000 0018",
                 "1 Nowhere Close", "Exampleton, ZZ99 9ZZ")
ERIKA = Patient("musterfrau", "Musterfrau", "Erika", "F", "1964-08-12", "MUSTER-0001",
                "Musterstraße 1", "00000 Musterstadt")

PATIENTS = [NORA, OTTO, IDA, ALFRED, ERIKA]

RADIOLOGY = Clinic("Example General Hospital", "Department of Radiology", "100 Example Plaza",
                   "Exampleville, KS 00000", "+1 555 0100", "hospital.example.org")
MEDICINE = RADIOLOGY._replace(department="Department of Medicine")
PATHOLOGY = RADIOLOGY._replace(department="Department of Pathology", phone="+1 555 0107")
ENDOSCOPY = RADIOLOGY._replace(department="Endoscopy Unit", phone="+1 555 0109")
CARDIOLOGY_UK = Clinic("Exampleton Infirmary", "Cardiology Outpatients", "Specimen Road",
                       "Exampleton, ZZ99 8ZZ", "01632 960 100", "infirmary.example.org")
FAMILY_PRACTICE = Clinic("Sample Family Practice", "", "3 Template Road", "Exampleville, KS 00000",
                         "+1 555 0144", "practice.example.com")

DISCLAIMER = "Synthetic document for tests and demonstrations. The patient does not exist."
