"""The text of the reports, once; `pages.py` and `pdf.py` give it its forms.

A report is a list of sections; a section a heading and blocks. A block is a paragraph (`str`), a list
of items (`list`), or a table (`Table`).
"""
from typing import NamedTuple

from .people import (ALFRED, CARDIOLOGY_UK, ENDOSCOPY, MEDICINE, NORA, OTTO, PATHOLOGY, RADIOLOGY, Clinic, Patient)


class Table(NamedTuple):
    head: list
    rows: list


class Report(NamedTuple):
    title: str
    patient: Patient
    clinic: Clinic
    facts: list  # (label, value) shown in the box on top
    sections: list  # (heading, blocks)
    signed: str
    status: str = "Final report"


CT_CHEST = Report(
    title="CT Angiography of the Chest",
    patient=NORA,
    clinic=RADIOLOGY,
    facts=[("Accession", "HTEST-CT-24-00417"), ("Performed", "2024-02-11 22:14"),
           ("Ordered by", "Piet Example, MD (Emergency)"), ("Reported", "2024-02-11 22:51")],
    sections=[
        ("Clinical indication", [
            "62-year-old woman with sudden breathlessness and right-sided pleuritic pain two weeks after a long "
            "flight. Heart rate 104/min, SpO₂ 91 % on room air, D-dimer 2.4 mg/L. Pulmonary embolism?"]),
        ("Technique", [
            "Helical acquisition from the lung apices to the diaphragm, 1.0 mm sections, 65 mL iodinated contrast "
            "(350 mg/mL) at 4 mL/s, bolus tracking in the pulmonary trunk (452 HU at peak). DLP 214 mGy·cm. "
            "No adverse reaction."]),
        ("Comparison", ["Chest radiograph of 2024-02-11, 20:40."]),
        ("Findings", [
            "Pulmonary arteries: filling defects in the segmental branches of the right lower lobe (S9, S10) and one "
            "subsegmental branch of the right middle lobe. No central embolus. Pulmonary trunk 27 mm.",
            "Heart: RV/LV ratio 0.9, septum not flattened, no reflux of contrast into the hepatic veins. "
            "No pericardial effusion.",
            "Lungs and pleura: wedge-shaped subpleural opacity of 18 × 11 mm in the right lower lobe, in keeping with "
            "a small infarct. Trace right effusion. Solid nodule of 5 mm in the left upper lobe (series 4, image 88).",
            "Mediastinum, bones, upper abdomen: no enlarged lymph nodes; mild degenerative change of the thoracic "
            "spine; simple hepatic cyst of 9 mm in segment IV."]),
        ("Impression", [[
            "Acute segmental pulmonary embolism of the right lower and middle lobe without signs of right heart strain.",
            "Small pulmonary infarct in the right lower lobe, trace effusion.",
            "Incidental 5 mm nodule of the left upper lobe: CT in 12 months if the patient has risk factors."]]),
        ("Communication", [
            "Told to Dr Example by telephone on 2024-02-11 at 22:46 and read back."]),
    ],
    signed="Electronically signed by Rana Template, MD, Radiology, 2024-02-11 22:51",
)

DISCHARGE = Report(
    title="Discharge Summary",
    patient=NORA,
    clinic=MEDICINE,
    facts=[("Admitted", "2024-02-11 20:05"), ("Discharged", "2024-02-14 11:30"),
           ("Ward", "4 West, bed 12"), ("Attending", "Lee Placeholder, MD")],
    sections=[
        ("Diagnoses", [[
            "Acute pulmonary embolism, right lower and middle lobe, low risk (sPESI 0, troponin negative)",
            "Small pulmonary infarct, right lower lobe",
            "Essential hypertension",
            "Incidental pulmonary nodule, left upper lobe, 5 mm"]]),
        ("Presenting complaint", [
            "Mrs Testperson came to the emergency department with breathlessness that had begun that afternoon and a "
            "stabbing pain on the right on breathing in. She had flown for eleven hours two weeks before. No fever, no "
            "haemoptysis, no leg swelling. No earlier thrombosis, no known cancer, no hormones."]),
        ("Hospital course", [
            "CT angiography showed segmental emboli on the right without strain of the right ventricle. Apixaban was "
            "begun in the emergency department. Compression ultrasound of both legs was normal. Oxygen at 2 L/min was "
            "needed for the first night; from the second day saturation stayed above 94 % on room air, also on stairs.",
            "Blood pressure was raised on the first two days (up to 164/92 mmHg) and came back to her usual values "
            "with her own lisinopril. The nodule was explained to the patient; she has never smoked.",
            "No bleeding, no fall in haemoglobin. She went home well on the fourth day."]),
        ("Results", [
            Table(["Test", "2024-02-11", "2024-02-13", "Reference"],
                  [["Haemoglobin", "13.4 g/dL", "13.1 g/dL", "12.0–15.5"],
                   ["Platelets", "241 ×10⁹/L", "228 ×10⁹/L", "150–400"],
                   ["Creatinine", "0.82 mg/dL", "0.79 mg/dL", "0.50–1.10"],
                   ["D-dimer", "2.4 mg/L (H)", "–", "< 0.5"],
                   ["Troponin T", "< 5 ng/L", "< 5 ng/L", "< 14"],
                   ["NT-proBNP", "188 pg/mL", "–", "< 300"]])]),
        ("Medication at discharge", [
            Table(["Medicine", "Dose", "Note"],
                  [["Apixaban 5 mg", "2 tablets twice daily until 2024-02-18, then 1 twice daily", "new, at least 3 months"],
                   ["Lisinopril 10 mg", "1 tablet in the morning", "unchanged"],
                   ["Paracetamol 500 mg", "1–2 tablets up to 4 times daily if in pain", "new, for one week"],
                   ["Ibuprofen 400 mg", "–", "stopped (risk of bleeding)"]])]),
        ("Allergies", ["None known."]),
        ("Follow-up", [[
            "Family practice within one week: blood pressure, bleeding, understanding of the new medicine.",
            "Thrombosis clinic, 2024-05-14: length of anticoagulation, search for a cause.",
            "Low-dose CT of the chest in February 2025 if thought useful (nodule of 5 mm, low risk)."]]),
        ("Advice to the patient", [
            "Take apixaban every day and do not stop it yourself. Come back at once with new breathlessness, fainting, "
            "coughing of blood, black stools or a fall on the head. Get up and walk every two hours on long journeys."]),
    ],
    signed="Electronically signed by Lee Placeholder, MD, Internal Medicine, 2024-02-14 11:42",
    status="Final",
)

PATHOLOGY_POLYP = Report(
    title="Surgical Pathology Report",
    patient=OTTO,
    clinic=PATHOLOGY,
    facts=[("Case", "HTEST-S14-10731"), ("Collected", "2014-10-29 09:35"),
           ("Received", "2014-10-29 11:10"), ("Reported", "2014-10-31 15:20")],
    sections=[
        ("Final diagnosis", [[
            "A. Colon, ascending, polypectomy: tubular adenoma, 7 mm, with low-grade dysplasia. "
            "Margin of resection free of dysplasia.",
            "B. Colon, sigmoid, polypectomy: hyperplastic polyp, 4 mm."],
            "No high-grade dysplasia and no carcinoma in either specimen."]),
        ("Specimens", [
            Table(["Part", "Site", "Container", "Pieces", "Largest"],
                  [["A", "Ascending colon", "Formalin, 20 mL", "1", "7 × 5 × 4 mm"],
                   ["B", "Sigmoid colon, 30 cm", "Formalin, 20 mL", "2", "4 × 3 × 2 mm"]])]),
        ("Clinical information", [
            "64-year-old man, surveillance colonoscopy three years after two small adenomas. "
            "Two polyps removed with a cold snare."]),
        ("Gross description", [
            "A. Received in formalin, labelled with name and “ascending”: one pink-tan polypoid fragment. Base inked "
            "black, bisected, all submitted in A1.",
            "B. Received in formalin, labelled with name and “sigmoid”: two pale soft fragments, all submitted in B1."]),
        ("Microscopic description", [
            "A. Crowded tubular glands with elongated, pencil-shaped, stratified nuclei that keep their polarity; "
            "villous part below 5 %. The inked base shows normal crypts.",
            "B. Crypts with serration confined to the upper half, goblet cells preserved, narrow bases. No features "
            "of a sessile serrated lesion."]),
        ("Immunohistochemistry", ["None requested."]),
        ("Comment", [
            "The interval to the next colonoscopy is a clinical decision that takes the earlier findings and the "
            "quality of the preparation into account."]),
    ],
    signed="Electronically signed by Uma Specimen, MD, Anatomic Pathology, 2014-10-31 15:20",
)

PROGRESS_NOTE = Report(
    title="Progress Note, Internal Medicine",
    patient=NORA,
    clinic=MEDICINE,
    facts=[("Date", "2024-02-12 08:20"), ("Hospital day", "2"),
           ("Author", "Lee Placeholder, MD"), ("Location", "4 West, bed 12")],
    sections=[
        ("Subjective", [
            "Slept badly because of the pain on breathing in, now 3/10 after paracetamol. Less breathless than "
            "yesterday. No bleeding. Ate breakfast."]),
        ("Objective", [
            Table(["Time", "Temp °C", "Pulse /min", "BP mmHg", "SpO₂ %", "O₂ L/min"],
                  [["00:00", "37.4", "98", "158/90", "95", "2"],
                   ["04:00", "37.2", "92", "164/92", "95", "2"],
                   ["08:00", "37.1", "88", "148/86", "94", "0"]]),
            "Chest: reduced breath sounds at the right base, no wheeze. Heart: regular, no murmur. "
            "Legs: soft, not swollen, calves equal (36 cm)."]),
        ("Assessment", [[
            "Segmental pulmonary embolism, haemodynamically stable, day 2 of apixaban.",
            "Pleuritic pain from the small infarct, controlled.",
            "Blood pressure above her usual values."]]),
        ("Plan", [[
            "Apixaban 10 mg twice daily goes on; no interaction with her medicines.",
            "Ultrasound of both legs today. Oxygen only below 92 %.",
            "Lisinopril 10 mg given again from this morning.",
            "Home on day 4 if saturation holds on stairs."]]),
    ],
    signed="Electronically signed by Lee Placeholder, MD, 2024-02-12 08:41",
    status="Signed",
)

CLINIC_LETTER = Report(
    title="Outpatient Clinic Letter",
    patient=ALFRED,
    clinic=CARDIOLOGY_UK,
    facts=[("Clinic date", "5 June 2018"), ("Typed", "6 June 2018"),
           ("Consultant", "Dr Gwen Specimen"), ("To", "Dr B. Fictitious, Exampleton Surgery")],
    sections=[
        ("Diagnoses", [[
            "Paroxysmal atrial fibrillation, CHA2DS2-VASc 3",
            "Hypertension",
            "Osteoarthritis of both knees"]]),
        ("Dear Dr Fictitious", [
            "Thank you for asking me to see this 72-year-old retired bus driver. Since Christmas he has had four spells "
            "of fast, irregular heartbeat, each lasting an hour or two and settling by itself. He was a little light-"
            "headed with them but has never fainted and has had no chest pain. He walks his dog for forty minutes a day.",
            "On examination his pulse was 68 and regular, blood pressure 146/82. There was no murmur, the chest was "
            "clear and there was no ankle swelling. His ECG shows sinus rhythm with a normal QRS and a corrected QT of "
            "412 ms. The seven-day recorder caught one run of atrial fibrillation of fifty minutes at a mean rate of "
            "118. The echocardiogram shows good function of the left ventricle (EF 60 %) and a mildly dilated left "
            "atrium (42 mm)."]),
        ("What we agreed", [[
            "Apixaban 5 mg twice daily from today, after talking through the risk of stroke and of bleeding.",
            "Bisoprolol 2.5 mg once daily. Please check pulse and blood pressure in two weeks.",
            "Amlodipine 5 mg goes on unchanged. Please avoid diclofenac from now on.",
            "Less than two glasses of beer an evening; he is willing to try."]]),
        ("Follow-up", [
            "I will see him again in four months. If the spells go on we shall speak about an antiarrhythmic drug or "
            "ablation. Please check renal function and a full blood count once a year."]),
    ],
    signed="Dr Gwen Specimen, Consultant Cardiologist. Dictated, read and signed on 6 June 2018",
    status="Copy to patient",
)

COLONOSCOPY = Report(
    title="Colonoscopy Procedure Note",
    patient=OTTO,
    clinic=ENDOSCOPY,
    facts=[("Date", "2014-10-29 09:10"), ("Endoscopist", "Kim Dummy, MD"),
           ("Sedation", "Midazolam 3 mg, fentanyl 50 µg"), ("Preparation", "Boston scale 3-3-2")],
    sections=[
        ("Indication", ["Surveillance, two small adenomas in 2011."]),
        ("Findings", [[
            "Caecum reached after 6 min, withdrawal 11 min.",
            "Ascending colon: sessile polyp of 7 mm, cold snare, retrieved (A).",
            "Sigmoid colon, 30 cm: polyp of 4 mm, cold snare, retrieved (B).",
            "A few sigmoid diverticula without inflammation."]]),
        ("Complications", ["None. Blood loss below 5 mL."]),
        ("Recommendation", ["Interval by histology. Aspirin 100 mg may be taken again tomorrow."]),
    ],
    signed="Kim Dummy, MD, 2014-10-29 09:48",
    status="Final",
)
