//! Commands for a POSIX shell, with comments.

use std::fmt::Write as _;

use crate::output::sanitise;
use crate::shell;

/// How wide a comment gets.
const WIDTH: usize = 110;

/// The text of a script.
#[derive(Debug, Default)]
pub(crate) struct Script(String);

impl Script {
    /// A script that says this first.
    pub(crate) fn under(head: &[String]) -> Self {
        Self(comments(head))
    }

    /// A comment, broken into lines.
    pub(crate) fn comment(&mut self, text: &str) -> &mut Self {
        self.0.push_str(&comment(text));
        self
    }

    pub(crate) fn gap(&mut self) -> &mut Self {
        self.0.push('\n');
        self
    }

    /// A command: the words of its first line, and one line for each of the `options`.
    pub(crate) fn command(&mut self, words: &[&str], options: &[&[&str]]) -> &mut Self {
        self.0.push_str(&shell::command(words));
        for option in options {
            let _ = write!(self.0, " \\\n  {}", shell::command(option));
        }
        self.0.push('\n');
        self
    }

    /// A command that is another way, as a comment on one line.
    pub(crate) fn instead(&mut self, words: &[&str]) -> &mut Self {
        let _ = writeln!(self.0, "#   {}", sanitise(&shell::command(words)));
        self
    }

    /// A command that reads `text`, which ends with a line break, from its standard input.
    ///
    /// No line of JSON or of the YAML here is a bare word, so none of them can end the text early.
    pub(crate) fn command_reading(&mut self, words: &[&str], text: &str) -> &mut Self {
        self.command(words, &[]);
        self.0.pop();
        let _ = writeln!(self.0, " <<'EOF'\n{text}EOF");
        self
    }

    /// A command without which the next one is not run.
    pub(crate) fn and_then(&mut self, words: &[&str]) -> &mut Self {
        let _ = writeln!(self.0, "{} &&", shell::command(words));
        self
    }

    /// Begins what is done only if the command, whose words these are, fails: that it is not there yet.
    pub(crate) fn unless(&mut self, words: &[&str]) -> &mut Self {
        let _ = writeln!(self.0, "if ! {} > /dev/null 2>&1; then", shell::command(words));
        self
    }

    /// Begins what is done only if `output` is what the command prints; else, `said` is said and the script fails.
    pub(crate) fn if_prints(&mut self, words: &[&str], output: &str, said: &str) -> &mut Self {
        let (command, output) = (shell::command(words), shell::posix_quote(output));
        let said = shell::command(&["echo", &sanitise(said)]);
        let _ = writeln!(self.0, "if [ \"$({command})\" != {output} ]; then\n{said} >&2; false");
        self
    }

    /// Goes on with what is done if the command succeeds: only this is said.
    pub(crate) fn or_if(&mut self, words: &[&str], said: &str) -> &mut Self {
        let said = shell::command(&["echo", &sanitise(said)]);
        let _ = writeln!(self.0, "elif {} > /dev/null 2>&1; then\n{said} >&2\nelse", shell::command(words));
        self
    }

    /// Ends the last condition.
    pub(crate) fn end(&mut self) -> &mut Self {
        self.0.push_str("fi\n");
        self
    }

    /// Writes a file with a text as above, if it is not there yet.
    pub(crate) fn write_file(&mut self, file: &str, text: &str) -> &mut Self {
        let said = shell::command(&["echo", &format!("{file} is there already, and was left as it is")]);
        let file = shell::posix_quote(file);
        let _ =
            writeln!(self.0, "if [ -e {file} ]; then\n{said} >&2\nelse\ncat > {file} <<'EOF'\n{text}EOF\nfi");
        self
    }

    pub(crate) fn finish(&mut self) -> String {
        std::mem::take(&mut self.0)
    }
}

pub(crate) fn comments(texts: &[String]) -> String {
    texts.iter().map(|text| comment(text)).collect()
}

/// Comment lines, each with `# ` in front and ended.
pub(crate) fn comment(text: &str) -> String {
    let mut out = String::new();
    let mut width = 0;
    // Text of a token must not end the comment, nor drive the terminal that shows it.
    for word in sanitise(text).split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > WIDTH {
            out.push('\n');
            width = 0;
        }
        out.push_str(if width == 0 { "# " } else { " " });
        out.push_str(word);
        width += length + if width == 0 { 2 } else { 1 };
    }
    out.push('\n');
    out
}
