//! The connection to the store: where it is, who asks, how long is waited, and what its errors mean here.

use std::{error::Error as StdError, fmt, net::IpAddr, sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ClientOptions, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, Checksum},
    client::{HttpClient, HttpConnector},
    path::Path,
};
use tokio_rustls::rustls::crypto::ring;

use crate::Error;

/// A connection that is not there after so long is given up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Sent bytes that nobody acknowledges for so long end their connection.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(5);
/// So long is waited for the answer to one attempt, the sending of a part included.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// A request whose first attempt began longer ago is not tried again.
const RETRY_WINDOW: Duration = Duration::from_secs(4);
const RETRIES_MAX: usize = 4;

/// A bucket, the keys in it that are this store's, and who asks for them.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Place {
    url: String,
    bucket: String,
    prefix: Path,
    settings: Vec<(String, String)>,
}

impl S3Place {
    /// Of `s3://bucket` or `s3://bucket/prefix`. `settings` are variables of the environment, of which those count
    /// that other programs for S3 know too: `AWS_ACCESS_KEY_ID`, `AWS_REGION`, `AWS_ENDPOINT_URL_S3` and so on.
    ///
    /// # Errors
    /// What is wrong with the URL.
    pub fn new(
        url: &str,
        settings: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, &'static str> {
        const FORM: &str = "not of the form s3://bucket or s3://bucket/prefix";
        let (bucket, prefix) =
            url.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, ""))).ok_or(FORM)?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if bucket.is_empty()
            || !bucket.chars().all(is_name)
            || !prefix.chars().all(|c| is_name(c) || c == '/')
        {
            return Err(FORM);
        }
        let prefix = Path::parse(prefix.trim_end_matches('/')).map_err(|_| FORM)?;
        let settings = settings.into_iter().filter(|(name, _)| name.starts_with("AWS_")).collect();
        Ok(Self { url: url.to_owned(), bucket: bucket.to_owned(), prefix, settings })
    }

    /// The URL, in which is no secret.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn prefix(&self) -> &Path {
        &self.prefix
    }

    /// The client. Asks nothing yet.
    pub(super) fn connect(&self) -> Result<AmazonS3, String> {
        let mut builder = AmazonS3Builder::new();
        for (name, value) in &self.settings {
            if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
                builder = builder.with_config(key, value);
            }
        }
        let is_plain = self.is_plain(&builder)?;
        let backoff = BackoffConfig {
            init_backoff: Duration::from_millis(50),
            max_backoff: Duration::from_secs(1),
            base: 2.,
        };
        let retry = RetryConfig { backoff, max_retries: RETRIES_MAX, retry_timeout: RETRY_WINDOW };
        builder
            .with_bucket_name(&self.bucket)
            .with_checksum_algorithm(Checksum::SHA256)
            .with_disable_bulk_delete(true) // not every store has it
            .with_retry(retry)
            .with_http_connector(Connector(http_client(is_plain)?))
            .build()
            .map_err(|error| error.to_string())
    }

    /// Whether the store is reached without encryption, which is refused beyond this machine unless it is asked for.
    fn is_plain(&self, builder: &AmazonS3Builder) -> Result<bool, String> {
        let value = |key| builder.get_config_value(&key);
        let endpoint = value(AmazonS3ConfigKey::S3Endpoint).or_else(|| value(AmazonS3ConfigKey::Endpoint));
        let Some(endpoint) = endpoint else { return Ok(false) };
        let url =
            reqwest::Url::parse(&endpoint).map_err(|error| format!("the endpoint {endpoint:?}: {error}"))?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let is_here = host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        let is_allowed =
            self.settings.iter().any(|(name, value)| name == "AWS_ALLOW_HTTP" && value == "true");
        match url.scheme() {
            "https" => Ok(false),
            "http" if is_here || is_allowed => Ok(true),
            _ => Err(format!("the endpoint {endpoint:?} is not https; AWS_ALLOW_HTTP=true takes http")),
        }
    }
}

impl fmt::Debug for S3Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3Place({})", self.url) // the settings are secrets
    }
}

fn http_client(is_plain: bool) -> Result<reqwest::Client, String> {
    let _ = ring::default_provider().install_default(); // another part may have done it
    let mut builder = reqwest::Client::builder()
        .http1_only() // one connection for each request: a slow reader holds nobody else up
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_user_timeout(UNACKNOWLEDGED_MAX)
        .tcp_keepalive(Duration::from_secs(15))
        .read_timeout(ANSWER_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none());
    if is_plain {
        builder = builder.tls_certs_only([]); // reading the system's takes a while
    }
    builder.build().map_err(|error| error.to_string())
}

#[derive(Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

/// What an error of the library means here, for whoever waited for `doing`.
///
/// The store's answer itself is left out: it may repeat keys and signatures.
pub fn error(doing: &str, error: &object_store::Error) -> Error {
    let whole = chain(error);
    let code = whole.split_once("<Code>").and_then(|(_, rest)| Some(rest.split_once("</Code>")?.0));
    let code = code.filter(|code| code.len() < 60).unwrap_or_default();
    let text = whole.split('<').next().unwrap_or_default().trim_end_matches([' ', ':', '\n']);
    let text: String = text.chars().filter(|c| !c.is_control()).take(400).collect();
    let is_full = code == "QuotaExceeded" || text.contains("507 Insufficient Storage");
    let text: Arc<str> = match code {
        "" => format!("{doing}: {text}"),
        code => format!("{doing}: {text} ({code})"),
    }
    .into();
    if is_full { Error::Full(text) } else { Error::Unavailable(text) }
}

/// The error and its causes, as far as they add anything.
fn chain(error: &object_store::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str, settings: &[(&str, &str)]) -> Result<S3Place, &'static str> {
        S3Place::new(url, settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn a_place_is_a_bucket_and_perhaps_a_prefix() {
        for (url, bucket, prefix) in
            [("s3://b", "b", ""), ("s3://b/", "b", ""), ("s3://b.c-d/charta/main/", "b.c-d", "charta/main")]
        {
            let place = place(url, &[]).unwrap();
            assert_eq!((&*place.bucket, place.prefix.as_ref()), (bucket, prefix), "{url}");
        }
        for url in [
            "b",
            "s3:/b",
            "s3://",
            "s3:///b",
            "s3://b/a//b",
            "s3://user:secret@b/x",
            "s3://b/../x",
            "s3://b/?x",
        ] {
            assert!(place(url, &[]).is_err(), "{url}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let place = place("s3://b", &[("AWS_SECRET_ACCESS_KEY", "secret"), ("HOME", "/root")]).unwrap();
        assert_eq!((format!("{place:?}"), place.settings.len()), ("S3Place(s3://b)".to_owned(), 1));
    }

    #[test]
    fn plain_connections_stay_on_this_machine() {
        let connect = |settings: &[(&str, &str)]| place("s3://b", settings).unwrap().connect().map(drop);
        for endpoint in
            ["http://127.0.0.1:9000", "http://[::1]:9000", "http://localhost", "https://s3.example.org"]
        {
            assert_eq!(connect(&[("AWS_ENDPOINT_URL", endpoint)]), Ok(()), "{endpoint}");
        }
        let far = ("AWS_ENDPOINT_URL_S3", "http://s3.example.org");
        assert!(connect(&[far]).is_err());
        assert_eq!(connect(&[far, ("AWS_ALLOW_HTTP", "true")]), Ok(()));
        assert!(connect(&[("AWS_ENDPOINT_URL", "here")]).is_err());
    }

    #[test]
    fn the_store_s_own_words_are_not_repeated() {
        let answer = "Server returned 403: <Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AK1</AWSAccessKeyId></Error>";
        let failed = object_store::Error::Generic { store: "S3", source: answer.into() };
        let text = error("writing", &failed).to_string();
        assert!(text.ends_with("403 (SignatureDoesNotMatch)") && !text.contains("AK1"), "{text}");
    }

    #[test]
    fn a_store_without_space_says_so_by_its_code_and_not_by_chance() {
        let meant = |answer: &str| {
            error("writing", &object_store::Error::Generic { store: "S3", source: answer.into() })
        };
        let full = "Server returned 403: <Error><Code>QuotaExceeded</Code></Error>";
        assert!(matches!(meant(full), Error::Full(_)));
        assert!(matches!(meant("PUT http://127.0.0.1:45070/b/507 failed"), Error::Unavailable(_)));
    }
}
