//! Where a catalog in PostgreSQL is.
//!
//! A URL as libpq has them, `postgres://user@host:port/database?…`, also with several hosts. What it leaves out
//! comes from `PGPASSWORD`, or from the file that `PGPASSFILE` names, as with any client of PostgreSQL.

use std::{env, fmt, fs, path::PathBuf};

use tokio_postgres::{
    Config,
    config::{Host, SslMode, TargetSessionAttrs},
};

/// The URL of a database. It is never shown with its password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    text: String,
    encryption: Encryption,
}

/// What is asked of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Encryption {
    /// None.
    Off,
    /// TLS, and a certificate for this host of an authority in this file, or of one that the system trusts.
    Verified(Option<PathBuf>),
}

impl PostgresUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// What it should be, for the operator, without repeating it.
    pub fn new(text: &str) -> Result<Self, String> {
        let is_ours = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
        if !is_ours {
            return Err("a database's URL, postgres://user@host/database".into());
        }
        let (text, mode, root) = without_encryption(text)?;
        let config = parse(&text)?;
        let is_local = config.get_hosts().iter().all(is_local);
        let encryption = match mode.as_deref() {
            Some("disable") => Encryption::Off,
            None if is_local && root.is_none() => Encryption::Off,
            None | Some("require" | "verify-full") => Encryption::Verified(root),
            Some(_) => {
                return Err(
                    "a database's URL with one of disable, require and verify-full as its sslmode".into()
                );
            }
        };
        Ok(Self { text, encryption })
    }

    pub(super) fn encryption(&self) -> &Encryption {
        &self.encryption
    }

    /// With what the environment adds.
    pub(super) fn config(&self) -> Result<Config, String> {
        let mut config = parse(&self.text)?;
        config.ssl_mode(match self.encryption {
            Encryption::Off => SslMode::Disable,
            Encryption::Verified(_) => SslMode::Require,
        });
        if config.get_application_name().is_none() {
            config.application_name("charta");
        }
        if config.get_target_session_attrs() == TargetSessionAttrs::Any && config.get_hosts().len() > 1 {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if config.get_password().is_none()
            && let Some(password) = password(&config)?
        {
            config.password(password);
        }
        Ok(config)
    }
}

/// `sslmode` and `sslrootcert` are ours to understand, as we know one strictness only.
fn without_encryption(text: &str) -> Result<(String, Option<String>, Option<PathBuf>), String> {
    let Some((place, query)) = text.split_once('?') else { return Ok((text.into(), None, None)) };
    let (mut kept, mut mode, mut root) = (Vec::new(), None, None);
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value.to_owned()),
            Some(("sslrootcert", value)) => root = Some(PathBuf::from(value.replace("%2F", "/"))),
            _ => kept.push(pair),
        }
    }
    if mode.as_deref() == Some("disable") && root.is_some() {
        return Err("a database's URL with sslmode=verify-full for its sslrootcert".into());
    }
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    Ok((format!("{place}{query}"), mode, root))
}

fn parse(text: &str) -> Result<Config, String> {
    let config: Config = text.parse().map_err(|error: tokio_postgres::Error| {
        // It names the key at fault, never the text.
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        format!("a database's URL: {}", cause.unwrap_or_else(|| error.to_string()))
    })?;
    if config.get_hosts().is_empty() {
        return Err("a database's URL with a host".into());
    }
    Ok(config)
}

/// Whether nobody else can listen in.
fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        Host::Unix(_) => true,
    }
}

fn password(config: &Config) -> Result<Option<String>, String> {
    if let Ok(password) = env::var("PGPASSWORD") {
        return Ok(Some(password).filter(|password| !password.is_empty()));
    }
    let Some(file) = env::var_os("PGPASSFILE") else { return Ok(None) };
    let text = fs::read_to_string(&file).map_err(|error| format!("PGPASSFILE: {error}"))?;
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        _ => "localhost".into(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432).to_string();
    let user = config.get_user().unwrap_or_default();
    let database = config.get_dbname().unwrap_or(user);
    Ok(text.lines().find_map(|line| matching(line, [&host, &port, database, user])))
}

/// The password of a line `host:port:database:user:password` that is about these, `*` being any.
fn matching(line: &str, wanted: [&str; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            ':' if fields.len() < 5 => fields.push(String::new()),
            '\\' => fields.last_mut()?.extend(characters.next()),
            other => fields.last_mut()?.push(other),
        }
    }
    let [named @ .., password] = &fields[..] else { return None };
    let fits =
        named.len() == 4 && named.iter().zip(wanted).all(|(named, wanted)| named == "*" || named == wanted);
    fits.then(|| password.clone())
}

/// The URL without its password.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.text.split_once("://").unwrap_or(("postgres", ""));
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = place.split_once('/').unwrap_or((place, ""));
        let shown = match authority.rsplit_once('@') {
            Some((user, host)) => format!("{}@{host}", user.split(':').next().unwrap_or_default()),
            None => authority.to_owned(),
        };
        write!(f, "{scheme}://{shown}/{database}")?;
        let shown: Vec<_> =
            query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("password")).collect();
        if shown.is_empty() { Ok(()) } else { write!(f, "?{}", shown.join("&")) }
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_crossed_encrypted_unless_it_is_told_otherwise() {
        let verified = || Encryption::Verified(None);
        for (url, expected) in [
            ("postgres://u@db.example.org/c", verified()),
            ("postgres://u@db.example.org/c?sslmode=require", verified()),
            ("postgres://u@db.example.org/c?sslmode=verify-full&connect_timeout=1", verified()),
            ("postgres://u@db.example.org/c?sslmode=disable", Encryption::Off),
            ("postgres://u@localhost/c", Encryption::Off),
            ("postgres://u@127.0.0.1,[::1]/c", Encryption::Off),
            ("postgres://u@%2Frun%2Fpostgresql/c", Encryption::Off),
            ("postgres://u@127.0.0.1/c?sslmode=require", verified()),
            ("postgres://u@127.0.0.1,db/c", verified()),
            ("postgres://u@db/c?sslrootcert=/etc/ca.pem", Encryption::Verified(Some("/etc/ca.pem".into()))),
        ] {
            assert_eq!(PostgresUrl::new(url).unwrap().encryption, expected, "{url}");
        }
    }

    #[test]
    fn nothing_that_is_said_of_a_url_has_its_password() {
        for url in
            ["postgres://u:secret@db/c?sslmode=prefer", "postgres://u:secret@db:x/c", "mysql://u:secret@db"]
        {
            let problem = PostgresUrl::new(url).unwrap_err();
            assert!(!problem.contains("secret"), "{problem}");
        }
        for (url, shown) in [
            ("postgres://u:secret@db:5433/c?connect_timeout=1", "postgres://u@db:5433/c?connect_timeout=1"),
            ("postgresql://u:s@cret@db/c?password=secret", "postgresql://u@db/c"),
        ] {
            let url = PostgresUrl::new(url);
            let Ok(url) = url else { continue };
            assert_eq!((url.to_string(), format!("{url:?}")), (shown.into(), shown.into()));
        }
    }

    #[test]
    fn a_password_file_is_read_as_libpq_reads_it() {
        let wanted = ["db", "5432", "charta", "app"];
        for (line, password) in [
            ("db:5432:charta:app:secret", Some("secret")),
            ("*:*:*:app:with\\:colon\\\\", Some("with:colon\\")),
            ("*:*:*:*:a:b", Some("a:b")),
            ("db:5433:charta:app:secret", None),
            ("# db:5432:charta:app:secret", None),
            ("db:5432:charta", None),
            ("", None),
        ] {
            assert_eq!(matching(line, wanted).as_deref(), password, "{line}");
        }
    }
}
