//! The page on which a person picks a patient and what an app may do. It works without script and shows
//! nothing that it did not escape.

use http::{HeaderValue, StatusCode, header};

use super::{authorize::Request, client::RegisteredClient, path};
use crate::http::{answer::Answer, plain};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color:#123}\
    fieldset{border:1px solid #9bc;margin:1rem 0;padding:.5rem 1rem}label{display:block;padding:.15rem 0}\
    code{background:#eef4f8;padding:.1rem .3rem}.warning{background:#fff3cd;border:1px solid #c90;padding:.5rem 1rem}\
    button{font:inherit;padding:.4rem 1.2rem;margin-right:1rem}";

/// Asks.
pub fn ask(
    client: &RegisteredClient,
    request: &Request,
    patients: &[(String, String)],
    ticket: &str,
) -> Answer {
    let settings = &client.settings;
    let name = escape(settings.name.as_deref().unwrap_or(&settings.id));
    let mut form = format!(
        "<h1>{name} asks for access</h1>\
         <p class=\"warning\" role=\"note\"><strong>For development only.</strong> Nobody is asked who they are here: \
         whoever reaches this page can grant everything on it.</p>\
         <p>To <code>{}</code></p><form method=\"post\" action=\"{}\">\
         <input type=\"hidden\" name=\"ticket\" value=\"{ticket}\">",
        escape(&request.audience),
        path::DECIDE,
    );
    if request.needs_patient() {
        form += &patient_field(patients);
    }
    form += "<fieldset><legend>What it may do</legend>";
    for scope in &request.scopes {
        let scope = escape(scope);
        form += &format!(
            "<label><input type=\"checkbox\" name=\"scope\" value=\"{scope}\" checked> <code>{scope}</code></label>"
        );
    }
    form += "</fieldset><p><button name=\"decision\" value=\"allow\">Allow</button>\
         <button name=\"decision\" value=\"deny\" formnovalidate>Deny</button></p></form>";
    page(StatusCode::OK, &form)
}

fn patient_field(patients: &[(String, String)]) -> String {
    let option = |(id, name): &(String, String)| {
        let (id, name) = (escape(id), escape(name));
        format!("<option value=\"{id}\">{name} ({id})</option>")
    };
    let options: String = patients.iter().map(option).collect();
    format!(
        "<fieldset><legend>Patient</legend><label for=\"patient\">Id; known ones are offered</label>\
         <input id=\"patient\" name=\"patient\" list=\"patients\" required maxlength=\"64\" autocomplete=\"off\">\
         <datalist id=\"patients\">{options}</datalist></fieldset>"
    )
}

/// Says what is wrong to the person, as it cannot be said to the app.
pub fn wrong(why: &str) -> Answer {
    page(StatusCode::BAD_REQUEST, &format!("<h1>This does not work</h1><p>{}</p>", escape(why)))
}

fn page(status: StatusCode, body: &str) -> Answer {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Charta: access</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style><main>{body}</main></html>\n"
    );
    let mut answer = plain(status, "text/html; charset=utf-8", html);
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    answer
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
