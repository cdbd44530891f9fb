//! Examples of reading, refusing and editing profile files.

use super::*;

pub(super) const CRED: FileKind = FileKind::Credentials;
pub(super) const CONF: FileKind = FileKind::Config;

fn credentials(text: &str) -> ProfileFile {
    ProfileFile::parse(text, CRED).unwrap()
}

fn config(text: &str) -> ProfileFile {
    ProfileFile::parse(text, CONF).unwrap()
}

/// The text after `edits`, which are `key=value` to set and `key` to remove.
fn after(text: &str, kind: FileKind, profile: &str, edits: &[&str]) -> Result<String, ProfileError> {
    let edits: Vec<_> = edits
        .iter()
        .map(|edit| edit.split_once('=').map_or((*edit, None), |(key, value)| (key, Some(value))))
        .collect();
    let mut file = ProfileFile::parse(text, kind)?;
    let result = file.set(profile, &edits);
    if result.is_err() {
        assert_eq!(file.text(), text, "an error leaves the text as it was");
    }
    result.map(|()| file.text().to_owned())
}

pub(super) fn keys() -> Keys<'static> {
    Keys {
        access_key_id: "ASIANEW",
        secret_access_key: "new/secret+",
        session_token: "new-token==",
        expires: "2026-11-22T12:24:03Z",
    }
}

const WRITTEN: &str = "aws_access_key_id = ASIANEW\naws_secret_access_key = new/secret+\naws_session_token = new-token==\nx_security_token_expires = 2026-11-22T12:24:03Z\n";

#[test]
fn values_are_read_as_botocore_reads_them() {
    let cases = [
        ("[a]\nKey = v\n", Some("v")),
        ("[a]\nKEY:v\n", Some("v")),
        ("[a]\nkey\t=\tv  \n", Some("v")),
        ("[a]\nkey = v # no comment\n", Some("v # no comment")),
        ("[a]\nkey = 'v' % ${x}\n", Some("'v' % ${x}")),
        ("[a]\nkey =\n", Some("")),
        ("[a]\nkey = v=w:x\n", Some("v=w:x")),
        ("[a]\nkey = v\n  more\n", Some("v\nmore")),
        ("[a]\nkey = v\n\n  more\n\n", Some("v\n\nmore")),
        ("[a]\nkey = v\n# comment\n  more\n  ; comment\n", Some("v\nmore")),
        ("[a]\nkey = v\n  [b]\n  other = w\n", Some("v\n[b]\nother = w")),
        ("[a]\nkey =\n  x = 1\n  y = 2\n", Some("\nx = 1\ny = 2")),
        ("  [a]\n    key = v\n  [b]\nkey = w\n", Some("v")),
        ("[a] trailing\nkey = v\n", Some("v")),
        ("[DEFAULT]\nkey = d\n[a]\n", Some("d")),
        ("[DEFAULT]\nkey = d\n[a]\nkey = v\n", Some("v")),
        ("[a]\n[DEFAULT]\nkey = d\n[b]\n[DEFAULT]\nother = e\n", Some("d")),
        ("[ a ]\nkey = v\n", None),
        ("[A]\nkey = v\n", None),
        ("[DEFAULT]\nkey = d\n", None),
        ("# [a]\n;key = v\n", None),
        ("[a]\r\nkey = v\r\n", Some("v")),
        ("[a]\rkey = v\r", Some("v")),
        ("[a]\n\u{1c}key\u{a0}= v\u{2003}\n", Some("v")),
        ("", None),
    ];
    for (text, expected) in cases {
        assert_eq!(credentials(text).get("a", "kEy").as_deref(), expected, "{text:?}");
    }
}

#[test]
fn profiles_are_named_as_botocore_names_them() {
    let text = "[default]\n[profile b]\n[c]\n[profile \"d e\"]\n[profile  'f']\n[profile g h]\n[ profile i]\n[profile b ]\n[profile x\\ y]\n[profile \"z]\n[sso-session s]\n[DEFAULT]\n[profiles j]\n";
    assert_eq!(config(text).profiles(), ["default", "b", "d e", "f", "x y", "j"]);
    assert_eq!(
        credentials("[default]\n[profile b]\n[ c ]\n[DEFAULT]\n[d]]\n").profiles(),
        ["default", "profile b", " c ", "d]"]
    );
    let quoted = "[profile \"q\\\"r\\s\"]\n[profile 't\\u']\n[profile ''v]\n[profile w\\]\n";
    assert_eq!(config(quoted).profiles(), ["q\"r\\s", "t\\u", "v"]);
    // Of two sections for one profile, only the last is used.
    let two = config("[profile a]\nx = 1\ny = 1\n[profile 'a']\nx = 2\n");
    assert_eq!((two.get("a", "x"), two.get("a", "y")), (Some("2".into()), None));
}

#[test]
fn files_that_botocore_refuses_are_refused_with_the_line() {
    let cases = [
        ("\u{feff}[a]\n", "line 1: the file begins with a byte order mark"),
        ("# c\n\nkey = v\n[a]\n", "line 3: something other than a comment is above the first section"),
        ("[a]\nkey = v\nnonsense\n", "line 3: this is neither `[section]` nor `key = value`"),
        ("[a]\n[]\n", "line 2: this is neither `[section]` nor `key = value`"),
        ("[a\n", "line 1: the name of the section has no closing `]`"),
        ("[b]\r\n[a\r\n", "line 2: the name of the section has no closing `]`"),
        ("[default\nk = v\n", "line 1: the name of the section has no closing `]`"),
        ("[a]\n= v\n", "line 2: there is no key before the `=` or `:`"),
        ("[a]\n: v\n", "line 2: there is no key before the `=` or `:`"),
        ("[a]\n\n[b]\n[a]\n", "line 4: the section `a` is already on line 1"),
        ("[a]\nkey = 1\nother = 2\nKEY: 3\n", "line 4: this sets the key of line 2 again"),
        ("[a]\n\u{212a}ey = 1\nkey = 2\n", "line 3: this sets the key of line 2 again"),
        ("[DEFAULT]\nk = 1\n[a]\n[DEFAULT]\nk = 1\n", "line 5: this sets the key of line 2 again"),
        ("[a]\ns3 =\n  x = 1\n  nonsense\n", "line 4: there is no `=` in this line of an indented block"),
        ("[a]\ns3 =\n  x: 1\n", "line 3: there is no `=` in this line of an indented block"),
        ("[a]\ns3 =\n  x = 1\u{85}y\n", "line 3: there is no `=` in this line of an indented block"),
        ("[a]\n[DEFAULT]\ns3 =\n  x\n", "line 4: there is no `=` in this line of an indented block"),
        ("[a]\r\rx\r", "line 3: this is neither `[section]` nor `key = value`"),
    ];
    for (text, expected) in cases {
        for kind in [CRED, CONF] {
            assert_eq!(ProfileFile::parse(text, kind).unwrap_err().to_string(), expected, "{text:?}");
        }
    }
    for (bytes, line) in [(&b"[a]\nk = \xff\n"[..], 2), (b"\xff", 1), (b"[a]\n\n\xc3", 3)] {
        assert_eq!(ProfileFile::from_bytes(bytes, CRED).unwrap_err(), ProfileError::NotText { line });
    }
}

#[test]
fn unusual_but_valid_files_are_accepted() {
    for text in [
        "",
        "\n\n",
        "# only a comment",
        "[a]\n[DEFAULT]\n[DEFAULT]\n",
        "[a]\nk = 1\n[b]\nk = 1\n",
        "[a]\nk = v\n  no delimiter here\n",
        "[a]\ns3 =\n\n  # comment\n  x = 1\n",
        "[DEFAULT]\ns3 =\n  x\n[a]\ns3 = y\n",
        "[DEFAULT]\ns3 =\n  x\n",
        "[a]]\n",
        "[a]\n[ = x\n",
        "[a]\nk\0 = \0\n",
    ] {
        assert!(ProfileFile::parse(text, CRED).is_ok(), "{text:?}");
    }
}

#[test]
fn an_edit_changes_the_lines_of_its_keys_only() {
    let cases: [(&str, &str, &[&str], &str); 20] = [
        // An existing key is replaced in place, in any spelling.
        ("in place", "[a]\nx = 1\nKey=old\ny = 2\n", &["key=new"], "[a]\nx = 1\nkey = new\ny = 2\n"),
        ("colon", "[a]\nkey: old ; note\n", &["KEY=new"], "[a]\nkey = new\n"),
        ("upper case", "[a]\nAWS_KEY = 1\n", &["aws_key"], "[a]\n"),
        (
            "continuation",
            "[a]\nkey = old\n  more\n\n  more\n\n# c\n",
            &["key=new"],
            "[a]\nkey = new\n\n# c\n",
        ),
        (
            "comment inside",
            "[a]\nkey = old\n# c\n  more\nx = 1\n",
            &["key=new"],
            "[a]\nkey = new\n# c\nx = 1\n",
        ),
        ("commented key", "[a]\n#key = 1\nx = 1\n", &["key=new"], "[a]\n#key = 1\nx = 1\nkey = new\n"),
        // New keys go below the last key, above lines that may belong to the next section.
        ("before comments", "[a]\nx = 1\n\n# b\n[b]\n", &["key=new"], "[a]\nx = 1\nkey = new\n\n# b\n[b]\n"),
        ("no key yet", "[a]\n# c\n\n[b]\n", &["key=new"], "[a]\nkey = new\n# c\n\n[b]\n"),
        (
            "nested block",
            "[a]\ns3 =\n  x = 1\n  key = 2\n[b]\n",
            &["key=new"],
            "[a]\ns3 =\n  x = 1\n  key = 2\nkey = new\n[b]\n",
        ),
        ("order", "[a]\nx = 1\n", &["p=1", "x=2", "q=3"], "[a]\nx = 2\np = 1\nq = 3\n"),
        ("last key goes", "[a]\nx = 1\n  more\n\n[b]\n", &["x", "y=2"], "[a]\ny = 2\n\n[b]\n"),
        // Line ends.
        ("CRLF", "[a]\r\nx = 1\r\nkey = 1\r\n", &["key=2", "y=3"], "[a]\r\nx = 1\r\nkey = 2\r\ny = 3\r\n"),
        ("no final line end", "[a]\nkey = 1", &["key=2"], "[a]\nkey = 2"),
        ("no final line end, new key", "[a]\r\nx = 1", &["key=2"], "[a]\r\nx = 1\r\nkey = 2\r\n"),
        // Indentation that could make the next line part of a value.
        ("indented key", "  [a]\n    x = 1\n  [b]\n", &["key=2"], "  [a]\n    x = 1\n    key = 2\n  [b]\n"),
        ("indented in place", "[a]\n    x = 1\n  y = 2\n", &["x=3"], "[a]\n    x = 3\n  y = 2\n"),
        ("indented next header", "[a]\n\t[b]\n", &["key=2"], "[a]\n\tkey = 2\n\t[b]\n"),
        // Sections.
        ("new section", "[b]\nx = 1\n", &["key=2"], "[b]\nx = 1\n\n[a]\nkey = 2\n"),
        ("new section in an empty file", "", &["key=2", "gone"], "[a]\nkey = 2\n"),
        ("nothing to remove", "[b]\r\nx = 1", &["x"], "[b]\r\nx = 1"),
    ];
    for (name, text, edits, expected) in cases {
        assert_eq!(after(text, CRED, "a", edits).unwrap(), expected, "{name}");
        assert_eq!(after(expected, CRED, "a", edits).unwrap(), expected, "{name}, once more");
    }
}

#[test]
fn a_new_section_has_one_blank_line_above_it() {
    for (text, expected) in [
        ("[b]", "[b]\n\n[profile a]\nk = 1\n"),
        ("[b]\r\nx = 1", "[b]\r\nx = 1\r\n\r\n[profile a]\r\nk = 1\r\n"),
        ("[b]\n\n", "[b]\n\n[profile a]\nk = 1\n"),
        ("[b]\n  ", "[b]\n  \n[profile a]\nk = 1\n"),
        ("# c", "# c\n\n[profile a]\nk = 1\n"),
    ] {
        assert_eq!(after(text, CONF, "a", &["k=1"]).unwrap(), expected);
    }
    assert_eq!(after("", CONF, "default", &["k=1"]).unwrap(), "[default]\nk = 1\n");
    // A section in the form of the other file is another profile.
    assert_eq!(after("[a]\n", CONF, "a", &["k=1"]).unwrap(), "[a]\n\n[profile a]\nk = 1\n");
    assert_eq!(after("[profile a]\n", CRED, "a", &["k=1"]).unwrap(), "[profile a]\n\n[a]\nk = 1\n");
    assert_eq!(after("[profile 'a']\n", CONF, "a", &["k=1"]).unwrap(), "[profile 'a']\nk = 1\n");
    assert_eq!(
        after("[profile default]\n", CONF, "default", &["k=1"]).unwrap(),
        "[profile default]\nk = 1\n"
    );
}

#[test]
fn an_edit_that_readers_would_disagree_on_is_refused() {
    let cases = [
        (CONF, "[profile a]\n\n[profile \"a\"]\n", "lines 1 and 3 both begin a section for the profile `a`"),
        (CRED, "[b]\n[ a ]\n", "line 2: some tools take this section for the profile `a` and others do not"),
        (
            CONF,
            "[ profile a]\n",
            "line 1: some tools take this section for the profile `a` and others do not",
        ),
        (
            CONF,
            "[profiles a]\n",
            "line 1: some tools take this section for the profile `a` and others do not",
        ),
        (
            CRED,
            "[a] # see [b]\n",
            "line 1: some tools take this section for the profile `a` and others do not",
        ),
        (
            CRED,
            "[a]\n\nk = v\n  [b]\nx = 1\n",
            "line 4: this section is indented, so that it is part of the value above it (line 3)",
        ),
    ];
    for (kind, text, expected) in cases {
        assert_eq!(after(text, kind, "a", &["k=1"]).unwrap_err().to_string(), expected, "{text:?}");
        // Other profiles can still be edited.
        assert!(after(text, kind, "c", &["k=1"]).is_ok(), "{text:?}");
    }
}

#[test]
fn names_keys_and_values_that_tools_would_misread_are_refused() {
    const OTHER: &str =
        "it has a character other than `A-Z a-z 0-9 _ . % @ : + / -`, and not all SDKs read such names";
    for (name, reason) in [
        ("", "it is empty"),
        ("a b", "it has white space"),
        ("a\u{a0}b", "it has white space"),
        ("a\nb", "it has white space"),
        ("a\0", "it has a control character"),
        ("a]", OTHER),
        ("a\\b", OTHER),
        ("a,b", OTHER),
        ("~", OTHER),
        ("a!", OTHER),
        ("a*(b)$&", OTHER),
        ("ü", "it has a character outside of ASCII, which not all SDKs read"),
        ("'a'", "it has a quote"),
        ("DEFAULT", "that section sets the defaults of all others"),
    ] {
        let error = after("", CRED, name, &["k=1"]).unwrap_err();
        assert_eq!(error, ProfileError::Name { name: name.into(), reason });
        assert_eq!(crate::exit::Explain::exit(&error), crate::exit::Exit::Usage);
    }
    for name in ["a", "A.b-c_1@x:y+z", "a/b%", "default", "profile"] {
        assert!(after("", CRED, name, &["k=1"]).is_ok(), "{name}");
    }
    for edits in [
        &["k=a\nb"][..],
        &["k=a\r"],
        &["k=a\u{85}b"],
        &["k=a\u{2028}b"],
        &["k= a"],
        &["k=a\u{a0}"],
        &["k=a #b"],
        &["k=;b"],
        &["k k=1"],
        &["=1"],
        &["#k=1"],
        &["k=1", "K=2"],
    ] {
        assert!(matches!(after("", CRED, "a", edits), Err(ProfileError::Unwritable { .. })), "{edits:?}");
    }
    assert_eq!(after("", CRED, "a", &["k=a#b=c:d;e"]).unwrap(), "[a]\nk = a#b=c:d;e\n");
    assert_eq!(after("", CRED, "a", &["k="]).unwrap(), "[a]\nk =\n");
}

#[test]
fn credentials_are_written_and_an_old_token_is_removed() {
    let mut file = credentials(
        "# mine\n[a]\nAWS_ACCESS_KEY_ID=ASIAOLD\naws_security_token = old\nregion = eu-west-1\n\n[b]\nk = v\n",
    );
    assert_eq!(file.write_credentials("a", keys(), false).unwrap(), []);
    let expected = "# mine\n[a]\naws_access_key_id = ASIANEW\nregion = eu-west-1\naws_secret_access_key = new/secret+\naws_session_token = new-token==\nx_security_token_expires = 2026-11-22T12:24:03Z\n\n[b]\nk = v\n";
    assert_eq!(file.text(), expected);
    file.write_credentials("a", keys(), false).unwrap();
    assert_eq!(file.text(), expected, "a repeated write changes nothing");

    let mut empty = credentials("");
    empty.write_credentials("default", keys(), false).unwrap();
    assert_eq!(empty.text(), format!("[default]\n{WRITTEN}"));
    let none = Keys { session_token: "", ..keys() };
    assert!(matches!(empty.write_credentials("a", none, true), Err(ProfileError::Unwritable { .. })));
}

#[test]
fn a_long_lived_key_is_kept_unless_forced() {
    for held in ["AKIAIOSFODNN7EXAMPLE", "'AKIAIOSFODNN7EXAMPLE'"] {
        let text = format!("[a]\nregion = x\naws_access_key_id = {held}\naws_secret_access_key = s\n");
        let mut file = credentials(&text);
        let error = ProfileError::LongLived { profile: "a".into(), line: 3 };
        assert_eq!(file.write_credentials("a", keys(), false), Err(error.clone()));
        assert_eq!(file.remove_keys("a", false), Err(error.clone()));
        assert_eq!(file.text(), text);
        assert_eq!(error.to_string(), "the profile `a` holds a long-lived key (`AKIA…` on line 3)");
        file.write_credentials("a", keys(), true).unwrap();
        assert!(file.text().starts_with("[a]\nregion = x\naws_access_key_id = ASIANEW\n"));
        // The long-lived key is gone, so `force` is no longer needed.
        file.write_credentials("a", keys(), false).unwrap();

        let mut file = config(&text.replace("[a]", "[profile a]"));
        assert_eq!(file.write_credential_process("a", "/bin/gp x", false), Err(error));
        file.write_credential_process("a", "/bin/gp x", true).unwrap();
        assert_eq!(file.text(), "[profile a]\nregion = x\ncredential_process = /bin/gp x\n");
    }
    // A long-lived key of another profile does not matter.
    credentials("[b]\naws_access_key_id = AKIA\n").write_credentials("a", keys(), false).unwrap();
}

#[test]
fn a_credential_process_replaces_keys_and_keeps_other_settings() {
    let mut file = config(
        "[default]\nregion = x\n[profile a]\nregion = eu-west-1\naws_access_key_id = ASIA\naws_secret_access_key = s\naws_session_token = t\nx_security_token_expires = 1\ns3 =\n  max_bandwidth = 1\n\n# end\n",
    );
    let command = "/usr/local/bin/gp idp login aws --credential-process --role-arn 'arn:aws:iam::1:role/x y'";
    assert_eq!(file.write_credential_process("a", command, false).unwrap(), []);
    assert_eq!(
        file.text(),
        format!(
            "[default]\nregion = x\n[profile a]\nregion = eu-west-1\ns3 =\n  max_bandwidth = 1\ncredential_process = {command}\n\n# end\n"
        )
    );
    assert!(matches!(file.write_credential_process("a", "", false), Err(ProfileError::Unwritable { .. })));

    let mut file = credentials(&format!("[b]\nk = v\n[a]\n{WRITTEN}region = x\naws_security_token = o"));
    file.remove_keys("a", false).unwrap();
    assert_eq!(file.text(), "[b]\nk = v\n[a]\nregion = x\n");
    file.remove_keys("nowhere", false).unwrap();
    assert_eq!(file.text(), "[b]\nk = v\n[a]\nregion = x\n");
}

#[test]
fn keys_in_the_default_section_that_would_defeat_an_edit_are_reported() {
    let inherited = |key: &str, line| ProfileError::Inherited { profile: "a".into(), key: key.into(), line };
    let text = "[DEFAULT]\naws_security_token = old\naws_access_key_id = AKIA\n[a]\n";
    let mut file = credentials(text);
    assert_eq!(file.write_credentials("a", keys(), false), Err(inherited("aws_security_token", 2)));
    assert_eq!(file.remove_keys("a", false), Err(inherited("aws_access_key_id", 3)));
    assert_eq!(file.text(), text);
    // A profile without a section inherits nothing.
    assert_eq!(credentials("[DEFAULT]\naws_access_key_id = AKIA\n").remove_keys("a", false), Ok(vec![]));
}

#[test]
fn other_sources_in_the_profile_are_reported_with_their_effect() {
    let rival = |key, line, effect| Rival { key, line, effect };
    let go_and_java = Effect::ProfileRefused("the SDKs for Go and Java refuse");
    let mut file = credentials("[a]\ncredential_process = x\nweb_identity_token_file = y\nrole_arn = z\n");
    assert_eq!(
        file.write_credentials("a", keys(), false).unwrap(),
        [
            rival("role_arn", 4, Effect::Preferred),
            rival("web_identity_token_file", 3, Effect::Preferred),
            rival("credential_process", 2, Effect::PreferredByJava)
        ]
    );
    assert_eq!(
        file.remove_keys("a", false).unwrap(),
        [
            rival("role_arn", 4, Effect::Preferred),
            rival("web_identity_token_file", 3, Effect::Preferred),
            rival("credential_process", 2, Effect::Preferred)
        ]
    );
    let mut file = config("[profile a]\nsso_role_name = x\nlogin_session = y\ncredential_process = old\n");
    let winners =
        [rival("sso_role_name", 2, Effect::Preferred), rival("login_session", 3, Effect::Preferred)];
    assert_eq!(file.write_credential_process("a", "new", false).unwrap(), winners);
    assert_eq!(
        file.rivals("a", Source::Keys),
        [
            rival("sso_role_name", 2, Effect::Preferred),
            rival("login_session", 3, Effect::Ignored),
            rival("credential_process", 4, Effect::PreferredByJava)
        ]
    );
    assert_eq!(file.rivals("b", Source::Keys), []);
    // Settings that are no source by themselves, and `sso_region` without `sso_start_url`.
    let file = config(
        "[profile a]\nsource_profile = b\nsso_region = x\nsso_session = y\n[profile c]\nsso_region = x\nsso_start_url = z\n",
    );
    for source in [Source::Keys, Source::Process] {
        let go = Effect::ProfileRefused("the SDK for Go refuses");
        assert_eq!(
            file.rivals("a", source),
            [rival("source_profile", 2, go), rival("sso_session", 4, go_and_java)]
        );
        assert_eq!(
            file.rivals("c", source),
            [rival("sso_region", 6, go_and_java), rival("sso_start_url", 7, go_and_java)]
        );
    }
}

#[test]
fn only_a_credential_process_that_runs_this_program_is_removed() {
    for (command, is_own) in [
        ("/usr/bin/gp idp login aws --role-arn x --format process", true),
        ("'/opt/a b/gp' idp login-aws --format=process", true),
        ("/usr/bin/gp idp login aws --format json", false),
        ("aws-vault export --format process", false),
    ] {
        let text = format!("[profile a]\n# mine\ncredential_process = {command}\nregion = x\n");
        let mut file = config(&text);
        assert_eq!(file.remove_own_process("a").unwrap(), is_own, "{command}");
        let expected = if is_own { "[profile a]\n# mine\nregion = x\n" } else { &text };
        assert_eq!(file.text(), expected);
    }
    // A `credential_process` in `[DEFAULT]` belongs to all profiles, so it is kept.
    let text = "[DEFAULT]\ncredential_process = gp idp login aws --format process\n[profile a]\n";
    let mut file = config(text);
    assert!(!file.remove_own_process("a").unwrap());
    assert_eq!(file.text(), text);
}

#[test]
fn errors_and_debug_output_contain_no_secret() {
    let file = credentials("[a]\naws_secret_access_key = s3cr3t\n");
    assert_eq!(format!("{file:?}"), "ProfileFile(Credentials, 2 lines, [redacted])");
    assert!(!format!("{:?}", keys()).contains("new"));
    for text in [
        "s3cr3t",
        "[a]\ns3cr3t",
        "[a]\nk = s3cr3t\nk = s3cr3t",
        "[a]\ns3cr3t=\ns3cr3t=\n",
        "[a]\nk =\n  s3cr3t\n",
    ] {
        let error = ProfileFile::parse(text, CRED).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{text:?}");
    }
}
