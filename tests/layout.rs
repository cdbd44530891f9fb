//! The imports between modules that src/lib.rs describes, read from the `use` declarations and the
//! paths in `src`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The target folders.
const TARGETS: [&str; 6] = ["aws", "azure", "gcp", "kubernetes", "oauth", "vault"];

/// A source file and the paths that it names: from the crate's root, or with a leading `::` for
/// another crate.
struct File {
    path: String,
    names: BTreeSet<String>,
}

/// All files of `src` without their tests.
fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &mut found);
    let files: Vec<File> = found
        .iter()
        .filter(|path| !path.ends_with("tests.rs"))
        .map(|path| {
            let text = fs::read_to_string(path).unwrap();
            let path = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            let names = names(&code(&text), &module(&path));
            File { path, names }
        })
        .collect();
    assert!(files.len() > 150, "only {} files", files.len());
    files
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}

/// The text without comments and unit tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// `["http", "tls"]` for `http/tls.rs`.
fn module(path: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
    if matches!(parts.last(), Some(&("mod" | "lib" | "main"))) {
        parts.pop();
    }
    parts
}

fn names(code: &str, module: &[&str]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for declaration in declarations(code) {
        let mut paths = Vec::new();
        expand("", declaration, &mut paths);
        names.extend(paths.iter().map(|path| absolute(path, module)));
    }
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
        let path = rest[..end].trim_end_matches(':');
        if !path.is_empty() {
            names.insert(path.to_owned());
        }
    }
    names
}

/// The text between `use` and `;`, for each declaration.
fn declarations(code: &str) -> Vec<&str> {
    let begins = |line: &str| {
        ["use ", "pub use ", "pub(crate) use ", "pub(super) use "].iter().any(|word| line.starts_with(word))
    };
    let mut declarations = Vec::new();
    let mut at = 0;
    for line in code.split_inclusive('\n') {
        if begins(line.trim_start()) {
            let rest = &code[at + line.find("use ").unwrap() + 4..];
            declarations.push(rest.split(';').next().unwrap());
        }
        at += line.len();
    }
    declarations
}

/// The paths of a tree such as `a::{b, c::{self, d}}`.
fn expand(before: &str, tree: &str, paths: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((head, group)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap();
        return paths.push(format!("{before}{path}").trim_end_matches("::self").to_owned());
    };
    let group = group.strip_suffix('}').unwrap();
    let (mut depth, mut begin) = (0, 0);
    for (at, c) in group.char_indices().chain([(group.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !group[begin..at].trim().is_empty() {
                    expand(&format!("{before}{head}"), &group[begin..at], paths);
                }
                begin = at + 1;
            }
            _ => {}
        }
    }
}

fn absolute(path: &str, module: &[&str]) -> String {
    let mut base = module;
    let mut rest = path;
    if let Some(path) = rest.strip_prefix("crate::") {
        return path.to_owned();
    }
    if let Some(path) = rest.strip_prefix("self::") {
        return [base, &[path]].concat().join("::");
    }
    if !rest.starts_with("super::") {
        return format!("::{rest}");
    }
    while let Some(path) = rest.strip_prefix("super::") {
        (base, rest) = (&base[..base.len() - 1], path);
    }
    [base, &[rest]].concat().join("::")
}

fn begins_with(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The target folder of a file or of an imported name.
fn target_of(path: &str, separator: &str) -> Option<&'static str> {
    let rest = path.strip_prefix("target")?.strip_prefix(separator)?;
    TARGETS.into_iter().find(|target| rest.split(separator).next() == Some(*target))
}

/// All imports for which `wrong` is true, as `FILE imports NAME`.
fn wrong_imports(wrong: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let files = files();
    let pairs =
        files.iter().flat_map(|file| file.names.iter().map(|name| (file.path.as_str(), name.as_str())));
    pairs
        .filter(|(path, name)| wrong(path, name))
        .map(|(path, name)| format!("{path} imports {name}"))
        .collect()
}

#[test]
fn every_target_folder_is_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/target");
    let mut folders: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    folders.sort();
    assert_eq!(folders, TARGETS);
}

#[test]
fn a_target_does_not_import_another_target() {
    let wrong = wrong_imports(|path, name| {
        let (from, to) = (target_of(path, "/"), target_of(name, "::"));
        from.is_some() && to.is_some() && from != to
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_core_imports_no_target() {
    // Exceptions: the command tree, the code that runs it, the functions that the fuzz targets
    // call, and the local workspace, which shares rules with `trust`.
    let is_allowed = |path: &str, name: &str| {
        ["cli.rs", "fuzz.rs", "lib.rs", "target/mod.rs"].contains(&path)
            || path.starts_with("verbs/")
            || path.starts_with("dev/")
                && ["target::aws::iam", "target::vault::role"].iter().any(|judge| begins_with(name, judge))
    };
    let wrong = wrong_imports(|path, name| {
        target_of(path, "/").is_none() && target_of(name, "::").is_some() && !is_allowed(path, name)
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn only_arguments_and_the_tree_of_commands_import_clap() {
    let is_allowed = |path: &str| {
        path.starts_with("args/")
            || path.starts_with("cli/")
            || path.ends_with("args.rs")
            || ["cli.rs", "lib.rs", "sink/formats.rs", "verbs/completion.rs"].contains(&path)
    };
    assert_eq!(
        wrong_imports(|path, name| begins_with(name, "::clap") && !is_allowed(path)),
        Vec::<String>::new()
    );
}

#[test]
fn an_exchange_imports_no_arguments_files_or_session() {
    let core = ["error", "exchange", "exit", "http", "json", "jwt", "secret", "settings", "shell", "time"];
    let wrong = wrong_imports(|path, name| {
        let Some(own) = target_of(path, "/").filter(|_| path.split('/').nth(2) == Some("exchange")) else {
            return false;
        };
        let in_target = |part: &str| begins_with(name, &format!("target::{own}::{part}"));
        let is_of_target = target_of(name, "::").is_some();
        let arguments = in_target("args")
            || in_target("login")
            || in_target("exec")
            || in_target("doctor")
            || in_target("trust");
        if is_of_target {
            arguments
        } else {
            !name.starts_with("::") && !core.iter().any(|part| begins_with(name, part))
        }
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_local_workspace_has_its_own_token_checks() {
    let allowed = [
        "args",
        "dev",
        "context::Clock",
        "exit",
        "json::Json",
        "jwt::crypto",
        "output::sanitise",
        "secret::Secret",
        "target::aws::iam",
        "target::vault::role",
        "time",
    ];
    let wrong = wrong_imports(|path, name| {
        path.starts_with("dev/")
            && !name.starts_with("::")
            && !allowed.iter().any(|part| begins_with(name, part))
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn there_are_no_circular_imports() {
    let part = |path: &str, separator: &str| match target_of(path, separator) {
        Some(target) => format!("target/{target}"),
        None => path.split(separator).next().unwrap().trim_end_matches(".rs").to_owned(),
    };
    let files = files();
    let parts: BTreeSet<String> = files.iter().map(|file| part(&file.path, "/")).collect();
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.path != "lib.rs") {
        let from = part(&file.path, "/");
        let to = file.names.iter().map(|name| part(name, "::"));
        let to = to.filter(|to| *to != from && parts.contains(to));
        imports.entry(from.clone()).or_default().extend(to);
    }
    // Remove each part that imports no remaining part. The parts that stay form a circle, or
    // import one.
    while let Some(done) = parts.iter().find(|part| imports.get(*part).is_some_and(BTreeSet::is_empty)) {
        imports.remove(done);
        for others in imports.values_mut() {
            others.remove(done);
        }
    }
    assert_eq!(imports, BTreeMap::new());
}

#[test]
fn declarations_are_read_as_the_compiler_reads_them() {
    let code = "use a::b;\nuse crate::http::{self, Call, tls::{Pem as P, trusted}};\npub(crate) use super::c;\nlet x = crate::time::now();\n";
    let found = names(code, &["target", "aws", "exec"]);
    let expected = [
        "::a::b",
        "http",
        "http::Call",
        "http::tls::Pem",
        "http::tls::trusted",
        "target::aws::c",
        "time::now",
    ];
    assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
}
