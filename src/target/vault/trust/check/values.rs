//! Values of claims, as Vault compares them.

use crate::json::Json;

/// A claim by its name, or by a JSON pointer (RFC 6901) if it begins with a slash. `null` is none.
pub(super) fn get<'a>(claims: &'a Json, claim: &str) -> Option<&'a Json> {
    let value = match claim.strip_prefix('/') {
        None => claims.get(claim)?,
        Some(pointer) => pointer.split('/').try_fold(claims, |value, token| {
            let token = token.replace("~1", "/").replace("~0", "~");
            match value {
                Json::Array(items) => items.get(token.parse::<usize>().ok()?),
                other => other.get(&token),
            }
        })?,
    };
    (*value != Json::Scalar("null".into())).then_some(value)
}

/// One value, or several; none of an object.
pub(super) fn values(value: &Json) -> Option<Vec<Json>> {
    match value {
        Json::Array(items) => Some(items.clone()),
        Json::Scalar(_) => Some(vec![value.clone()]),
        Json::Object(_) => None,
    }
}

pub(super) fn shown(value: &Json) -> String {
    value.as_str().unwrap_or_else(|| value.compact())
}

pub(super) fn same(bound: &Json, actual: &Json, globs: bool) -> bool {
    match (bound.as_str(), actual.as_str()) {
        (Some(bound), Some(actual)) => {
            if globs {
                glob(&bound, &actual)
            } else {
                bound == actual
            }
        }
        (None, None) => !globs && bound.compact() == actual.compact(),
        _ => false,
    }
}

/// Whether all of `text` matches a pattern in which `*`, and nothing else, is any run of characters.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}
