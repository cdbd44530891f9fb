//! The errors of reading and editing a profile file.

use crate::exit::{Exit, Explain};

/// Why a profile file cannot be read or changed. Line numbers start at 1. No message quotes a
/// value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    #[error("line {line}: this is not UTF-8 text")]
    NotText { line: usize },
    /// U+FEFF at the start.
    #[error("line 1: the file begins with a byte order mark")]
    ByteOrderMark,
    /// Content above the first header.
    #[error("line {line}: something other than a comment is above the first section")]
    NoSection { line: usize },
    /// A header without its end.
    #[error("line {line}: the name of the section has no closing `]`")]
    Unclosed { line: usize },
    /// Neither `=` nor `:`.
    #[error("line {line}: this is neither `[section]` nor `key = value`")]
    NoValue { line: usize },
    /// A line such as `= value`.
    #[error("line {line}: there is no key before the `=` or `:`")]
    NoKey { line: usize },
    /// The same header twice.
    #[error("line {line}: the section `{name}` is already on line {first}")]
    DuplicateSection { line: usize, first: usize, name: String },
    /// The same key twice in one section. The key is not named: in an unexpected file, it may be
    /// part of a secret.
    #[error("line {line}: this sets the key of line {first} again")]
    DuplicateKey { line: usize, first: usize },
    /// In an indented block, a line without `=`.
    #[error("line {line}: there is no `=` in this line of an indented block")]
    Block { line: usize },
    /// A name that some tools would misread.
    #[error("`{name}` cannot be the name of a profile: {reason}")]
    Name { name: String, reason: &'static str },
    /// A key or value that some tools would not read back unchanged.
    #[error("`{key}` cannot be written: {reason}")]
    Unwritable {
        key: String,
        /// The fault of the key or of its value.
        reason: &'static str,
    },
    /// Two sections for one profile, `[profile a]` and `[profile "a"]`.
    #[error("lines {first} and {line} both begin a section for the profile `{profile}`")]
    TwoSections { profile: String, first: usize, line: usize },
    /// A header such as `[ a ]`, which is the profile `a` for some tools only.
    #[error("line {line}: some tools take this section for the profile `{profile}` and others do not")]
    AmbiguousSection { profile: String, line: usize },
    /// A header that is indented more than the key above it.
    #[error("line {line}: this section is indented, so that it is part of the value above it (line {first})")]
    IndentedSection {
        line: usize,
        /// The line of the key whose value contains the header.
        first: usize,
    },
    /// An access key that does not expire, which only `--force` overwrites.
    #[error("the profile `{profile}` holds a long-lived key (`AKIA…` on line {line})")]
    LongLived { profile: String, line: usize },
    /// A key in `[DEFAULT]` that the profile would still inherit after the change.
    #[error("line {line}: `{key}` in the section `DEFAULT` applies to every profile, including `{profile}`")]
    Inherited { profile: String, key: String, line: usize },
    /// The changed text would be invalid, or would differ in other keys too.
    #[error("the profile `{profile}` cannot be changed without changing what the rest of the file means")]
    SideEffect { profile: String },
}

impl Explain for ProfileError {
    fn exit(&self) -> Exit {
        match self {
            Self::Name { .. } => Exit::Usage,
            Self::Unwritable { .. } => Exit::Failed,
            _ => Exit::LocalFile,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Name { .. } => {
                "choose a name of letters, digits, `-`, `_` and `.`, such as `ci-deploy`".into()
            }
            Self::Unwritable { .. } => return None,
            Self::ByteOrderMark => "save the file as UTF-8 without a byte order mark; nothing was changed".into(),
            Self::TwoSections { .. } => "join the two sections by hand, then try again; nothing was changed".into(),
            Self::AmbiguousSection { profile, .. } => format!(
                "write the name without spaces or quotes around it, `[{profile}]` or `[profile {profile}]`; nothing was changed"
            ),
            Self::IndentedSection { .. } => {
                "if this line is meant as a section, remove the white space before it; nothing was changed".into()
            }
            Self::LongLived { .. } => {
                "choose another profile with `--profile`\nif you no longer need the key, overwrite it with `--force`: AWS does not show its secret again"
                    .into()
            }
            Self::Inherited { .. } => "remove the key from this section, or move it to the profiles that need it; nothing was changed".into(),
            Self::SideEffect { .. } => "look for indented lines in the section `DEFAULT`; nothing was changed".into(),
            _ => "fix this line, because it makes the AWS CLI refuse the whole file; nothing was changed".into(),
        })
    }
}
