//! Property tests: an edit keeps all other bytes and values, and repeating it changes nothing.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::tests::{CONF, CRED, keys};
use super::*;

const NAMES: [&str; 5] = ["default", "dev", "prod-1", "a.b", "x"];
const KEYS: [&str; 9] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_security_token",
    "x_security_token_expires",
    "credential_process",
    "region",
    "s3",
    "output",
];

/// One line of a generated file, and the profile and key that it is part of.
#[derive(Debug, Clone)]
struct Line {
    text: String,
    owner: Option<(&'static str, &'static str)>,
}

impl Line {
    fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), owner: None }
    }
}

#[derive(Debug, Clone)]
struct Generated {
    kind: FileKind,
    lines: Vec<Line>,
}

impl Generated {
    fn text(&self) -> String {
        self.lines.iter().map(|line| line.text.as_str()).collect()
    }

    fn parse(&self) -> ProfileFile {
        ProfileFile::parse(&self.text(), self.kind).unwrap()
    }
}

/// How far headers and keys are indented.
type Indents = (&'static str, &'static str);

fn filler() -> impl Strategy<Value = Line> {
    prop_oneof![
        Just(Line::plain("")),
        Just(Line::plain("   ")),
        Just(Line::plain("# aws_access_key_id = AKIACOMMENT")),
        "[ \t]{0,3}[#;][ a-z=\\[\\]]{0,12}".prop_map(Line::plain),
    ]
}

/// The value on the line of a key, and the lines that continue it.
fn value() -> impl Strategy<Value = (String, Vec<String>)> {
    let short = prop_oneof![
        3 => "[A-Za-z0-9/+]{1,12}",
        1 => "[a-z]{1,4} [#;] [a-z=]{1,5}",
        1 => "%[\"'a-z]{0,3}",
    ];
    let more =
        prop_oneof![3 => "[a-z]{1,5}( = [0-9])?", 1 => Just(String::new()), 1 => Just("# note".to_owned())];
    prop_oneof![
        4 => short.clone().prop_map(|value| (value, Vec::new())),
        1 => (short, vec(more, 1..3)),
        1 => vec("[a-z_]{1,8} ?= ?[a-z0-9]{1,5}", 1..3).prop_map(|block| (String::new(), block)),
    ]
}

fn key(profile: &'static str, name: &'static str, indent: &'static str) -> impl Strategy<Value = Vec<Line>> {
    let spelled = [name.to_owned(), name.to_owned(), name.to_uppercase(), name.replacen('s', "S", 1)];
    let separator = select(&[" = ", " = ", "=", ": ", "\t=  ", " ="][..]);
    (select(spelled.to_vec()), separator, value()).prop_map(move |(spelled, separator, (first, more))| {
        let owner = Some((profile, name));
        let mut lines = vec![Line { text: format!("{indent}{spelled}{separator}{first}"), owner }];
        // Blank lines belong to a value only above its last line. Comments never belong to it.
        let is_comment = |line: &str| line.starts_with('#');
        let last = more.iter().rposition(|line| !line.is_empty() && !is_comment(line));
        for (index, line) in more.into_iter().enumerate() {
            let is_part = !is_comment(&line) && last.is_some_and(|last| index <= last);
            let text = if line.is_empty() { line } else { format!("{indent}  {line}") };
            lines.push(Line { text, owner: owner.filter(|_| is_part) });
        }
        lines
    })
}

fn section(profile: &'static str, kind: FileKind, indents: Indents) -> impl Strategy<Value = Vec<Line>> {
    let keys = subsequence(KEYS.to_vec(), 0..=6).prop_shuffle().prop_flat_map(move |names| {
        names.into_iter().map(|name| (key(profile, name, indents.1), vec(filler(), 0..2))).collect::<Vec<_>>()
    });
    (vec(filler(), 0..3), select(&["", "", "  ; note"][..]), keys).prop_map(move |(above, tail, keys)| {
        let mut lines = above;
        lines.push(Line::plain(format!("{}{}{tail}", indents.0, header(profile, kind))));
        for (key, below) in keys {
            lines.extend(key);
            lines.extend(below);
        }
        lines
    })
}

fn header(profile: &str, kind: FileKind) -> String {
    match kind {
        FileKind::Config if profile != "default" => format!("[profile {profile}]"),
        _ => format!("[{profile}]"),
    }
}

fn file() -> impl Strategy<Value = Generated> {
    let kind = select(&[CRED, CONF][..]);
    let indents: &[Indents] = &[("", ""), ("", ""), ("", ""), ("", "  "), ("  ", "  "), ("  ", "\t \t")];
    let names = subsequence(NAMES.to_vec(), 0..=4).prop_shuffle();
    let sections = (kind, select(indents), names).prop_flat_map(|(kind, indents, names)| {
        let sections: Vec<_> = names.into_iter().map(|name| section(name, kind, indents)).collect();
        (Just(kind), sections)
    });
    let ends: &[&[&str]] = &[&["\n"], &["\r\n"], &["\n", "\r\n", "\n"]];
    (sections, select(ends), any::<bool>()).prop_map(|((kind, sections), ends, is_ended)| {
        let mut lines: Vec<Line> = sections.into_iter().flatten().collect();
        let count = lines.len();
        for (index, line) in lines.iter_mut().enumerate() {
            if is_ended || index + 1 < count {
                line.text.push_str(ends[index % ends.len()]);
            }
        }
        Generated { kind, lines }
    })
}

/// Edits whose values start with `~`, so that no generated file has them.
fn edits() -> impl Strategy<Value = Vec<(&'static str, Option<String>)>> {
    let value = proptest::option::weighted(0.7, "~[A-Za-z0-9/+=:.%'\"-]{0,20}( [a-z]{1,3})?");
    let keys = subsequence(KEYS.to_vec(), 1..=5).prop_shuffle();
    (keys, vec(value, 5)).prop_map(|(keys, values)| keys.into_iter().zip(values).collect())
}

/// The text without the lines of the edited keys. This does not use the parser.
fn kept(file: &Generated, profile: &str, edited: &[&str]) -> String {
    let is_edited =
        |line: &&Line| line.owner.is_some_and(|(own, key)| own == profile && edited.contains(&key));
    file.lines.iter().filter(|line| !is_edited(line)).map(|line| line.text.as_str()).collect()
}

proptest! {
    #[test]
    fn an_edit_keeps_every_other_byte_and_is_idempotent(
        file in file(),
        profile in select(&NAMES[..]),
        edits in edits(),
    ) {
        let (text, before) = (file.text(), file.parse());
        let edits: Vec<(&str, Option<&str>)> =
            edits.iter().map(|(key, value)| (*key, value.as_deref())).collect();
        let edited: Vec<&str> = edits.iter().map(|(key, _)| *key).collect();
        let new_lines: Vec<String> =
            edits.iter().filter_map(|(key, value)| value.map(|value| format!("{key} = {value}"))).collect();
        let mut new = before.clone();
        new.set(profile, &edits).unwrap();

        // The new values are set, and all other values are unchanged.
        for (key, value) in &edits {
            prop_assert_eq!(new.get(profile, key), value.map(str::to_owned));
        }
        for other in before.profiles() {
            for key in KEYS.into_iter().filter(|key| other != profile || !edited.contains(key)) {
                prop_assert_eq!(new.get(&other, key), before.get(&other, key));
            }
        }

        if before.profiles().iter().any(|name| name == profile) {
            // Without the lines of the edited keys, before and after are the same bytes.
            let is_new = |line: &&str| new_lines.iter().any(|new| new == line.trim());
            let rest: String = new.text().split_inclusive('\n').filter(|line| !is_new(line)).collect();
            let kept = kept(&file, profile, &edited);
            let is_same = rest == kept || rest.trim_end_matches(['\r', '\n']) == kept;
            prop_assert!(is_same, "{text:?} became {:?}", new.text());
        } else if let Some(added) = new.text().strip_prefix(&text) {
            let mut lines: Vec<&str> = added.lines().collect();
            let is_open = !text.is_empty() && !text.ends_with('\n');
            let is_close = text.lines().last().is_some_and(|line| !line.trim().is_empty());
            for _ in 0..usize::from(is_open) + usize::from(is_close) {
                if !lines.is_empty() {
                    prop_assert_eq!(lines.remove(0), "");
                }
            }
            let mut expected = new_lines;
            if !expected.is_empty() {
                expected.insert(0, header(profile, file.kind));
            }
            prop_assert_eq!(lines, expected);
        } else {
            prop_assert!(false, "{text:?} became {:?}", new.text());
        }

        // A file with only one kind of line end keeps that kind.
        let count = |text: &str| (text.matches("\r\n").count(), text.matches('\n').count());
        match count(&text) {
            (0, 0) => {}
            (0, _) => prop_assert_eq!(count(new.text()).0, 0),
            (crlf, all) if crlf == all => prop_assert_eq!(count(new.text()).0, count(new.text()).1),
            _ => {}
        }

        let once = new.text().to_owned();
        new.set(profile, &edits).unwrap();
        prop_assert_eq!(new.text(), once);
    }

    #[test]
    fn a_credential_process_can_replace_written_keys(file in file(), profile in select(&NAMES[..])) {
        let mut new = file.parse();
        new.write_credentials(profile, keys(), true).unwrap();
        prop_assert_eq!(new.get(profile, "aws_session_token"), Some("new-token==".to_owned()));
        prop_assert_eq!(new.get(profile, "aws_security_token"), None);
        new.write_credential_process(profile, "gp x", true).unwrap();
        prop_assert_eq!(new.get(profile, "aws_access_key_id"), None);
        prop_assert_eq!(new.get(profile, "credential_process"), Some("gp x".to_owned()));
        let once = new.text().to_owned();
        new.remove_keys(profile, false).unwrap();
        prop_assert_eq!(new.text(), once);
    }

    #[test]
    fn a_byte_order_mark_or_a_duplicate_section_is_refused(file in file(), at in any::<Index>()) {
        let text = file.text();
        let marked = format!("\u{feff}{text}");
        prop_assert_eq!(ProfileFile::parse(&marked, file.kind).unwrap_err(), ProfileError::ByteOrderMark);

        let end = if text.ends_with('\n') { "" } else { "\n" };
        let profiles = file.parse().profiles();
        if !profiles.is_empty() {
            let again = format!("{text}{end}{}\n", header(at.get::<String>(&profiles), file.kind));
            let error = ProfileFile::parse(&again, file.kind).unwrap_err();
            let last = again.lines().count();
            let is_expected = matches!(error, ProfileError::DuplicateSection { line, .. } if line == last);
            prop_assert!(is_expected, "{again:?}: {error:?}");
        }
    }

    #[test]
    fn no_text_panics_and_every_edited_file_is_valid(
        text in "([\\[\\]a =:#;\t\r\n\"'\\\\]|\\[a\\]|\n|profile |k = v){0,24}",
        kind in select(&[CRED, CONF][..]),
    ) {
        if let Ok(mut file) = ProfileFile::parse(&text, kind) {
            for name in file.profiles() {
                let _ = file.get(&name, "k");
            }
            match file.set("a", &[("k", Some("w")), ("a", None), ("new", Some("x"))]) {
                Ok(()) => {
                    prop_assert_eq!(file.get("a", "new"), Some("x".to_owned()));
                    prop_assert!(ProfileFile::parse(file.text(), kind).is_ok());
                }
                Err(error) => {
                    prop_assert_eq!(file.text(), &text);
                    let is_expected = !matches!(error, ProfileError::SideEffect { .. });
                    prop_assert!(is_expected, "an edit of {text:?} was found to change more");
                }
            }
        }
    }
}
