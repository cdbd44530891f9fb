//! Fetches the discovery document and the keys of an issuer (OpenID Connect Discovery section 4).

use serde::Deserialize;
use serde_json::Value;

use super::claims::difference;
use super::key::KeySet;
use super::report::Step;
use crate::exit::{Exit, Explain};
use crate::http::{Call, Http, HttpError, Reply, SecureUrl, UnexpectedReply, is_overloaded, shown_url};

/// The members of a discovery document that are used (section 3).
#[derive(Debug, Deserialize)]
pub(super) struct Discovery {
    issuer: String,
    pub(super) jwks_uri: String,
    #[serde(rename = "id_token_signing_alg_values_supported", default)]
    pub(super) algorithms: Vec<String>,
}

/// Fetches the discovery document, and checks that it names this issuer (section 4.3).
pub(super) async fn discover(http: &Http<'_>, issuer: &str) -> Result<(Discovery, Step), Step> {
    const NAME: &str = "discovery";
    let url = address(NAME, "the issuer", issuer)?;
    if url.query().is_some() {
        return Err(Step::failed(NAME, format!("the issuer `{url}` has a query, which is not allowed")));
    }
    let place = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let reply = get(http, NAME, address(NAME, "the issuer", &place)?).await?;
    let found: Discovery = reply.json().map_err(|error| unexpected_reply_step(NAME, &error))?;
    if found.issuer != issuer {
        let difference = difference(&found.issuer, issuer);
        return Err(Step::failed(
            NAME,
            format!("{place} names the issuer `{}`, not `{issuer}`{difference}", found.issuer),
        ));
    }
    Ok((found, Step::passed(NAME, place)))
}

/// Fetches the keys.
pub(super) async fn keys(http: &Http<'_>, place: &str) -> Result<(KeySet, Step), Step> {
    const NAME: &str = "keys";
    let url = address(NAME, "the address of the keys", place)?;
    let place = url.to_string();
    let reply = get(http, NAME, url).await?;
    let value: Value = reply.json().map_err(|error| unexpected_reply_step(NAME, &error))?;
    let set = KeySet::from_json(value).map_err(|error| Step::failed(NAME, format!("{place}: {error}")))?;
    let step = found(&set, &format!("at {place}"));
    Ok((set, step))
}

/// `2 at https://…, and 1 of a kind that is not supported here`
pub(super) fn found(set: &KeySet, place: &str) -> Step {
    let more = match set.left_out {
        0 => String::new(),
        more => format!(", and {more} of a kind that is not supported here"),
    };
    let value = format!("{} {place}{more}", set.keys.len());
    match set.private {
        0 => Step::passed("keys", value),
        private => Step::warned(
            "keys",
            format!("{value}; {private} with the private part. Anyone who reads that part can sign tokens"),
        )
        .hint("an issuer that publishes the private part has to replace the key"),
    }
}

async fn get(http: &Http<'_>, name: &'static str, url: SecureUrl) -> Result<Reply, Step> {
    let place = url.to_string();
    let reply = http.send(&Call::get(url)).await.map_err(|error| http_error_step(name, &error))?;
    match reply.status {
        200..400 => Ok(reply),
        status if is_overloaded(status) => {
            Err(Step::unknown(name, format!("{place} answers HTTP {}", reply.status)))
        }
        status => Err(Step::failed(name, format!("{place} answers HTTP {status}"))),
    }
}

fn http_error_step(name: &'static str, error: &HttpError) -> Step {
    let step = match error.exit() {
        Exit::Network => Step::unknown(name, error.to_string()),
        _ => Step::failed(name, error.to_string()),
    };
    match error.hint() {
        Some(hint) => step.hint(hint),
        None => step,
    }
}

/// A login page or a redirect comes from another service, so the step is undecided.
fn unexpected_reply_step(name: &'static str, error: &UnexpectedReply) -> Step {
    match error {
        UnexpectedReply::Content { .. } => Step::failed(name, error.to_string()),
        _ => Step::unknown(name, error.to_string())
            .hint("a proxy, a login page or another service answers at that address: try it with `curl`"),
    }
}

/// Parses a URL for keys. Plain http is allowed only to loopback, because anyone on the network
/// path could replace the keys.
fn address(name: &'static str, what: &str, text: &str) -> Result<SecureUrl, Step> {
    SecureUrl::parse(text)
        .map_err(|error| Step::failed(name, format!("{what}, `{}`: {error}", shown_url(text))))
}
