//! Sanitises text from outside for terminals, and abridges long input.

/// The maximum number of characters of one input word that a message repeats.
pub(super) const LONGEST_INPUT: usize = 200;

/// Shortens each occurrence in `text` of `input`, or of its long first part, to the beginning.
pub(super) fn abridged(text: &str, input: &str) -> String {
    let Some((end, _)) = input.char_indices().nth(LONGEST_INPUT) else { return text.to_owned() };
    let beginning = &input[..end];
    let (mut short, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(beginning) {
        let (before, found) = rest.split_at(at);
        let same = found.chars().zip(input.chars()).take_while(|(found, input)| found == input);
        let length: usize = same.map(|(found, _)| found.len_utf8()).sum();
        let (found, after) = found.split_at(length);
        short.push_str(before);
        short.push_str(beginning);
        // Text that is already cut has only the beginning.
        short.push_str(if found == beginning { "" } else { "…" });
        rest = after;
    }
    short + rest
}

/// `text` with `\u{…}` for control characters, bidirectional overrides and zero-width characters,
/// which can control a terminal or deceive its user. Line breaks and tabs become spaces, so that
/// text from outside cannot imitate a line of `gp`.
pub fn sanitise(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => clean.push(' '),
            c if is_deceptive(c) => clean.extend(c.escape_unicode()),
            c => clean.push(c),
        }
    }
    clean
}

/// As [`sanitise`], for JSON text: keeps line breaks and uses JSON escapes, so the value is equal.
pub fn sanitise_json(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '\n' && is_deceptive(c) {
            let mut units = [0; 2];
            clean.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            clean.push(c);
        }
    }
    clean
}

fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_invisible_characters_are_escaped() {
        let cases = [
            ("plain ü 字", "plain ü 字"),
            ("\x1b[31mred", "\\u{1b}[31mred"),
            ("a\nerror: b", "a error: b"),
            ("user\u{202e}gpj.exe", "user\\u{202e}gpj.exe"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("c1\u{9b}31m", "c1\\u{9b}31m"),
            (
                "arabic\u{61c}mark soft\u{ad}hyphen tag\u{e0041}",
                "arabic\\u{61c}mark soft\\u{ad}hyphen tag\\u{e0041}",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(sanitise(text), expected);
        }
    }

    #[test]
    fn json_stays_the_same_json() {
        assert_eq!(sanitise_json("{\n  \"a\": \"x\u{202e}y\"\n}"), "{\n  \"a\": \"x\\u202ey\"\n}");
    }

    #[test]
    fn long_inputs_are_abridged() {
        let input = "ü".repeat(300);
        let short = format!("{}…", "ü".repeat(200));
        let cases = [
            (input.clone(), short.clone()),
            (format!("no `{input}` and no `{input}`"), format!("no `{short}` and no `{short}`")),
            // The first part of the input, such as the folder of a path.
            (format!("a {} b", "ü".repeat(250)), format!("a {short} b")),
            (format!("a {} b", "ü".repeat(200)), format!("a {} b", "ü".repeat(200))),
            (short.clone(), short.clone()),
            ("short".to_owned(), "short".to_owned()),
        ];
        for (text, expected) in cases {
            assert_eq!(abridged(&text, &input), expected);
        }
        assert_eq!(abridged("short", "short"), "short");
    }
}
