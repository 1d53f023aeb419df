use super::*;
use crate::Version;
use crate::patch::fhirpath_patch;

mod refusals;

const PATIENT: &str = "{'resourceType':'Patient','id':'p1','meta':{'versionId':'3','lastUpdated':'2024-01-01T00:00:00Z'},\
    'identifier':[{'system':'http://a','value':'1'},{'system':'http://b','value':'2'},{'system':'http://a','value':'3'}],\
    'active':true,'name':[{'use':'official','family':'A','given':['x','y']},{'use':'usual','given':['z']}],\
    'birthDate':'1970-01-01','deceasedBoolean':false,'multipleBirthInteger':2}";

/// An operation from its parts: `part('type', 'valueCode', "'add'")`.
fn operation(parts: &[(&str, &str)]) -> String {
    let parts = parts.iter().map(|(name, content)| format!("{{'name':'{name}',{content}}}"));
    format!("{{'name':'operation','part':[{}]}}", parts.collect::<Vec<_>>().join(","))
}

fn string(text: &str) -> String {
    format!("'valueString':\"{text}\"")
}

fn add(path: &str, name: &str, value: &str) -> String {
    operation(&[
        ("type", "'valueCode':'add'"),
        ("path", &string(path)),
        ("name", &string(name)),
        ("value", value),
    ])
}

fn insert(path: &str, index: usize, value: &str) -> String {
    let index = format!("'valueInteger':{index}");
    operation(&[
        ("type", "'valueCode':'insert'"),
        ("path", &string(path)),
        ("index", &index),
        ("value", value),
    ])
}

fn delete(path: &str) -> String {
    operation(&[("type", "'valueCode':'delete'"), ("path", &string(path))])
}

fn replace(path: &str, value: &str) -> String {
    operation(&[("type", "'valueCode':'replace'"), ("path", &string(path)), ("value", value)])
}

fn shift(path: &str, source: usize, destination: usize) -> String {
    let (source, destination) = (format!("'valueInteger':{source}"), format!("'valueInteger':{destination}"));
    operation(&[
        ("type", "'valueCode':'move'"),
        ("path", &string(path)),
        ("source", &source),
        ("destination", &destination),
    ])
}

fn parameters(operations: &[String]) -> Node {
    tree_of(&format!("{{'resourceType':'Parameters','parameter':[{}]}}", operations.join(",")))
}

/// Like [`tree`], but single quotes inside of double ones are themselves.
fn tree_of(text: &str) -> Node {
    let mut quoted = false;
    let text = text.chars().map(|c| {
        quoted ^= c == '"';
        match c {
            '\'' if quoted => "\\u0027".to_owned(),
            '\'' => "\"".to_owned(),
            c => c.to_string(),
        }
    });
    tree(&text.collect::<String>())
}

fn apply(resource: &str, operations: &[String]) -> String {
    told(&fhirpath_patch(&tree(resource), &parameters(operations), Version::R4))
}

#[track_caller]
fn check(resource: &str, operation: &str, expected: &str) {
    assert_eq!(apply(resource, &[operation.to_owned()]), expected, "{resource} by {operation}");
}

/// The same on [`PATIENT`], with what changes in its text.
#[track_caller]
fn check_patient(operation: &str, before: &str, after: &str) {
    assert!(PATIENT.contains(before), "{before}");
    check(PATIENT, operation, &PATIENT.replacen(before, after, 1));
}

#[track_caller]
fn refuse(operation: &str, expected: &str) {
    check(PATIENT, operation, expected);
}

#[test]
fn without_operations_nothing_changes() {
    assert_eq!(apply(PATIENT, &[]), PATIENT);
    let patch = tree("{'resourceType':'Parameters'}");
    assert_eq!(told(&fhirpath_patch(&tree(PATIENT), &patch, Version::R5)), PATIENT);
}

#[test]
fn a_document_is_superseded_in_every_version() {
    let replace = replace("DocumentReference.status", "'valueCode':'superseded'");
    for version in [Version::R4, Version::R4b, Version::R5] {
        let before = tree("{'resourceType':'DocumentReference','status':'current','description':'d'}");
        assert_eq!(
            told(&fhirpath_patch(&before, &parameters(std::slice::from_ref(&replace)), version)),
            "{'resourceType':'DocumentReference','status':'superseded','description':'d'}"
        );
    }
}

#[test]
fn an_element_is_found_by_its_path() {
    let given = |path: &str, before: &str, after: &str| {
        check_patient(&replace(path, "'valueString':'new'"), before, after);
    };
    for path in [
        "Patient.name[0].given[0]",
        "name[0].given[0]",
        "Resource.name.first().given.first()",
        "DomainResource.name.where(use='official').given[0]",
        "Patient.name.given[0]",
        "Patient.name.where(use = 'official' and family = 'A').given.first()",
        "Patient.name.where(given = 'z' and use = 'usual').given",
        "Patient.name.where(use='official').given.where($this='x')",
        "(Patient.name as HumanName)[0].given[0]",
        "Patient.name.ofType(HumanName).first().given.ofType(string).first()",
    ] {
        match path.contains("'z'") {
            true => given(path, "'z'", "'new'"),
            false => given(path, "'x'", "'new'"),
        }
    }
    given("Patient.name.last().given", "'z'", "'new'");
    given("Patient.name[0].given.last()", "'y'", "'new'");
    given("Patient.identifier.where(system='http://a' and value='3').value", "'value':'3'", "'value':'new'");
}

#[test]
fn a_path_leads_to_one_element() {
    for path in [
        "Patient.name",
        "Patient.name.given",
        "Patient.name[2]",
        "Patient.name[0].prefix",
        "Patient.name.where(use='old')",
        "Patient.name.where(use='Official')",
        "Patient.name.where(given='x')",
        "Patient.identifier.where(system='http://a')",
        "Patient.gender",
        "Patient.nothing",
        "Patient.active.value",
        "Patient.deceased.ofType(dateTime)",
        "Patient.multipleBirth.where($this = 3)",
        "Observation.status",
        "Patient.resourceType",
        "nothing",
    ] {
        refuse(&replace(path, "'valueString':'x'"), "not applicable");
    }
}

#[test]
fn deleting_what_is_not_there_is_fine_and_what_is_several_not() {
    for path in
        ["Patient.gender", "Patient.name[9]", "Patient.name.where(use='old')", "Patient.name[0].suffix"]
    {
        check_patient(&delete(path), "", "");
    }
    for path in ["Patient.name", "Patient.identifier.where(system='http://a')", "Observation.status"] {
        refuse(&delete(path), "not applicable");
    }
}

#[test]
fn deleting_takes_all_of_an_element_and_what_is_empty_then() {
    check_patient(&delete("Patient.birthDate"), "'birthDate':'1970-01-01',", "");
    check_patient(&delete("Patient.deceased"), "'deceasedBoolean':false,", "");
    check_patient(&delete("Patient.name[0].given[0]"), "'x','y'", "'y'");
    check_patient(&delete("Patient.name[1].given[0]"), ",'given':['z']", "");
    check_patient(&delete("Patient.name[1]"), ",{'use':'usual','given':['z']}", "");

    let nested = "{'resourceType':'Patient','contact':[{'name':{'text':'a'},'gender':'male'}]}";
    check(
        nested,
        &delete("Patient.contact[0].name.text"),
        "{'resourceType':'Patient','contact':[{'gender':'male'}]}",
    );
    let lonely = "{'resourceType':'Patient','contact':[{'name':{'text':'a'}}]}";
    check(lonely, &delete("Patient.contact[0].name.text"), "{'resourceType':'Patient'}");

    let beside = "{'resourceType':'Patient','birthDate':'1970','_birthDate':{'id':'b','extension':[{'url':'e','valueCode':'c'}]}}";
    check(beside, &delete("Patient.birthDate"), "{'resourceType':'Patient'}");
    check(beside, &delete("Patient.birthDate.id"), &beside.replace("'id':'b',", ""));
    check(
        beside,
        &delete("Patient.birthDate.extension('e')"),
        &beside.replace(",'extension':[{'url':'e','valueCode':'c'}]", ""),
    );
    let only =
        "{'resourceType':'Patient','active':true,'_birthDate':{'extension':[{'url':'e','valueCode':'c'}]}}";
    check(only, &delete("Patient.birthDate.extension[0]"), "{'resourceType':'Patient','active':true}");
}

#[test]
fn primitives_and_what_stands_beside_them_stay_together() {
    let patient =
        "{'resourceType':'Patient','name':[{'given':['a',null,'c'],'_given':[null,{'id':'b'},{'id':'c'}]}]}";
    let with = |given: &str| format!("{{'resourceType':'Patient','name':[{{{given}}}]}}");
    for (operation, expected) in [
        (delete("Patient.name.given[0]"), with("'given':[null,'c'],'_given':[{'id':'b'},{'id':'c'}]")),
        (delete("Patient.name.given[1]"), with("'given':['a','c'],'_given':[null,{'id':'c'}]")),
        (delete("Patient.name.given[2]"), with("'given':['a',null],'_given':[null,{'id':'b'}]")),
        (
            shift("Patient.name.given", 2, 0),
            with("'given':['c','a',null],'_given':[{'id':'c'},null,{'id':'b'}]"),
        ),
        (
            insert("Patient.name.given", 1, "'valueString':'n'"),
            with("'given':['a','n',null,'c'],'_given':[null,null,{'id':'b'},{'id':'c'}]"),
        ),
        (
            add("Patient.name", "given", "'_valueString':{'id':'n'}"),
            with("'given':['a',null,'c',null],'_given':[null,{'id':'b'},{'id':'c'},{'id':'n'}]"),
        ),
        (
            replace("Patient.name.given[2]", "'valueString':'n'"),
            with("'given':['a',null,'n'],'_given':[null,{'id':'b'},null]"),
        ),
        (
            replace("Patient.name.given[0]", "'valueString':'n','_valueString':{'id':'n'}"),
            with("'given':['n',null,'c'],'_given':[{'id':'n'},{'id':'b'},{'id':'c'}]"),
        ),
    ] {
        check(patient, &operation, &expected);
    }
}

#[test]
fn extensions_are_added_to_elements_and_values() {
    let extension = "'part':[{'name':'url','valueUri':'http://e'},{'name':'value','valueCode':'c'}]";
    check_patient(
        &add("Patient", "extension", extension),
        "'multipleBirthInteger':2",
        "'multipleBirthInteger':2,'extension':[{'url':'http://e','valueCode':'c'}]",
    );
    check_patient(
        &add("Patient.birthDate", "extension", extension),
        "'multipleBirthInteger':2",
        "'multipleBirthInteger':2,'_birthDate':{'extension':[{'url':'http://e','valueCode':'c'}]}",
    );
    check_patient(
        &add("Patient.name[0].given[1]", "extension", extension),
        "'given':['x','y']",
        "'given':['x','y'],'_given':[null,{'extension':[{'url':'http://e','valueCode':'c'}]}]",
    );
    let extended = "{'resourceType':'Patient','extension':[{'url':'http://d','valueString':'d'},{'url':'http://e','valueCode':'c'}]}";
    for path in [
        "Patient.extension('http://e').value",
        "Patient.extension.where(url = 'http://e').value",
        "Patient.extension.value.ofType(code)",
    ] {
        check(
            extended,
            &replace(path, "'valueCoding':{'code':'n'}"),
            &extended.replace("'valueCode':'c'", "'valueCoding':{'code':'n'}"),
        );
    }
}

#[test]
fn an_element_is_added_once_or_at_the_end_of_its_list() {
    check_patient(
        &add("Patient", "gender", "'valueCode':'male'"),
        "'multipleBirthInteger':2",
        "'multipleBirthInteger':2,'gender':'male'",
    );
    check_patient(
        &add("Patient", "identifier", "'valueIdentifier':{'value':'4'}"),
        "'value':'3'}",
        "'value':'3'},{'value':'4'}",
    );
    check_patient(&add("Patient.name[1]", "given", "'valueString':'n'"), "'z'", "'z','n'");
    check_patient(
        &add(
            "Patient",
            "link",
            "'part':[{'name':'other','valueReference':{'reference':'Patient/2'}},{'name':'type','valueCode':'seealso'}]",
        ),
        "'multipleBirthInteger':2",
        "'multipleBirthInteger':2,'link':[{'other':{'reference':'Patient/2'},'type':'seealso'}]",
    );
    for (name, value) in [
        ("active", "'valueBoolean':false"),
        ("deceased", "'valueBoolean':true"),
        ("deceased", "'valueDateTime':'2024'"),
        ("deceasedDateTime", "'valueDateTime':'2024'"),
        ("multipleBirth", "'valueBoolean':true"),
    ] {
        refuse(&add("Patient", name, value), "not applicable");
    }
    refuse(&add("Patient.name[0].period", "start", "'valueDateTime':'2024'"), "not applicable");
    refuse(&add("Patient", "nothing", "'valueString':'x'"), "not applicable");
    refuse(&add("Patient", "resourceType", "'valueString':'x'"), "not applicable");
}

#[test]
fn a_choice_gets_the_name_of_its_type() {
    let patient = "{'resourceType':'Patient'}";
    for (name, value, expected) in [
        ("deceased", "'valueBoolean':true", "'deceasedBoolean':true"),
        ("deceased", "'valueDateTime':'2024-05-31'", "'deceasedDateTime':'2024-05-31'"),
        ("deceased[x]", "'valueDateTime':'2024-05-31'", "'deceasedDateTime':'2024-05-31'"),
        ("deceasedBoolean", "'valueBoolean':true", "'deceasedBoolean':true"),
        ("multipleBirth", "'valueInteger':2", "'multipleBirthInteger':2"),
    ] {
        check(patient, &add("Patient", name, value), &format!("{{'resourceType':'Patient',{expected}}}"));
    }
    check(patient, &add("Patient", "deceased", "'valueString':'no'"), "not applicable");
    check(patient, &add("Patient", "deceased", "'valueBoolean':'no'"), "not applicable");
    check(patient, &add("Patient", "deceased", "'part':[{'name':'id','valueString':'x'}]"), "not applicable");

    // Replaced in its place, under the name of the new type.
    check_patient(
        &replace("Patient.deceased", "'valueDateTime':'2024'"),
        "'deceasedBoolean':false",
        "'deceasedDateTime':'2024'",
    );
    check_patient(
        &replace("Patient.deceasedBoolean", "'valueBoolean':true"),
        "'deceasedBoolean':false",
        "'deceasedBoolean':true",
    );
    check_patient(
        &replace("Patient.deceased.ofType(boolean)", "'valueBoolean':true"),
        "'deceasedBoolean':false",
        "'deceasedBoolean':true",
    );
}

#[test]
fn a_value_has_a_type_that_the_element_can_have() {
    let patient = "{'resourceType':'Patient'}";
    let told = |name: &str, value: &str| apply(patient, &[add("Patient", name, value)]);
    for (name, value) in [
        ("name", "'valueAddress':{'text':'x'}"),
        ("name", "'valueString':'x'"),
        ("name", "'valueHumanName':'x'"),
        ("active", "'valueString':'true'"),
        ("active", "'valueBoolean':1"),
        ("gender", "'valueInteger':1"),
        ("gender", "'valueCoding':{'code':'male'}"),
        ("contact", "'valueHumanName':{'text':'x'}"),
        ("contact", "'part':[{'name':'nothing','valueString':'x'}]"),
        ("contact", "'part':[{'name':'name','valueString':'x'}]"),
        ("contained", "'valueString':'x'"),
        ("gender", "'part':[{'name':'x','valueString':'x'}]"),
        ("name", "'resource':{'resourceType':'Basic'}"),
    ] {
        assert_eq!(told(name, value), "not applicable", "{name} {value}");
    }
    // Primitives that JSON writes alike; the result is checked as any other.
    assert_eq!(told("gender", "'valueString':'male'"), "{'resourceType':'Patient','gender':'male'}");
    assert_eq!(
        told("contained", "'resource':{'resourceType':'Basic','id':'b'}"),
        "{'resourceType':'Patient','contained':[{'resourceType':'Basic','id':'b'}]}"
    );
    let observation = "{'resourceType':'Observation'}";
    check(
        observation,
        &add("Observation", "referenceRange", "'part':[{'name':'low','valueQuantity':{'value':1.50}}]"),
        "{'resourceType':'Observation','referenceRange':[{'low':{'value':1.50}}]}",
    );
    let condition = "{'resourceType':'Condition'}";
    check(
        condition,
        &add("Condition", "onset", "'valueAge':{'value':5}"),
        "{'resourceType':'Condition','onsetAge':{'value':5}}",
    );
}

#[test]
fn parts_make_elements_as_deep_as_necessary() {
    let value = "'part':[\
        {'name':'name','valueHumanName':{'text':'a'}},\
        {'name':'telecom','valueContactPoint':{'value':'1'}},\
        {'name':'telecom','part':[{'name':'value','valueString':'2'},{'name':'period','part':[{'name':'start','valueDateTime':'2024'}]}]},\
        {'name':'gender','valueCode':'male','_valueCode':{'id':'g'}},\
        {'name':'extension','part':[{'name':'url','valueUri':'http://e'},{'name':'value','valueBoolean':true}]}]";
    check(
        "{'resourceType':'Patient'}",
        &add("Patient", "contact", value),
        "{'resourceType':'Patient','contact':[{'name':{'text':'a'},'telecom':[{'value':'1'},\
          {'value':'2','period':{'start':'2024'}}],'gender':'male','_gender':{'id':'g'},\
          'extension':[{'url':'http://e','valueBoolean':true}]}]}",
    );
    let twice = "'part':[{'name':'gender','valueCode':'male'},{'name':'gender','valueCode':'female'}]";
    check("{'resourceType':'Patient'}", &add("Patient", "contact", twice), "malformed");
}

#[test]
fn an_item_is_inserted_where_the_index_says() {
    let item = "'valueIdentifier':{'value':'n'}";
    check_patient(&insert("Patient.identifier", 0, item), "'identifier':[", "'identifier':[{'value':'n'},");
    check_patient(
        &insert("Patient.identifier", 1, item),
        "{'system':'http://b'",
        "{'value':'n'},{'system':'http://b'",
    );
    check_patient(&insert("Patient.identifier", 3, item), "'value':'3'}", "'value':'3'},{'value':'n'}");
    check_patient(&insert("Patient.name.where(use='usual').given", 0, "'valueString':'n'"), "'z'", "'n','z'");
    check_patient(
        &insert("Patient.telecom", 0, "'valueContactPoint':{'value':'1'}"),
        "'multipleBirthInteger':2",
        "'multipleBirthInteger':2,'telecom':[{'value':'1'}]",
    );
    refuse(&insert("Patient.identifier", 4, item), "not applicable");
    refuse(&insert("Patient.telecom", 1, "'valueContactPoint':{'value':'1'}"), "not applicable");
    refuse(&insert("Patient.name.given", 0, "'valueString':'n'"), "not applicable");
    refuse(&insert("Patient.gender", 0, "'valueCode':'male'"), "not applicable");
    refuse(&insert("Patient.identifier[0]", 0, item), "malformed");
    refuse(&insert("Patient.identifier.first()", 0, item), "malformed");
}

#[test]
fn an_item_moves_within_its_list() {
    let patient = |order: &str| {
        let items = order.chars().map(|value| format!("{{'value':'{value}'}}")).collect::<Vec<_>>().join(",");
        format!("{{'resourceType':'Patient','identifier':[{items}]}}")
    };
    for (source, destination, expected) in
        [(3, 1, "1423"), (3, 0, "4123"), (3, 2, "1243"), (0, 3, "2341"), (1, 2, "1324"), (2, 2, "1234")]
    {
        check(&patient("1234"), &shift("Patient.identifier", source, destination), &patient(expected));
    }
    let operations = [(3, 0), (3, 1), (3, 2)].map(|(from, to)| shift("Patient.identifier", from, to));
    assert_eq!(apply(&patient("1234"), &operations), patient("4321"));
    for (path, source, destination, expected) in [
        ("Patient.identifier", 4, 0, "not applicable"),
        ("Patient.identifier", 0, 4, "not applicable"),
        ("Patient.telecom", 0, 0, "not applicable"),
        ("Patient.gender", 0, 0, "not applicable"),
        ("Patient.identifier[0]", 0, 1, "malformed"),
    ] {
        check(&patient("1234"), &shift(path, source, destination), expected);
    }
}

#[test]
fn operations_apply_to_what_the_former_left() {
    let operations = [
        add("Patient", "contact", "'part':[{'name':'gender','valueCode':'male'}]"),
        replace("Patient.contact[0].gender", "'valueCode':'female'"),
        delete("Patient.name[0]"),
        replace("Patient.name[0].given[0]", "'valueString':'n'"),
    ];
    let expected = "'name':[{'use':'usual','given':['n']}],'contact':[{'gender':'female'}]}";
    let told =
        apply("{'resourceType':'Patient','name':[{'text':'a'},{'use':'usual','given':['z']}]}", &operations);
    assert_eq!(told, format!("{{'resourceType':'Patient',{expected}"));
    let operations = [delete("Patient.gender"), replace("Patient.name[5]", "'valueString':'n'")];
    assert_eq!(apply(PATIENT, &operations), "not applicable");
}

#[test]
fn what_the_server_sets_stays() {
    for operation in [
        replace("Patient.id", "'valueId':'p2'"),
        delete("Patient.id"),
        replace("Patient.meta.versionId", "'valueId':'4'"),
        delete("Patient.meta.lastUpdated"),
        delete("Patient.meta"),
        replace("Patient.meta", "'valueMeta':{'tag':[{'code':'t'}]}"),
        delete("Patient"),
        replace("Patient", "'resource':{'resourceType':'Patient'}"),
    ] {
        refuse(&operation, "forbidden");
    }
    let nameless = "{'resourceType':'Patient'}";
    check(nameless, &add("Patient", "id", "'valueId':'x'"), "forbidden");
    check_patient(
        &add("Patient.meta", "tag", "'valueCoding':{'code':'t'}"),
        "00Z'",
        "00Z','tag':[{'code':'t'}]",
    );
    check_patient(&add("Patient.name[0]", "id", "'valueString':'n'"), "'y']", "'y'],'id':'n'");
}

#[test]
fn resources_inside_are_reached_by_their_own_elements() {
    let bundle = "{'resourceType':'Patient','contained':[{'resourceType':'Basic','id':'a'},\
        {'resourceType':'Organization','id':'b','name':'n'}]}";
    for path in [
        "Patient.contained[1].name",
        "Patient.contained.where(id='b').name",
        "Patient.contained.ofType(Organization).name",
    ] {
        check(bundle, &replace(path, "'valueString':'m'"), &bundle.replace("'name':'n'", "'name':'m'"));
    }
    refuse_on(bundle, &replace("Patient.contained[0].name", "'valueString':'m'"));
}

#[track_caller]
fn refuse_on(resource: &str, operation: &str) {
    check(resource, operation, "not applicable");
}
