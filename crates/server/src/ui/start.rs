//! The demo's start page: what is served, with links to try.

use http::{HeaderValue, StatusCode, header};

use crate::{
    cli::demo,
    config::{Auth, Config, Endpoint, EndpointTenant},
    http::{Answer, plain},
};

/// The page. Everything on it comes from the configuration and the program itself.
pub fn page(config: &Config) -> Answer {
    let mut html = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Charta</title>\
         <style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#123}\
         table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #cde;padding:.3rem .6rem;\
         text-align:left}code{background:#eef4f8;padding:.1rem .3rem}h1{color:#064}</style>\
         <h1>Charta</h1><p>Clinical documents over FHIR. All patients and documents here are synthetic.</p>\
         <h2>Endpoints</h2><table><tr><th>Base<th>FHIR<th>Profile<th>Access<th></tr>",
    );
    for endpoint in &config.endpoints {
        let base = escape(&base(config, endpoint));
        let access = match endpoint.auth {
            Auth::Open => "open",
            Auth::Smart => "secured",
        };
        let profile = format!("{:?}", endpoint.profile);
        html += &format!(
            "<tr><td><code>{base}</code><td>{}<td>{profile}<td>{access}<td><a href=\"{base}/metadata\">metadata</a>",
            endpoint.version
        );
    }
    html += "</table><h2>Documents</h2><table><tr><th>Document<th>Id<th>Native<th>FHIR</tr>";
    for document in demo::documents() {
        let (id, title) = (escape(&document.id), escape(&document.title));
        html += &format!(
            "<tr><td>{title}<td><code>{id}</code><td><a href=\"/r4/Binary/{id}\">bytes</a>\
             <td><a href=\"/dstu2/Binary/{id}?_format=json\">DSTU2</a> <a href=\"/stu3/Binary/{id}?_format=json\">STU3</a> \
             <a href=\"/r4/Binary/{id}?_format=json\">R4</a> <a href=\"/r4b/Binary/{id}?_format=json\">R4B</a> \
             <a href=\"/r5/Binary/{id}?_format=xml\">R5 XML</a>"
        );
    }
    html += "</table><h2>Found by search</h2><ul>";
    for (path, what) in [
        ("/r4/DocumentReference?patient=1694010", "Notes of a patient, R4"),
        ("/dstu2/DocumentReference?patient=1694010", "the same in DSTU2"),
        (
            "/r5/DocumentReference?patient=1694010&_include=DocumentReference:author",
            "the same in R5, with their authors",
        ),
        ("/r4/DiagnosticReport?category=LP29684-5", "Radiology reports"),
        (
            "/r4/Patient?family=testperson&_revinclude=DocumentReference:patient",
            "Patients, and the documents about them",
        ),
        ("/r4/Binary/$autogen-ccd-if?patient=1694010", "A CCD of a patient's record, made now"),
        ("/r4/DocumentReference/$docref?patient=1694010", "the DocumentReference that offers it"),
    ] {
        html += &format!("<li><a href=\"{path}\">{what}</a> <code>{}</code>", escape(path));
    }
    html += "</ul><p><a href=\"/health/ready\">health</a> <a href=\"/metrics\">metrics</a></html>\n";
    let mut answer = plain(StatusCode::OK, "text/html; charset=utf-8", html);
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    answer
}

fn base(config: &Config, endpoint: &Endpoint) -> String {
    match &endpoint.tenant {
        EndpointTenant::Fixed(_) => endpoint.path.clone(),
        EndpointTenant::InPath => {
            let soarian = endpoint.profile == charta_fhir::Profile::Soarian;
            let mut tenants = config.tenants.iter().filter(|tenant| tenant.as_str() != "default");
            let tenant = if soarian { tenants.next_back() } else { tenants.next() };
            format!("{}/{}", endpoint.path, tenant.map_or("default", |tenant| tenant.as_str()))
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
