//! One request with its headers, body and secrets.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use serde::Serialize;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::{HttpError, RetryPolicy, SecureUrl};
use crate::exit::Bug;
use crate::secret::Secret;

/// One request, which may be sent several times.
pub struct Call {
    pub(super) method: Method,
    pub(super) url: SecureUrl,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Zeroizing<Vec<u8>>>,
    pub(super) retries: RetryPolicy,
    pub(super) try_limit: Option<Duration>,
    pub(super) secrets: Vec<Secret>,
}

impl Call {
    pub fn get(url: SecureUrl) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: None,
            retries: RetryPolicy::default(),
            try_limit: None,
            secrets: Vec::new(),
        }
    }

    /// A POST request with `body`. The caller sets the content type with [`Call::header`].
    pub fn post(url: SecureUrl, body: Vec<u8>) -> Self {
        Self { method: Method::POST, body: Some(Zeroizing::new(body)), ..Self::get(url) }
    }

    /// A POST request with a JSON body.
    pub fn post_json(url: SecureUrl, body: &impl Serialize) -> Result<Self, HttpError> {
        let mut bytes = Zeroizing::new(Vec::new());
        serde_json::to_writer(&mut *bytes, body).map_err(|error| HttpError::Bug(Bug::new(error)))?;
        let call = Self { body: Some(bytes), ..Self::post(url, Vec::new()) };
        Ok(call.header("content-type", "application/json"))
    }

    /// A POST request with form parameters.
    pub fn post_form(url: SecureUrl, form: &mut form_urlencoded::Serializer<'_, String>) -> Self {
        Self::post(url, form.finish().into_bytes())
            .header("content-type", "application/x-www-form-urlencoded")
    }

    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    /// Adds a header with a value from outside. An invalid header value is an error.
    pub fn header_from(mut self, name: &'static str, value: &str) -> Result<Self, HttpError> {
        let value = HeaderValue::from_str(value).map_err(|_| HttpError::BadHeader { name })?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// As [`Call::header_from`], for a secret value.
    pub fn secret_header(mut self, name: &'static str, value: &Secret) -> Result<Self, HttpError> {
        let mut header = HeaderValue::from_str(value.reveal()).map_err(|_| HttpError::BadHeader { name })?;
        header.set_sensitive(true);
        self.headers.insert(name, header);
        Ok(self.with_secret(value))
    }

    /// Adds `Authorization: Bearer …`. A token that is no valid header value is an error.
    pub fn bearer(self, token: &Secret) -> Result<Self, HttpError> {
        self.authorization("Bearer", token)
    }

    /// As [`Call::bearer`], with another authentication scheme.
    pub fn authorization(mut self, scheme: &str, token: &Secret) -> Result<Self, HttpError> {
        self.authorize(&Zeroizing::new(format!("{scheme} {}", token.reveal())))?;
        Ok(self.with_secret(token))
    }

    /// Adds `Authorization: Basic …` for an OAuth client. The id and the secret are form-encoded
    /// first (RFC 6749 section 2.3.1).
    pub fn basic(mut self, id: &str, secret: &Secret) -> Result<Self, HttpError> {
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = Zeroizing::new(format!("{}:{}", encode(id), encode(secret.reveal())));
        let encoded = Secret::new(STANDARD.encode(pair.as_bytes()));
        self.authorize(&Zeroizing::new(format!("Basic {}", encoded.reveal())))?;
        Ok(self.with_secret(secret).with_secret(&encoded))
    }

    fn authorize(&mut self, line: &str) -> Result<(), HttpError> {
        let mut value = HeaderValue::from_str(line).map_err(|_| HttpError::BadBearer)?;
        value.set_sensitive(true);
        self.headers.insert(reqwest::header::AUTHORIZATION, value);
        Ok(())
    }

    /// Declares a secret of the request. A service may repeat it, so [`super::Http::send`]
    /// registers it for redaction from all text for people.
    pub fn with_secret(mut self, secret: &Secret) -> Self {
        self.secrets.push(secret.clone());
        self
    }

    /// Ends each try after `limit` and tries again, for a service that sometimes hangs but answers
    /// the next request immediately.
    pub fn try_limit(mut self, limit: Duration) -> Self {
        self.try_limit = Some(limit);
        self
    }

    /// Sets which outcomes are retried.
    pub fn retries(mut self, retries: RetryPolicy) -> Self {
        self.retries = retries;
        self
    }
}
