//! Values that are checked while the command line is read.

use crate::cli::non_empty;
use crate::diagnose::trust::{azure, gcp};
use crate::output::sanitise;

pub(super) fn project_number(text: &str) -> Result<String, String> {
    if !text.is_empty() && text.len() <= 19 && text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err("it is digits only: `gcloud projects describe PROJECT_ID --format='value(projectNumber)'` prints it"
        .into())
}

pub(super) fn google_id(text: &str) -> Result<String, String> {
    if gcp::is_id(text) {
        return Ok(text.to_owned());
    }
    Err("it is 4 to 32 of a-z, 0-9 and dashes, and does not begin with `gcp-`".into())
}

pub(super) fn credential_name(text: &str) -> Result<String, String> {
    if azure::is_name(text) {
        return Ok(text.to_owned());
    }
    Err("it is 3 to 120 letters, digits, dashes and underscores, and begins with a letter or digit".into())
}

pub(super) fn group_name(text: &str) -> Result<String, String> {
    // Nobody from outside may be in a group that Kubernetes itself gives rights to.
    if text.starts_with("system:") {
        return Err("the groups `system:…` are those of Kubernetes itself".into());
    }
    visible(text)
}

pub(super) fn user_prefix(text: &str) -> Result<String, String> {
    if text.starts_with("system:") {
        return Err("the names `system:…` are those of Kubernetes itself".into());
    }
    visible(text)
}

pub(super) fn visible(text: &str) -> Result<String, String> {
    let text = non_empty(text)?;
    if sanitise(&text) == text { Ok(text) } else { Err("it has control or invisible characters".into()) }
}
