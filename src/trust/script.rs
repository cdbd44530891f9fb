//! Commands for a POSIX shell, with comments.

use std::fmt::Write as _;

use crate::output::sanitise;
use crate::shell;

/// The maximum width of a comment, in characters.
const WIDTH: usize = 110;

/// The text of a script.
#[derive(Debug, Default)]
pub(crate) struct Script(String);

impl Script {
    /// A script that begins with `head` as comments and ends with the first command that fails. It
    /// runs in a subshell, so a failure does not close the shell in which it is pasted.
    pub(crate) fn with_header(head: &[String]) -> Self {
        Self(format!("{}\n(\nset -e\n", comments(head)))
    }

    /// A comment, broken into lines.
    pub(crate) fn comment(&mut self, text: &str) -> &mut Self {
        self.0.push_str(&comment(text));
        self
    }

    pub(crate) fn blank_line(&mut self) -> &mut Self {
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

    /// A suggested command, as a comment on one line.
    pub(crate) fn suggestion(&mut self, words: &[&str]) -> &mut Self {
        let _ = writeln!(self.0, "#   {}", sanitise(&shell::command(words)));
        self
    }

    /// A command that reads `text`, which ends with a line break, from its standard input.
    ///
    /// No line of this JSON or YAML is only the word `EOF`, so no line can end the text early.
    pub(crate) fn command_reading(&mut self, words: &[&str], text: &str) -> &mut Self {
        self.command(words, &[]);
        self.0.pop();
        let _ = writeln!(self.0, " <<'EOF'\n{text}EOF");
        self
    }

    /// Begins the commands that create an object. They run only if the object does not exist.
    /// `find` has the words of a command that succeeds if it exists. Others may use an existing
    /// object, so it is never changed.
    pub(crate) fn unless_exists(&mut self, find: &[&str]) -> &mut Self {
        let _ = writeln!(self.0, "if ! {} > /dev/null 2>&1; then", shell::command(find));
        self
    }

    /// If the object exists and the command does not print `output`, prints `said` and ends the
    /// script.
    pub(crate) fn or_fail_unless_equal(&mut self, words: &[&str], output: &str, said: &str) -> &mut Self {
        let (command, output) = (shell::command(words), shell::posix_quote(output));
        let _ = writeln!(
            self.0,
            "elif [ \"$({command})\" != {output} ]; then\n{}; exit 1",
            print_to_stderr(said)
        );
        self
    }

    /// If the object exists, prints `said`.
    pub(crate) fn or_print(&mut self, said: &str) -> &mut Self {
        let _ = writeln!(self.0, "else\n{}", print_to_stderr(said));
        self
    }

    /// Ends the last condition.
    pub(crate) fn end(&mut self) -> &mut Self {
        self.0.push_str("fi\n");
        self
    }

    /// Writes `text`, as in [`Script::command_reading`], to a file that does not exist yet.
    pub(crate) fn write_file(&mut self, file: &str, text: &str) -> &mut Self {
        let word = shell::posix_quote(file);
        let _ = writeln!(self.0, "if [ ! -e {word} ]; then\ncat > {word} <<'EOF'\n{text}EOF");
        self.or_print(&format!(
            "{file} already exists and was not changed; compare it with the text in this script"
        ))
        .end()
    }

    pub(crate) fn finish(&mut self) -> String {
        std::mem::take(&mut self.0) + ")\n"
    }
}

/// The command that prints `text` on stderr.
fn print_to_stderr(text: &str) -> String {
    format!("{} >&2", shell::command(&["echo", &sanitise(text)]))
}

pub(crate) fn comments(texts: &[String]) -> String {
    texts.iter().map(|text| comment(text)).collect()
}

/// Comment lines, each with `# ` at its start and a line break at its end.
pub(crate) fn comment(text: &str) -> String {
    let mut out = String::new();
    let mut width = 0;
    // Text from a token must not end the comment or control the terminal.
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
