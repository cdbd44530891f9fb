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
    /// A script that says this first, and ends with the first command that fails. It is a subshell, so that whoever pastes
    /// it keeps the shell.
    pub(crate) fn under(head: &[String]) -> Self {
        Self(format!("{}\n(\nset -e\n", comments(head)))
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

    /// Begins the commands that create an object. They run only if the object does not exist; `find` has the words of a
    /// command that succeeds if it exists. An existing object may be of use to others and is never changed.
    pub(crate) fn unless(&mut self, find: &[&str]) -> &mut Self {
        let _ = writeln!(self.0, "if ! {} > /dev/null 2>&1; then", shell::command(find));
        self
    }

    /// Where the object is there and the command does not print `output`: says why that is of no use, and ends the script.
    pub(crate) fn or_fail_unless_prints(&mut self, words: &[&str], output: &str, said: &str) -> &mut Self {
        let (command, output) = (shell::command(words), shell::posix_quote(output));
        let _ = writeln!(self.0, "elif [ \"$({command})\" != {output} ]; then\n{}; exit 1", say(said));
        self
    }

    /// Where the object is there: says so.
    pub(crate) fn or_say(&mut self, said: &str) -> &mut Self {
        let _ = writeln!(self.0, "else\n{}", say(said));
        self
    }

    /// Ends the last condition.
    pub(crate) fn end(&mut self) -> &mut Self {
        self.0.push_str("fi\n");
        self
    }

    /// Writes a file with a text as above, if it is not there yet.
    pub(crate) fn write_file(&mut self, file: &str, text: &str) -> &mut Self {
        let word = shell::posix_quote(file);
        let _ = writeln!(self.0, "if [ ! -e {word} ]; then\ncat > {word} <<'EOF'\n{text}EOF");
        self.or_say(&format!("{file} is there already, and was left as it is")).end()
    }

    pub(crate) fn finish(&mut self) -> String {
        std::mem::take(&mut self.0) + ")\n"
    }
}

/// The command that says this on stderr.
fn say(text: &str) -> String {
    format!("{} >&2", shell::command(&["echo", &sanitise(text)]))
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
