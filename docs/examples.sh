#!/usr/bin/env bash
# The requests of the five source documents, with the demo's ids, against a server of its own.
#
#   docs/examples.sh [PROGRAM]        default: target/release/charta
#
# Each example is one paragraph below: the page that shows it, the request as a client would write it
# with curl, and what the answer must have. One line per example, a count at the end, exit 1 if an
# answer is not as shown. Needs bash, curl and python3.
#
# The pages, as they are cited:
#   Millennium R4     Binary, R4 API of Cerner Millennium
#   Millennium DSTU2  Binary, DSTU 2 API of Cerner Millennium
#   Soarian R4        Binary, R4 API of Cerner Soarian Clinicals
#   Care Connect      Documents | Binary, Care Connect API (STU3)
#   HL7               Resource Binary - Content, HL7 FHIR
set -uo pipefail
cd "$(dirname "$0")/.."
program=${1:-target/release/charta}
# With CHARTA_URL, a server that runs already, with the demo in it.
url=${CHARTA_URL:-}
demo=testdata/demo
work=$(mktemp -d)
server=
trap '[ -n "$server" ] && kill "$server" && wait "$server"; rm -rf "$work"' EXIT

if [ -z "$url" ]; then
  "$program" serve --demo --data "$work/data" --listen 127.0.0.1:0 >"$work/out" 2>"$work/log" &
  server=$!
  for _ in $(seq 100); do
    url=$(sed -n 's/^listening on //p' "$work/out")
    [ -n "$url" ] && break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  if [ -z "$url" ]; then
    echo "the server does not start:" >&2
    cat "$work/log" >&2
    server=
    exit 1
  fi
fi

# Where the demo has what the pages have elsewhere.
millennium_open=$url/millennium/open/r4/ec2458f2-1e24-41c8-b71b-0e701af7583d  # fhir-open.cerner.com/r4/...
millennium_ehr=$url/millennium/ehr/r4/ec2458f2-1e24-41c8-b71b-0e701af7583d    # fhir-ehr.cerner.com/r4/...
dstu2_open=$url/millennium/open/dstu2/ec2458f2-1e24-41c8-b71b-0e701af7583d
soarian_open=$url/soarian/open/r4/3f2aca24-87f3-4eac-a6d7-1f75247e6b43
soarian=$url/soarian/myrecord/r4/3f2aca24-87f3-4eac-a6d7-1f75247e6b43         # fhir-myrecord-sc.cerner.com/r4/...
careconnect=$url/ccri/STU3                                                    # data.developer.nhs.uk/ccri/STU3
careconnect_secure=$url/ccri/secure/STU3
hl7=$url/dstu2                                                                # [path] of the HL7 page

passed=0
failed=0

# example PAGE TITLE: what the following lines are about.
example() {
  page=$1 title=$2 problems=
}

# get URL [CURL ARGUMENTS]: the request. Its answer is what the checks below look at. Like the clients of
# the pages, it sends no Accept unless one is given.
get() {
  status=$(curl --silent --show-error --path-as-is --max-time 30 --header 'Accept:' "${@:2}" \
    --dump-header "$work/head" --output "$work/body" --write-out '%{http_code}' "$1" 2>"$work/problem")
  [ -s "$work/problem" ] && problem "$(cat "$work/problem")"
  [ -e "$work/body" ] || : >"$work/body"
}

problem() {
  problems="$problems
         $*"
}

# Checks: each says what it found when that is not what it wants.
status_is() {
  [ "$status" = "$1" ] || problem "status is $status, not $1"
}
header() { # NAME: the value of a header
  sed -n "s/^$1: //Ip" "$work/head" | tr -d '\r'
}
header_is() {
  [ "$(header "$1")" = "$2" ] || problem "$1 is '$(header "$1")', not '$2'"
}
header_matches() {
  [[ "$(header "$1")" =~ $2 ]] || problem "$1 is '$(header "$1")', which does not match '$2'"
}
type_is() { # without parameters
  local type
  type=$(header Content-Type)
  [ "${type%%;*}" = "$1" ] || problem "Content-Type is '$type', not '$1'"
}
body_is() { # FILE of the demo, byte for byte
  cmp -s "$work/body" "$demo/$1" || problem "the body is not $1"
}
body_has() {
  grep -qF -- "$1" "$work/body" || problem "the body lacks '$1'"
}
json_is() { # ELEMENT VALUE, such as issue.0.code not-found
  local value
  value=$(python3 - "$work/body" "$1" 2>/dev/null <<'PYTHON'
import json, sys
value = json.load(open(sys.argv[1]))
for name in sys.argv[2].split("."):
    value = value[int(name)] if isinstance(value, list) else value.get(name)
print(value)
PYTHON
  ) || problem "the body is no JSON with $1"
  [ "$value" = "$2" ] || problem "$1 is '$value', not '$2'"
}
binary_holds() { # ELEMENT FILE: base64 of the demo's file, in JSON or XML; and no element of another version
  python3 - "$work/body" "$1" "$demo/$2" 2>/dev/null <<'PYTHON' || problem "$1 of the Binary is not $2 in base64"
import base64, json, sys, xml.etree.ElementTree as xml
body, element, file = open(sys.argv[1], "rb").read(), sys.argv[2], open(sys.argv[3], "rb").read()
fhir = "{http://hl7.org/fhir}"
if body.startswith(b"{"):
    resource = json.loads(body)
    assert resource["resourceType"] == "Binary"
else:
    root = xml.fromstring(body)
    assert root.tag == fhir + "Binary"
    resource = {child.tag[len(fhir):]: child.get("value") for child in root}
    names = list(resource)
    assert names.index("contentType") < names.index(element)
other = "content" if element == "data" else "data"
assert other not in resource
sys.exit(base64.b64decode(resource[element], validate=True) != file)
PYTHON
}
ccd_in() { # ELEMENT [TEXT]: base64 of a CCD, with this text in it
  python3 - "$work/body" "$1" "${2:-}" 2>/dev/null <<'PYTHON' || problem "$1 of the Binary holds no CCD${2:+ with $2}"
import base64, json, sys, xml.etree.ElementTree as xml
text = base64.b64decode(json.load(open(sys.argv[1]))[sys.argv[2]], validate=True).decode()
root = xml.fromstring(text)
code = root.find("{urn:hl7-org:v3}code").get("code")
sys.exit(root.tag != "{urn:hl7-org:v3}ClinicalDocument" or code != "34133-9" or sys.argv[3] not in text)
PYTHON
}
issue_is() { # an OperationOutcome with this code, never a document
  json_is resourceType OperationOutcome
  json_is issue.0.code "$1"
}

# done_: says whether all checks since `example` held.
done_() {
  if [ -z "$problems" ]; then
    passed=$((passed + 1))
    printf 'ok      %-16s  %s\n' "$page" "$title"
  else
    failed=$((failed + 1))
    printf 'FAILED  %-16s  %s%s\n' "$page" "$title" "$problems"
  fi
}

### Millennium R4 ###################################################################################

example 'Millennium R4' 'FHIR Accept Example: the resource'
get "$millennium_open/Binary/TR-21961261" -H 'Accept: application/fhir+json'
status_is 200
type_is application/fhir+json
json_is resourceType Binary
json_is id TR-21961261
json_is contentType text/html
binary_holds data ct-chest.html
done_

example 'Millennium R4' 'Native Accept Example: the raw data'
get "$millennium_open/Binary/TR-21961261" -H 'Accept: text/html'
status_is 200
type_is text/html
body_is ct-chest.html
header_is Content-Length "$(wc -c <"$demo/ct-chest.html" | tr -d ' ')"
header_matches ETag '.'
header_matches Last-Modified ' GMT$'
done_

example 'Millennium R4' 'Overview: the PDF of a report, with the type of attachment.contentType'
get "$millennium_open/Binary/XR-197198634" -H 'Accept: application/pdf'
status_is 200
type_is application/pdf
body_is discharge-summary.pdf
done_

example 'Millennium R4' 'Overview: the PDF of a report, as a resource'
get "$millennium_open/Binary/XR-197198634" -H 'Accept: application/fhir+json'
status_is 200
type_is application/fhir+json
json_is contentType application/pdf
binary_holds data discharge-summary.pdf
done_

example 'Millennium R4' 'Overview: any other Accept gives the raw data'
get "$millennium_open/Binary/TR-21961261" -H 'Accept: */*'
status_is 200
type_is text/html
body_is ct-chest.html
done_

example 'Millennium R4' 'Headers: application/json is not accepted ...'
get "$millennium_open/Binary/TR-21961261" -H 'Accept: application/json'
status_is 406
issue_is not-supported
done_

example 'Millennium R4' 'Headers: ... unless the underlying data is JSON'
get "$millennium_open/Binary/config-json" -H 'Accept: application/json'
status_is 200
type_is application/json
body_is monitor-settings.json
done_

example 'Millennium R4' 'Errors: an unknown id'
get "$millennium_open/Binary/TR-0" -H 'Accept: application/fhir+json'
status_is 404
type_is application/fhir+json
issue_is not-found
done_

example 'Millennium R4' 'Patient Authorization Request: tokens come later, refused until then'
get "$millennium_ehr/Binary/XR-197198634"
status_is 401
header_matches WWW-Authenticate '^Bearer '
issue_is login
done_

example 'Millennium R4' '$autogen-ccd-if: a CCD in a Binary'
get "$millennium_open/Binary/\$autogen-ccd-if?patient=1694010" -H 'Accept: application/fhir+json'
status_is 200
type_is application/fhir+json
json_is resourceType Binary
json_is contentType application/xml
ccd_in data
done_

example 'Millennium R4' '$autogen-ccd-if where a token is needed: none is sent'
get "$millennium_ehr/Binary/\$autogen-ccd-if?patient=1694010" -H 'Accept: application/fhir+json'
status_is 401
header_matches WWW-Authenticate '^Bearer '
issue_is login
done_

### Millennium DSTU2 ################################################################################

example 'Millennium DSTU2' 'JSON mime type: the resource, its data in content'
get "$dstu2_open/Binary/TR-5927259" -H 'Accept: application/json+fhir'
status_is 200
type_is application/json+fhir
json_is resourceType Binary
json_is id TR-5927259
json_is contentType text/html
binary_holds content pathology-polyp.html
done_

for accept in text/html html application/xhtml+xml; do
  example 'Millennium DSTU2' "Native mime type: accepts $accept"
  get "$dstu2_open/Binary/TR-5927259" -H "Accept: $accept"
  status_is 200
  type_is text/html
  body_is pathology-polyp.html
  done_
done

example 'Millennium DSTU2' 'autogen-ccd-if as JSON'
get "$dstu2_open/Binary/\$autogen-ccd-if?patient=1316024" -H 'Accept: application/json+fhir'
status_is 200
type_is application/json+fhir
json_is contentType application/xml
ccd_in content
done_

example 'Millennium DSTU2' 'autogen-ccd-if as application/xml'
get "$dstu2_open/Binary/\$autogen-ccd-if?patient=1316024" -H 'Accept: application/xml'
status_is 200
type_is application/xml
body_has '<ClinicalDocument xmlns="urn:hl7-org:v3"'
body_has '<code code="34133-9"'
done_

example 'Millennium DSTU2' 'autogen-ccd-if with start and end'
get "$dstu2_open/Binary/\$autogen-ccd-if?patient=1316024&start=2014-09-24T12:00:00.000Z&end=2016-09-24T12:00:00.000Z" \
  -H 'Accept: application/json+fhir'
status_is 200
type_is application/json+fhir
ccd_in content '<low value="20140924120000.000+0000"/><high value="20160924120000.000+0000"/>'
done_

### Soarian R4 ######################################################################################

ccd=5BDAC5A796D242FAA4FC038CCD357065.DM.YNIULMDWZQI6XAIPABIFNDRONA

example 'Soarian R4' 'Retrieve by ID: one C-CDA document, always XML'
get "$soarian_open/Binary/$ccd" -H 'Accept: application/fhir+json'
status_is 200
type_is application/fhir+json
json_is resourceType Binary
json_is id "$ccd"
json_is contentType application/hl7-v3+xml
binary_holds data ccd.xml
done_

example 'Soarian R4' 'Retrieve by ID with authorization: tokens come later'
get "$soarian/Binary/$ccd" -H 'Accept: application/fhir+json'
status_is 401
header_matches WWW-Authenticate '^Bearer '
issue_is unknown # the code that clients of Soarian know
done_

example 'Soarian R4' 'Overview: a read-only API of GET'
get "$soarian_open/Binary/$ccd" -X DELETE
status_is 405
issue_is not-supported
get "$soarian_open/Binary/$ccd"
status_is 200
body_is ccd.xml
done_

### Care Connect ####################################################################################

letter=$careconnect/Binary/5b1e91f0ccf84d0001fffe6d

example 'Care Connect' '1.1 no Accept, no _format: the native type'
get "$letter"
status_is 200
type_is application/pdf
body_is clinic-letter.pdf
done_

for accept in application/pdf '*/*'; do
  example 'Care Connect' "1. Read: Accept: $accept gives the native type"
  get "$letter" -H "Accept: $accept"
  status_is 200
  type_is application/pdf
  body_is clinic-letter.pdf
  done_
done

for format in json xml; do
  example 'Care Connect' "1.2 _format=application/fhir+$format, no Accept"
  get "$letter?_format=application/fhir%2B$format"
  status_is 200
  type_is "application/fhir+$format"
  binary_holds content clinic-letter.pdf
  done_

  example 'Care Connect' "1.3 Accept: application/fhir+$format"
  get "$letter" -H "Accept: application/fhir+$format"
  status_is 200
  type_is "application/fhir+$format"
  binary_holds content clinic-letter.pdf
  done_
done

example 'Care Connect' '1.3 Accept: application/fhir+JSON, as the page spells it'
get "$letter" -H 'Accept: application/fhir+JSON'
status_is 200
type_is application/fhir+json
json_is contentType application/pdf
binary_holds content clinic-letter.pdf
done_

for other in application/fhir+json application/pdf; do
  example 'Care Connect' "1.4 _format=application/fhir+xml overrides Accept: $other"
  get "$letter?_format=application/fhir%2Bxml" -H "Accept: $other"
  status_is 200
  type_is application/fhir+xml
  binary_holds content clinic-letter.pdf
  done_
done

example 'Care Connect' '1.5 Response: 404, resource not found'
get "$careconnect/Binary/000000000000000000000000" -H 'Accept: application/fhir+json'
status_is 404
type_is application/fhir+json
issue_is not-found
done_

example 'Care Connect' '1.5 Response: 410, resource deleted'
get "$url/stu3/Binary/to-delete" -X PUT -H 'Content-Type: text/plain' --data-binary 'soon gone'
status_is 201
get "$careconnect/Binary/to-delete"
status_is 200
get "$url/stu3/Binary/to-delete" -X DELETE
status_is 204
get "$careconnect/Binary/to-delete" -H 'Accept: application/fhir+json'
status_is 410
issue_is not-found # STU3 has no code of its own for it
done_

example 'Care Connect' '2. Search: the Binary is not searchable'
get "$careconnect/Binary?_id=5b1e91f0ccf84d0001fffe6d" -H 'Accept: application/fhir+json'
case $status in 404 | 405) ;; *) problem "status is $status, neither 404 nor 405" ;; esac
json_is resourceType OperationOutcome
done_

example 'Care Connect' '3.1 cURL, as printed, header misspelt: tokens come later'
get "$careconnect_secure/Binary/5b1e91f0ccf84d0001fffe6d" -H 'Accept: application/fhir+json' \
  -H 'Authorisation: BEARER [token]'
status_is 401
header_matches WWW-Authenticate '^Bearer '
issue_is login
done_

example 'Care Connect' '3.2 Explore the Response: the direct link'
get "$letter"
status_is 200
type_is application/pdf
body_is clinic-letter.pdf
done_

### HL7 #############################################################################################

example 'HL7' '6.7.3.2 a read of a CDA document: headers and bytes as shown'
get "$hl7/Binary/4" -H 'Accept: */*'
status_is 200
type_is text/xml
header_is Access-Control-Allow-Origin '*'
header_matches Last-Modified ' GMT$'
header_matches ETag '1'
header_is Content-Location "$hl7/Binary/4/_history/1"
body_has '<ClinicalDocument'
body_is unstructured-cda.xml
done_

example 'HL7' '6.7.3.2 no FHIR type in Accept: the type stated in the resource'
get "$hl7/Binary/XR-21961261"
status_is 200
type_is application/pdf
body_is ct-chest.pdf
done_

example 'HL7' '6.7.3.2 application/json+fhir: contentType and content'
get "$hl7/Binary/XR-21961261" -H 'Accept: application/json+fhir'
status_is 200
type_is application/json+fhir
json_is contentType application/pdf
binary_holds content ct-chest.pdf
done_

example 'HL7' 'XML Template, application/xml+fhir: contentType before content'
get "$hl7/Binary/XR-21961261" -H 'Accept: application/xml+fhir'
status_is 200
type_is application/xml+fhir
body_has '<Binary xmlns="http://hl7.org/fhir">'
binary_holds content ct-chest.pdf
done_

# "A binary resource can contain any content, whether text, image, pdf, zip archive, etc."
while read -r id file type; do
  example 'HL7' "Scope and Usage: any content, $type"
  get "$hl7/Binary/$id"
  status_is 200
  type_is "$type"
  body_is "$file"
  done_
done <<'DOCUMENTS'
note-text phone-note.txt text/plain
ecg-png ecg.png image/png
photo-jpeg skin-photo.jpg image/jpeg
fax-tiff referral-fax.tiff image/tiff
note-rtf colonoscopy.rtf application/rtf
DOCUMENTS

example 'HL7' 'Binary Support: a write takes the bytes with the type of the header'
printf 'PK\005\006%018d' 0 | tr 0 '\000' >"$work/empty.zip"
get "$hl7/Binary" -X POST -H 'Content-Type: application/zip' --data-binary "@$work/empty.zip"
status_is 201
location=$(header Location)
get "$location"
status_is 200
type_is application/zip
cmp -s "$work/body" "$work/empty.zip" || problem 'the bytes are others'
done_

example 'HL7' '6.7.4 Search Parameters: contenttype'
get "$hl7/Binary?contenttype=application/pdf&_summary=count" -H 'Accept: application/json+fhir'
status_is 200
type_is application/json+fhir
json_is type searchset
json_is total 3
done_

# Clients begin at DocumentReference or DiagnosticReport and take the link from there.

example 'Millennium R4' 'Document References of a patient, and the content of the first'
get "$millennium_open/DocumentReference?patient=1694010&type=http://loinc.org|18842-5" -H 'Accept: application/fhir+json'
status_is 200
json_is type searchset
json_is total 1
link=$(python3 -c 'import json,sys; print(json.load(sys.stdin)["entry"][0]["resource"]["content"][0]["attachment"]["url"])' <"$work/body")
get "$link" -H 'Accept: text/html'
status_is 200
type_is text/html
cmp -s "$work/body" "$demo/discharge-summary.html" || problem 'the bytes are others'
done_

example 'Millennium R4' 'a search that names nobody'
get "$millennium_open/DocumentReference" -H 'Accept: application/fhir+json'
status_is 400
json_is resourceType OperationOutcome
done_

example 'Millennium DSTU2' 'Diagnostic Reports of a patient'
get "$dstu2_open/DiagnosticReport?patient=1694010&_count=1" -H 'Accept: application/json+fhir'
status_is 200
type_is application/json+fhir
json_is total 3
done_

example 'Care Connect' 'documents by type and period'
get "$careconnect/DocumentReference?patient=nhs-testpatient" -H 'Accept: application/fhir+json'
status_is 200
json_is type searchset
done_

printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
