//! AWS credentials and config files as text: read as botocore reads them, changed line by line.
//!
//! Botocore, under the AWS CLI and boto3, is the strictest of the common readers: it refuses the whole file
//! for one duplicate key, and every profile in it is lost. So what it refuses is refused here, with the line,
//! and nothing is repaired. Where readers disagree on what a file says, reading follows botocore and editing
//! refuses.
//!
//! Text in, text out; only [`Store`] opens files.

mod credentials;
mod edit;
mod error;
mod parse;
#[cfg(test)]
mod properties;
mod store;
#[cfg(test)]
mod tests;

use std::fmt;

pub use credentials::{EXPIRY, Effect, Keys, Rival, SOURCES, Source};
pub use error::ProfileError;
pub use store::{LockedStore, Store, StoreError};

use parse::{Key, Layout, Section};

/// Which of the two files: they name their sections differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// `~/.aws/credentials`, with sections such as `[dev]`.
    Credentials,
    /// `~/.aws/config`, with sections such as `[profile dev]`; only `[default]` stands alone.
    Config,
}

/// A credentials or config file that botocore accepts.
#[derive(Clone)]
pub struct ProfileFile {
    kind: FileKind,
    /// The one copy of what may be secret: `layout` has positions, and of its content only names.
    text: String,
    layout: Layout,
}

impl fmt::Debug for ProfileFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProfileFile({:?}, {} lines, [redacted])", self.kind, self.layout.line_count())
    }
}

impl ProfileFile {
    /// Reads a file; an empty text is one without profiles. Whatever botocore would refuse is an error.
    pub fn parse(text: &str, kind: FileKind) -> Result<Self, ProfileError> {
        Ok(Self { kind, layout: Layout::of(text)?, text: text.to_owned() })
    }

    /// As [`ProfileFile::parse`], for bytes that may not be UTF-8, which botocore refuses too.
    pub fn from_bytes(bytes: &[u8], kind: FileKind) -> Result<Self, ProfileError> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::parse(text, kind),
            Err(error) => {
                let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
                // The character marks the line that the fault is on, even if that line has just begun.
                Err(ProfileError::NotText { line: parse::lines(&format!("{before}?")).count() })
            }
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names of the profiles, in the order of their sections.
    pub fn profiles(&self) -> Vec<String> {
        let mut names = Vec::new();
        for name in self.sections().iter().filter_map(|section| section.profile(self.kind)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// A value as botocore reads it: the key in any case, continuation lines joined by line breaks (an
    /// indented block begins with one), and keys of a section `[DEFAULT]` in every profile that does not set
    /// them.
    pub fn get(&self, profile: &str, key: &str) -> Option<String> {
        Some(self.value(self.find(profile, key)?))
    }

    /// A setting of a service in a `[services NAME]` section of a config file, where the service is a key with
    /// an indented block (AWS SDK reference, "Service-specific endpoints").
    pub fn service_setting(&self, services: &str, service: &str, key: &str) -> Option<String> {
        let is_it =
            |section: &&Section| section.name.strip_prefix("services").map(parse::strip) == Some(services);
        let block = self.value(self.sections().iter().find(is_it)?.key(service)?);
        let mut settings = block.lines().filter_map(|line| line.split_once('='));
        settings
            .find(|(name, _)| parse::strip(name).eq_ignore_ascii_case(key))
            .map(|(_, value)| parse::strip(value).to_owned())
    }

    fn sections(&self) -> &[Section] {
        self.layout.sections()
    }

    fn value(&self, key: &Key) -> String {
        self.layout.value(&self.text, key)
    }

    /// The section that botocore takes for a profile: of several, such as `[profile a]` and `[profile "a"]`,
    /// the last.
    fn section(&self, profile: &str) -> Option<&Section> {
        self.sections().iter().rfind(|section| section.profile(self.kind).as_deref() == Some(profile))
    }

    fn find(&self, profile: &str, key: &str) -> Option<&Key> {
        let section = self.section(profile)?;
        section.key(key).or_else(|| {
            self.sections().iter().filter(|section| section.is_default()).find_map(|section| section.key(key))
        })
    }
}
