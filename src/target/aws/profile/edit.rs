//! Sets and removes keys of one profile, and keeps every other byte.

use std::collections::HashMap;

use super::parse::{DEFAULT, Key, Section, header, is_space, strip};
use super::{FileKind, ProfileError, ProfileFile};

impl ProfileFile {
    /// Sets (`Some`) and removes (`None`) keys of a profile. On an error, nothing changes.
    ///
    /// An existing key is replaced in place, with its continuation lines. A new key is added below
    /// the last key of the section, above comments and blank lines that may belong to the next
    /// section. A missing section is added at the end of the file, unless there is nothing to set.
    /// New lines get the indentation and the line end of their neighbours. The last line of the
    /// file gets a line end only if another line is added below it.
    pub fn set(&mut self, profile: &str, edits: &[(&str, Option<&str>)]) -> Result<(), ProfileError> {
        check_name(profile)?;
        let edits = checked(edits)?;
        let text = match self.editable(profile)? {
            Some(section) => self.edited(section, &edits)?,
            None if edits.iter().all(|(_, value)| value.is_none()) => return Ok(()),
            None => self.appended(profile, &edits),
        };
        let side_effect = || ProfileError::SideEffect { profile: profile.to_owned() };
        let new = Self::parse(&text, self.kind).map_err(|_| side_effect())?;
        if !new.differs_only_in(self, profile, &edits) {
            return Err(side_effect());
        }
        *self = new;
        Ok(())
    }

    /// The section to edit. Returns an error if tools disagree on the section of this profile.
    fn editable(&self, profile: &str) -> Result<Option<&Section>, ProfileError> {
        let mut found: Option<&Section> = None;
        for section in self.sections() {
            let is = |name: Option<String>| name.as_deref() == Some(profile);
            let (real, apparent) = (is(section.profile(self.kind)), is(section.apparent_profile(self.kind)));
            let line = section.header + 1;
            if real != apparent {
                return Err(ProfileError::AmbiguousSection { profile: profile.to_owned(), line });
            }
            if real {
                if let Some(first) = found {
                    let (profile, first) = (profile.to_owned(), first.header + 1);
                    return Err(ProfileError::TwoSections { profile, first, line });
                }
                found = Some(section);
            }
        }
        Ok(found)
    }

    /// The text with a section's keys set and removed.
    fn edited(&self, section: &Section, edits: &Edits<'_>) -> Result<String, ProfileError> {
        // The new text of each changed line.
        let mut replacements: HashMap<usize, String> = HashMap::new();
        let mut added = Vec::new();
        for (name, value) in edits {
            let Some(key) = section.key(name) else {
                added.extend(value.map(|value| entry(name, value)));
                continue;
            };
            self.check_indented_sections(key)?;
            let line = self.line(key.line);
            let new = value.map(|value| format!("{}{}{}", indent(line), entry(name, value), line_end(line)));
            replacements.insert(key.line, new.unwrap_or_default());
            replacements.extend(key.continuation_lines.iter().map(|&index| (index, String::new())));
        }

        // With more indentation than the last key, a new line would continue that key's value. With
        // less indentation than the next header, the new key's value would contain that header.
        let (anchor, model) = match section.keys.last() {
            Some(last) => (last.last_line(), Some(last.line)),
            None => (section.header, self.header_after(section)),
        };
        let indent = indent(model.map_or("", |line| self.line(line)));
        let end = self.line_end_near(anchor);

        let mut text = String::with_capacity(self.text.len() + 64);
        for index in 0..self.layout.line_count() {
            text.push_str(replacements.get(&index).map_or_else(|| self.line(index), String::as_str));
            if index == anchor && !added.is_empty() {
                finish_line(&mut text, end);
                for entry in &added {
                    text.extend([indent, entry, end]);
                }
            }
        }
        Ok(text)
    }

    /// The text with a new section at its end.
    fn appended(&self, profile: &str, edits: &Edits<'_>) -> String {
        let last = self.layout.line_count().saturating_sub(1);
        let end = self.line_end_near(last);
        let mut text = self.text.clone();
        finish_line(&mut text, end);
        if !strip(self.line(last)).is_empty() {
            text.push_str(end);
        }
        let prefix = if self.kind == FileKind::Config && profile != "default" { "profile " } else { "" };
        text.extend(["[", prefix, profile, "]", end]);
        for (name, value) in edits {
            if let Some(value) = value {
                text.extend([&entry(name, value), end]);
            }
        }
        text
    }

    /// A section header that is indented below a key is part of the key's value. An edit that removes the value would
    /// also remove a section that the author sees there.
    fn check_indented_sections(&self, key: &Key) -> Result<(), ProfileError> {
        match key.continuation_lines.iter().find(|&&index| header(strip(self.line(index))).is_some()) {
            Some(index) => Err(ProfileError::IndentedSection { line: index + 1, first: key.line + 1 }),
            None => Ok(()),
        }
    }

    /// Whether the edited keys have their new values, and all other keys are as in `old`, in the
    /// same order.
    fn differs_only_in(&self, old: &Self, profile: &str, edits: &Edits<'_>) -> bool {
        let is_edited = |name: &str| edits.iter().any(|(edited, _)| edited == name);
        let rest = |file: &Self| -> Vec<(String, Vec<(String, String)>)> {
            let others = file.sections().iter().map(|section| {
                let here = section.profile(file.kind).as_deref() == Some(profile);
                let keys = section.keys.iter().filter(|key| !(here && is_edited(&key.name)));
                (section.name.clone(), keys.map(|key| (key.name.clone(), file.value(key))).collect())
            });
            others.collect()
        };
        let (mut before, after) = (rest(old), rest(self));
        if old.section(profile).is_none() {
            before.extend(self.section(profile).map(|section| (section.name.clone(), Vec::new())));
        }
        let own = |name: &str| self.section(profile)?.key(name).map(|key| self.value(key));
        before == after && edits.iter().all(|(name, value)| own(name).as_deref() == *value)
    }

    fn header_after(&self, section: &Section) -> Option<usize> {
        self.sections().iter().map(|other| other.header).find(|&header| header > section.header)
    }

    fn line(&self, index: usize) -> &str {
        self.layout.line(&self.text, index)
    }

    /// The line end of this line, or of the nearest line above that has a line end.
    fn line_end_near(&self, index: usize) -> &str {
        (0..=index).rev().map(|index| line_end(self.line(index))).find(|end| !end.is_empty()).unwrap_or("\n")
    }
}

/// Keys in lower case, without duplicates, and their new values; `None` removes a key.
type Edits<'a> = [(String, Option<&'a str>)];

/// Refuses names that not all SDKs read from both files. The SDKs for Node and Java accept only the
/// characters that are allowed here.
pub(super) fn check_name(name: &str) -> Result<(), ProfileError> {
    let is_read_by_all = |c: char| c.is_ascii_alphanumeric() || "_.%@:+/-".contains(c);
    let reason = match name.chars().find(|&c| !is_read_by_all(c)) {
        _ if name.is_empty() => "it is empty",
        _ if name == DEFAULT => "that section sets the defaults of all others",
        None => return Ok(()),
        Some(c) if is_space(c) => "it has white space",
        Some(c) if c.is_control() => "it has a control character",
        Some('"' | '\'' | '`') => "it has a quote",
        Some(c) if c.is_ascii() => {
            "it has a character other than `A-Z a-z 0-9 _ . % @ : + / -`, and not all SDKs read such names"
        }
        Some(_) => "it has a character outside of ASCII, which not all SDKs read",
    };
    Err(ProfileError::Name { name: name.to_owned(), reason })
}

fn checked<'a>(edits: &[(&str, Option<&'a str>)]) -> Result<Vec<(String, Option<&'a str>)>, ProfileError> {
    let mut checked: Vec<(String, Option<&str>)> = Vec::with_capacity(edits.len());
    for &(key, value) in edits {
        let name = key.to_ascii_lowercase();
        let reason = if name.is_empty() || name.contains(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            "a key has letters, digits and `_` only"
        } else if checked.iter().any(|(other, _)| *other == name) {
            "the key is given twice"
        } else if let Some(reason) = value.and_then(unwritable_reason) {
            reason
        } else {
            checked.push((name, value));
            continue;
        };
        return Err(ProfileError::Unwritable { key: key.to_owned(), reason });
    }
    Ok(checked)
}

/// Why botocore, or a tool that supports inline comments, would not read back the same value.
fn unwritable_reason(value: &str) -> Option<&'static str> {
    if value.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        return Some("its value has a line break or another control character");
    }
    if strip(value) != value {
        return Some("its value begins or ends with white space");
    }
    // The value follows a space, so a `#` or `;` at its start looks like a comment too.
    let mut before = ' ';
    for c in value.chars() {
        if matches!(c, '#' | ';') && is_space(before) {
            return Some("its value has a `#` or `;` that some tools would take for a comment");
        }
        before = c;
    }
    None
}

fn entry(name: &str, value: &str) -> String {
    if value.is_empty() { format!("{name} =") } else { format!("{name} = {value}") }
}

/// The white space that a line begins with.
fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches(is_space).len()]
}

fn line_end(line: &str) -> &str {
    &line[line.trim_end_matches(['\r', '\n']).len()..]
}

fn finish_line(text: &mut String, end: &str) {
    if !text.is_empty() && !text.ends_with(['\n', '\r']) {
        text.push_str(end);
    }
}
