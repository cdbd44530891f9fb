//! Finds a trust policy in the formats that tools print.

use super::error::PolicyError;
use crate::json::Json;
use crate::yaml;

/// The most layers around a document, such as a role, a JSON string or URL encoding.
const WRAPPINGS: usize = 4;

/// Finds the policy in the output of a tool: the document alone, the output of `aws iam get-role`
/// (`{"Role":{"AssumeRolePolicyDocument":…}}`) or the role in it. Each may be JSON, YAML,
/// URL-encoded as in the IAM API, or a JSON string as in Terraform.
pub(super) fn find(text: &str) -> Result<Json, PolicyError> {
    let mut json = read(text)?;
    for _ in 0..WRAPPINGS {
        if json.get("Statement").is_some() {
            return Ok(json);
        }
        let inner = json.get("Role").or_else(|| json.get("AssumeRolePolicyDocument")).unwrap_or(&json);
        json = match inner.as_str() {
            Some(text) => read(&text)?,
            None if *inner == json => return Err(PolicyError::NoPolicy),
            None => inner.clone(),
        };
    }
    Err(PolicyError::NoPolicy)
}

/// Reads a text that is a policy or contains one: JSON, YAML or a URL-encoded document.
pub(crate) fn read(text: &str) -> Result<Json, PolicyError> {
    // Some editors put a byte order mark at the start.
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(PolicyError::Empty);
    }
    let decoded = text.starts_with('%').then(|| decode(text)).transpose()?;
    let text = decoded.as_deref().unwrap_or(text);
    if is_yaml(text) { Ok(yaml::parse(text)?) } else { Ok(Json::parse(text)?) }
}

/// Whether the first character rules out JSON and URL encoding. Nearly all JSON is YAML too, but
/// the errors of the JSON parser are better.
pub(crate) fn is_yaml(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    !text.is_empty() && !text.starts_with(['{', '[', '"', '%'])
}

/// Decodes percent-encoding (RFC 3986). A `+` stays a plus.
fn decode(text: &str) -> Result<String, PolicyError> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'%' {
            decoded.push(byte);
            at += 1;
            continue;
        }
        let digits = bytes.get(at + 1..at + 3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let value = digits.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        decoded.push(value.ok_or(PolicyError::Percent(at + 1))?);
        at += 3;
    }
    String::from_utf8(decoded).map_err(|_| PolicyError::NotText)
}
