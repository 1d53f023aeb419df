"""CDA documents: a Continuity of Care Document (C-CDA R2.1) and one that carries a PDF.

Every statement has a row in the narrative and refers to it. Ids are UUIDs made from the name of the thing, so they
stay the same from run to run; object identifiers below 2.999 belong to nobody (ITU-T X.660 keeps them for examples).
"""
import base64
import uuid
from html import escape

from .people import DISCLAIMER, FAMILY_PRACTICE, IDA, MEDICINE, NORA

T = "2.16.840.1.113883.10.20.22."
LOINC, SNOMED, RXNORM, CVX = ("LOINC", "2.16.840.1.113883.6.1"), ("SNOMED CT", "2.16.840.1.113883.6.96"), \
    ("RxNorm", "2.16.840.1.113883.6.88"), ("CVX", "2.16.840.1.113883.12.292")
NCI = ("NCI Thesaurus", "2.16.840.1.113883.3.26.1.1")
RACE = ("CDC Race and Ethnicity", "2.16.840.1.113883.6.238")
ICD10 = ("ICD-10-CM", "2.16.840.1.113883.6.90")
SEX = ("AdministrativeGender", "2.16.840.1.113883.5.1")
NUCC = ("NUCC", "2.16.840.1.113883.6.101")
NPI = "2.16.840.1.113883.4.6"
RECORDS, SYSTEM = "2.999.1.1", "2.999.1.2"  # our record numbers; our device and organization

WRITTEN = "20240305143000-0600"
SEEN = "20240305"
DISCHARGED = "20240214114200-0600"


def ccd():
    sections = [_allergies(), _medications(), _problems(), _results(), _vital_signs(), _social_history(),
                _immunizations(), _encounters(), _plan()]
    body = "<component>\n<structuredBody>\n" + "".join(sections) + "</structuredBody>\n</component>\n"
    return _document("ccd", [f"{T}1.2"], _code("34133-9", LOINC, "Summarization of Episode Note"),
                     "Continuity of Care Document", IDA, WRITTEN, _author_device(), _care("19720825", WRITTEN), body)


def with_pdf(pdf):
    body = ('<component>\n<nonXMLBody>\n<text mediaType="application/pdf" representation="B64">'
            + base64.b64encode(pdf).decode() + "</text>\n</nonXMLBody>\n</component>\n")
    return _document("unstructured", [f"{T}1.10"], _code("18842-5", LOINC, "Discharge summary"),
                     "Discharge Summary", NORA, DISCHARGED, _author_hospital(), "", body)


# --- the header

def _document(name, templates, code, title, patient, time, author, care, body):
    stamps = "".join(_both(t, "2015-08-01") for t in [f"{T}1.1"] + templates)
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<!-- {DISCLAIMER} -->
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<realmCode code="US"/>
<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
{stamps}<id root="{_uuid(name)}"/>
{code}<title>{title}</title>
<effectiveTime value="{time}"/>
<confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25" displayName="normal"/>
<languageCode code="en-US"/>
{_record_target(patient)}{author}<custodian>
<assignedCustodian>
<representedCustodianOrganization>
{_organization(MEDICINE)}</representedCustodianOrganization>
</assignedCustodian>
</custodian>
{care}{body}</ClinicalDocument>
""".encode()


def _record_target(p):
    return f"""\
<recordTarget>
<patientRole>
<id root="{RECORDS}" extension="{p.number}" assigningAuthorityName="MRN"/>
{_address(p.street, p.city, "HP")}<telecom use="HP" value="tel:+1-555-0163"/>
<patient>
<name use="L"><given>{p.given.split()[0]}</given><given>{p.given.split()[1]}</given><family>{p.family}</family></name>
{_code(p.sex, SEX, p.sex_word, "administrativeGenderCode")}<birthTime value="{p.born.replace("-", "")}"/>
<maritalStatusCode code="M" codeSystem="2.16.840.1.113883.5.2" displayName="Married"/>
{_code("2131-1", RACE, "Other Race", "raceCode")}\
{_code("2186-5", RACE, "Not Hispanic or Latino", "ethnicGroupCode")}<languageCommunication>
<languageCode code="en"/>
<preferenceInd value="true"/>
</languageCommunication>
</patient>
</patientRole>
</recordTarget>
"""


def _author_device():
    return f"""\
<author>
<time value="{WRITTEN}"/>
<assignedAuthor>
<id root="{SYSTEM}" extension="document-generator"/>
{_address(MEDICINE.street, MEDICINE.city, "WP")}<telecom use="WP" value="tel:+1-555-0100"/>
<assignedAuthoringDevice>
<manufacturerModelName>Example Record System</manufacturerModelName>
<softwareName>Example Summary Generator</softwareName>
</assignedAuthoringDevice>
<representedOrganization>
{_organization(MEDICINE)}</representedOrganization>
</assignedAuthor>
</author>
"""


def _author_hospital():
    return f"""\
<author>
<time value="{DISCHARGED}"/>
<assignedAuthor>
<id root="{SYSTEM}" extension="lee-placeholder"/>
{_code("207R00000X", NUCC, "Internal Medicine Physician")}\
{_address(MEDICINE.street, MEDICINE.city, "WP")}<telecom use="WP" value="tel:+1-555-0100"/>
<assignedPerson><name><given>Lee</given><family>Placeholder</family></name></assignedPerson>
</assignedAuthor>
</author>
"""


def _care(low, high):
    return f"""\
<documentationOf>
<serviceEvent classCode="PCPR">
<effectiveTime><low value="{low}"/><high value="{high}"/></effectiveTime>
<performer typeCode="PRF">
<functionCode code="PCP" codeSystem="2.16.840.1.113883.5.88" displayName="primary care physician"/>
<assignedEntity>
{_physician()}</assignedEntity>
</performer>
</serviceEvent>
</documentationOf>
"""


def _physician():
    c = FAMILY_PRACTICE
    return f"""\
<id root="{NPI}" extension="1234567893"/>
{_code("207Q00000X", NUCC, "Family Medicine Physician")}\
{_address(c.street, c.city, "WP")}<telecom use="WP" value="tel:+1-555-0144"/>
<assignedPerson><name><given>Ann</given><family>Notional</family></name></assignedPerson>
"""


def _organization(clinic):
    return f"""\
<id root="{SYSTEM}" extension="example-general-hospital"/>
<name>{clinic.name}</name>
<telecom use="WP" value="tel:+1-555-0100"/>
{_address(clinic.street, clinic.city, "WP")}"""


def _address(street, city, use):
    town, rest = city.split(", ")
    state, postal = rest.split(" ", 1)
    return (f'<addr use="{use}"><streetAddressLine>{street}</streetAddressLine><city>{town}</city>'
            f"<state>{state}</state><postalCode>{postal}</postalCode><country>US</country></addr>\n")


# --- the sections

def _allergies():
    entries = []
    for key, start, kind, substance, reaction, severity, criticality in [
            ("alg1", "20090512", ("416098002", "Allergy to drug"), ("7980", RXNORM, "penicillin G"),
             ("271807003", "Eruption of skin"), ("6736007", "Moderate"), ("CRITL", "low criticality")),
            ("alg2", "19850701", ("414285001", "Allergy to food"), ("256349002", SNOMED, "Peanut"),
             ("39579001", "Anaphylaxis"), ("24484000", "Severe"), ("CRITH", "high criticality"))]:
        entries.append(_concern("4.30", "2015-08-01", key, start, f"""\
<observation classCode="OBS" moodCode="EVN">
{_both(f"{T}4.7", "2014-06-09")}{_id(key)}<code code="ASSERTION" codeSystem="2.16.840.1.113883.5.4"/>
{_see(key)}<statusCode code="completed"/>
<effectiveTime><low value="{start}"/></effectiveTime>
{_value(kind[0], SNOMED, kind[1])}{_author(start)}<participant typeCode="CSM">
<participantRole classCode="MANU">
<playingEntity classCode="MMAT">
{_code(*substance, see=key + "s")}</playingEntity>
</participantRole>
</participant>
{_reaction(key, start, reaction, severity)}{_criticality(key, criticality)}</observation>
"""))
    return _section("Allergies and Intolerances", ("48765-2", "Allergies and adverse reactions Document"),
                    [(f"{T}2.6", "2015-08-01"), (f"{T}2.6.1", "2015-08-01")],
                    ["Substance", "Reaction", "Severity", "Criticality", "Since"],
                    [("alg1", [("alg1s", "Penicillin G"), ("alg1r", "Rash"), ("alg1v", "Moderate"), ("alg1c", "Low"),
                               "May 12, 2009"]),
                     ("alg2", [("alg2s", "Peanut"), ("alg2r", "Anaphylaxis"), ("alg2v", "Severe"), ("alg2c", "High"),
                               "July 1, 1985"])],
                    entries)


def _reaction(key, start, reaction, severity):
    how_severe = f"""\
<observation classCode="OBS" moodCode="EVN">
{_both(f"{T}4.8", "2014-06-09")}<code code="SEV" codeSystem="2.16.840.1.113883.5.4"/>
{_see(key + "v")}<statusCode code="completed"/>
{_value(severity[0], SNOMED, severity[1])}</observation>
"""
    return _related("MFST", f"""\
<observation classCode="OBS" moodCode="EVN">
{_both(f"{T}4.9", "2014-06-09")}{_id(key + "r")}<code code="ASSERTION" codeSystem="2.16.840.1.113883.5.4"/>
{_see(key + "r")}<statusCode code="completed"/>
<effectiveTime><low value="{start}"/></effectiveTime>
{_value(reaction[0], SNOMED, reaction[1])}{_related("SUBJ", how_severe, inverted=True)}</observation>
""", inverted=True)


def _criticality(key, criticality):
    return _related("SUBJ", f"""\
<observation classCode="OBS" moodCode="EVN">
{_template(f"{T}4.145")}{_code("82606-5", LOINC, "Allergy or intolerance criticality")}\
{_see(key + "c")}<statusCode code="completed"/>
<value xsi:type="CD" code="{criticality[0]}" codeSystem="2.16.840.1.113883.5.1063" displayName="{criticality[1]}"/>
</observation>
""", inverted=True)


def _medications():
    rows, entries = [], []
    for key, start, drug, hours, directions in [
            ("med1", "20190318", ("861007", "metformin hydrochloride 500 MG Oral Tablet"), 12, "1 tablet twice a day with meals"),
            ("med2", "20200110", ("314076", "lisinopril 10 MG Oral Tablet"), 24, "1 tablet every morning")]:
        rows.append((key, [(key + "n", drug[1]), (key + "d", directions), _day(start), "Active"]))
        entries.append(_entry(f"""\
<substanceAdministration classCode="SBADM" moodCode="INT">
{_both(f"{T}4.16", "2014-06-09")}{_id(key)}{_see(key)}<statusCode code="active"/>
<effectiveTime xsi:type="IVL_TS"><low value="{start}"/></effectiveTime>
<effectiveTime xsi:type="PIVL_TS" institutionSpecified="true" operator="A"><period value="{hours}" unit="h"/></effectiveTime>
{_code("C38288", NCI, "ORAL", "routeCode", translation=("26643006", SNOMED, "Oral route"))}<doseQuantity value="1"/>
<consumable>
<manufacturedProduct classCode="MANU">
{_both(f"{T}4.23", "2014-06-09")}<manufacturedMaterial>
{_code(drug[0], RXNORM, drug[1], see=key + "n")}</manufacturedMaterial>
</manufacturedProduct>
</consumable>
{_author(start)}</substanceAdministration>
"""))
    return _section("Medications", ("10160-0", "History of Medication use Narrative"),
                    [(f"{T}2.1", "2014-06-09"), (f"{T}2.1.1", "2014-06-09")],
                    ["Medicine", "Directions", "Since", "Status"], rows, entries)


def _problems():
    rows, entries = [], []
    for key, start, problem, icd in [
            ("prb1", "20190304", ("44054006", "Diabetes mellitus type 2"),
             ("E11.9", "Type 2 diabetes mellitus without complications")),
            ("prb2", "20200110", ("59621000", "Essential hypertension"), ("I10", "Essential (primary) hypertension"))]:
        rows.append((key, [(key + "n", problem[1]), _day(start), (key + "s", "Active")]))
        status = f"""\
<observation classCode="OBS" moodCode="EVN">
{_both(f"{T}4.6", "2019-06-20")}{_code("33999-4", LOINC, "Status")}{_see(key + "s")}<statusCode code="completed"/>
{_value("55561003", SNOMED, "Active")}</observation>
"""
        entries.append(_concern("4.3", "2015-08-01", key, start, f"""\
<observation classCode="OBS" moodCode="EVN">
{_both(f"{T}4.4", "2015-08-01")}{_id(key)}\
{_code("55607006", SNOMED, "Problem", translation=("75326-9", LOINC, "Problem"))}{_see(key)}\
<statusCode code="completed"/>
<effectiveTime><low value="{start}"/></effectiveTime>
{_value(problem[0], SNOMED, problem[1], see=key + "n", translation=(icd[0], ICD10, icd[1]))}{_author(start)}\
{_related("REFR", status)}</observation>
"""))
    return _section("Problems", ("11450-4", "Problem list - Reported"),
                    [(f"{T}2.5", "2015-08-01"), (f"{T}2.5.1", "2015-08-01")],
                    ["Problem", "Since", "Status"], rows, entries)


def _results():
    when = "20240301074500-0600"
    tests = [("res1", "4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "7.1", "%", "4.0", "5.6", "H"),
             ("res2", "2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "0.78", "mg/dL", "0.50", "1.10", "N"),
             ("res3", "2823-3", "Potassium [Moles/volume] in Serum or Plasma", "4.4", "mmol/L", "3.5", "5.1", "N")]
    parts, rows = "", [("res0", [("res0n", "Laboratory panel"), "", "", "", "March 1, 2024 07:45"])]
    for key, code, name, value, unit, low, high, flag in tests:
        rows.append((key, [(key + "n", name), f"{value} {unit}", f"{low} to {high} {unit}",
                           {"H": "High", "N": "Normal"}[flag], "March 1, 2024 07:45"]))
        parts += f"""\
<component>
<observation classCode="OBS" moodCode="EVN">
{_both(f"{T}4.2", "2015-08-01")}{_id(key)}{_code(code, LOINC, name, see=key + "n")}{_see(key)}\
<statusCode code="completed"/>
<effectiveTime value="{when}"/>
<value xsi:type="PQ" value="{value}" unit="{unit}"/>
<interpretationCode code="{flag}" codeSystem="2.16.840.1.113883.5.83" displayName="{rows[-1][1][3]}"/>
{_author(when)}<referenceRange>
<observationRange>
<value xsi:type="IVL_PQ"><low value="{low}" unit="{unit}"/><high value="{high}" unit="{unit}"/></value>
</observationRange>
</referenceRange>
</observation>
</component>
"""
    entry = _entry(f"""\
<organizer classCode="BATTERY" moodCode="EVN">
{_both(f"{T}4.1", "2015-08-01")}{_id("res0")}{_code("26436-6", LOINC, "Laboratory studies (set)", see="res0n")}\
<statusCode code="completed"/>
<effectiveTime><low value="{when}"/><high value="{when}"/></effectiveTime>
{_author(when)}{parts}</organizer>
""")
    return _section("Results", ("30954-2", "Relevant diagnostic tests/laboratory data note"),
                    [(f"{T}2.3", "2015-08-01"), (f"{T}2.3.1", "2015-08-01")],
                    ["Test", "Value", "Reference", "Interpretation", "Time"], rows, [entry])


def _vital_signs():
    when = "20240305141000-0600"
    signs = [("vit1", "8480-6", "Systolic blood pressure", "132", "mm[Hg]"),
             ("vit2", "8462-4", "Diastolic blood pressure", "82", "mm[Hg]"), ("vit3", "8867-4", "Heart rate", "71", "/min"),
             ("vit4", "8302-2", "Body height", "168", "cm"), ("vit5", "29463-7", "Body weight", "77.5", "kg"),
             ("vit6", "39156-5", "Body mass index (BMI)", "27.5", "kg/m2")]
    parts, rows = "", [("vit0", [("vit0n", "Vital signs"), "", "March 5, 2024 14:10"])]
    for key, code, name, value, unit in signs:
        rows.append((key, [(key + "n", name), f"{value} {unit}", "March 5, 2024 14:10"]))
        parts += f"""\
<component>
<observation classCode="OBS" moodCode="EVN">
{_both(f"{T}4.27", "2014-06-09")}{_id(key)}{_code(code, LOINC, name, see=key + "n")}{_see(key)}\
<statusCode code="completed"/>
<effectiveTime value="{when}"/>
<value xsi:type="PQ" value="{value}" unit="{unit}"/>
{_author(when)}</observation>
</component>
"""
    entry = _entry(f"""\
<organizer classCode="CLUSTER" moodCode="EVN">
{_both(f"{T}4.26", "2015-08-01")}{_id("vit0")}\
{_code("46680005", SNOMED, "Vital signs", see="vit0n", translation=("74728-7", LOINC, "Vital signs, weight, height, head circumference, oxygen saturation and BMI panel"))}\
<statusCode code="completed"/>
<effectiveTime><low value="{when}"/><high value="{when}"/></effectiveTime>
{_author(when)}{parts}</organizer>
""")
    return _section("Vital Signs", ("8716-3", "Vital signs note"),
                    [(f"{T}2.4", "2015-08-01"), (f"{T}2.4.1", "2015-08-01")],
                    ["Measurement", "Value", "Time"], rows, [entry])


def _social_history():
    smoking = f"""\
<observation classCode="OBS" moodCode="EVN">
{_both(f"{T}4.78", "2014-06-09")}{_id("soc1")}{_code("72166-2", LOINC, "Tobacco smoking status")}{_see("soc1")}\
<statusCode code="completed"/>
<effectiveTime value="{SEEN}"/>
{_value("8517006", SNOMED, "Former smoker", see="soc1n")}{_author(SEEN)}</observation>
"""
    birth_sex = f"""\
<observation classCode="OBS" moodCode="EVN">
{_template(f"{T}4.200", "2016-06-01")}{_template(f"{T}4.200", "2023-05-01")}{_id("soc2")}{_code("76689-9", LOINC, "Sex Assigned At Birth")}{_see("soc2")}\
<statusCode code="completed"/>
<effectiveTime value="{SEEN}"/>
{_value("F", SEX, "Female", see="soc2n")}{_author(SEEN)}</observation>
"""
    return _section("Social History", ("29762-2", "Social history note"), [(f"{T}2.17", "2015-08-01")],
                    ["Item", "Value", "Recorded"],
                    [("soc1", ["Smoking status", ("soc1n", "Former smoker"), _day(SEEN)]),
                     ("soc2", ["Sex at birth", ("soc2n", "Female"), _day(SEEN)])],
                    [_entry(smoking), _entry(birth_sex)])


def _immunizations():
    return _section("Immunizations", ("11369-6", "History of Immunization note"),
                    [(f"{T}2.2", "2015-08-01"), (f"{T}2.2.1", "2015-08-01")],
                    ["Vaccine", "Given", "Lot"],
                    [("imm1", [("imm1n", "Influenza, injectable, preservative free"), "October 17, 2023", "EXAMPLE-77"])],
                    [_entry(f"""\
<substanceAdministration classCode="SBADM" moodCode="EVN" negationInd="false">
{_both(f"{T}4.52", "2015-08-01")}{_id("imm1")}{_see("imm1")}<statusCode code="completed"/>
<effectiveTime value="20231017"/>
{_code("C28161", NCI, "INTRAMUSCULAR", "routeCode", translation=("78421000", SNOMED, "Intramuscular route"))}\
<doseQuantity value="0.5" unit="mL"/>
<consumable>
<manufacturedProduct classCode="MANU">
{_both(f"{T}4.54", "2014-06-09")}<manufacturedMaterial>
{_code("140", CVX, "Influenza, split virus, trivalent, PF", see="imm1n")}<lotNumberText>EXAMPLE-77</lotNumberText>
</manufacturedMaterial>
<manufacturerOrganization><name>Example Vaccines</name></manufacturerOrganization>
</manufacturedProduct>
</consumable>
{_author("20231017")}</substanceAdministration>
""")])


def _encounters():
    return _section("Encounters", ("46240-8", "History of Hospitalizations+Outpatient visits"),
                    [(f"{T}2.22", "2015-08-01"), (f"{T}2.22.1", "2015-08-01")],
                    ["Encounter", "Time", "With"],
                    [("enc1", [("enc1n", "Diabetes check"), "March 5, 2024 14:00 to 14:25", "Dr Ann Notional"])],
                    [_entry(f"""\
<encounter classCode="ENC" moodCode="EVN">
{_both(f"{T}4.49", "2015-08-01")}{_id("enc1")}\
{_code("185349003", SNOMED, "Encounter for check up", see="enc1n", translation=("AMB", ("ActCode", "2.16.840.1.113883.5.4"), "ambulatory"))}\
{_see("enc1")}<statusCode code="completed"/>
<effectiveTime><low value="20240305140000-0600"/><high value="20240305142500-0600"/></effectiveTime>
<performer>
<assignedEntity>
{_physician()}</assignedEntity>
</performer>
</encounter>
""")])


def _plan():
    return _section("Plan of Treatment", ("18776-5", "Plan of care note"), [(f"{T}2.10", "2014-06-09")],
                    ["Planned", "When"],
                    [("pln1", [("pln1n", "Screening for diabetic retinopathy"), "June 2024"])],
                    [_entry(f"""\
<procedure classCode="PROC" moodCode="RQO">
{_both(f"{T}4.41", "2014-06-09")}{_id("pln1")}\
{_code("134395001", SNOMED, "Diabetic retinopathy screening", see="pln1n")}{_see("pln1")}<statusCode code="active"/>
<effectiveTime value="202406"/>
{_author(SEEN)}</procedure>
""")])


# --- the parts that they share

def _section(title, code, templates, head, rows, entries):
    """`rows` are (id, cells); a cell is a text, or (id, text) where a statement refers to it alone."""
    def cell(c):
        return f'<td><content ID="{c[0]}">{escape(c[1])}</content></td>' if isinstance(c, tuple) else f"<td>{escape(c)}</td>"

    stamps = "".join(_both(*t) for t in templates)
    header = "".join(f"<th>{h}</th>" for h in head)
    table = "".join(f'<tr ID="{key}">{"".join(map(cell, cells))}</tr>\n' for key, cells in rows)
    return f"""\
<component>
<section>
{stamps}{_code(code[0], LOINC, code[1])}<title>{title}</title>
<text>
<table border="1">
<thead><tr>{header}</tr></thead>
<tbody>
{table}</tbody>
</table>
</text>
{"".join(entries)}</section>
</component>
"""


def _concern(template, version, key, start, statement):
    return _entry(f"""\
<act classCode="ACT" moodCode="EVN">
{_both(T + template, version)}{_id(key + "-concern")}<code code="CONC" codeSystem="2.16.840.1.113883.5.6"/>
<statusCode code="active"/>
<effectiveTime><low value="{start}"/></effectiveTime>
{_author(start)}{_related("SUBJ", statement)}</act>
""")


def _entry(statement):
    return f'<entry typeCode="DRIV">\n{statement}</entry>\n'


def _related(kind, statement, inverted=False):
    mark = ' inversionInd="true"' if inverted else ""
    return f'<entryRelationship typeCode="{kind}"{mark}>\n{statement}</entryRelationship>\n'


def _author(time):
    return f"""\
<author>
{_template(f"{T}4.119")}<time value="{time}"/>
<assignedAuthor>
{_physician()}</assignedAuthor>
</author>
"""


def _template(root, extension=None):
    mark = f' extension="{extension}"' if extension else ""
    return f'<templateId root="{root}"{mark}/>\n'


def _both(root, extension):
    return _template(root) + _template(root, extension)


def _code(code, system, display, element="code", see=None, translation=None):
    return _coded(element, "", code, system, display, see, translation)


def _value(code, system, display, see=None, translation=None):
    return _coded("value", ' xsi:type="CD"', code, system, display, see, translation)


def _coded(element, kind, code, system, display, see, translation):
    start = (f'<{element}{kind} code="{code}" codeSystem="{system[1]}" codeSystemName="{system[0]}" '
             f'displayName="{escape(display)}"')
    inner = f'<originalText><reference value="#{see}"/></originalText>\n' if see else ""
    if translation:
        inner += _coded("translation", "", *translation, None, None)
    return f"{start}>\n{inner}</{element}>\n" if inner else f"{start}/>\n"


def _see(key):
    return f'<text><reference value="#{key}"/></text>\n'


def _id(key):
    return f'<id root="{_uuid(key)}"/>\n'


def _uuid(name):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"http://hospital.example.org/demo/{name}")).upper()


def _day(date):
    months = "January February March April May June July August September October November December".split()
    return f"{months[int(date[4:6]) - 1]} {int(date[6:8])}, {date[:4]}"
