//! Who may depend on whom: right may be used by left, never back or sideways.
use crate::rust_source::{self, Token};
use crate::system::root;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Each crate of ours and what of ours it may use outside its tests.
const ARROWS: &[(&str, &[&str])] = &[
    ("docket-kernel", &[]),
    ("docket-proto", &["docket-kernel"]),
    ("docket-database", &[]),
    ("docket-vault", &["docket-database", "docket-kernel"]),
    ("docket-eventlog", &["docket-database", "docket-kernel", "docket-proto", "docket-vault"]),
    (
        "docket-messaging",
        &["docket-database", "docket-eventlog", "docket-kernel", "docket-proto", "docket-vault"],
    ),
    ("docket-forms", &["docket-kernel"]),
    ("docket-forms-wasm", &["docket-forms"]),
    ("docket-typeset", &[]),
    ("docket-mail", &[]),
    (
        "docket-service",
        &[
            "docket-database",
            "docket-eventlog",
            "docket-kernel",
            "docket-messaging",
            "docket-proto",
            "docket-vault",
        ],
    ),
    ("docket-servers", &[]),
    ("docket-testkit", &["docket-database", "docket-kernel", "docket-proto", "docket-servers"]),
    ("docket-sandbox", &["docket-kernel"]),
    ("docket-cli", &["docket-forms", "docket-proto", "docket-servers"]),
    ("docket-tests", &[]),
];
/// What a service may use.
const OF_A_SERVICE: &[&str] = &[
    "docket-database",
    "docket-eventlog",
    "docket-forms",
    "docket-kernel",
    "docket-mail",
    "docket-messaging",
    "docket-proto",
    "docket-service",
    "docket-typeset",
    "docket-vault",
];
const SERVICES: &[&str] =
    &["docket-identity", "docket-filing", "docket-payments", "docket-case-status", "docket-notifications"];

#[test]
fn no_crate_uses_what_it_may_not() {
    let mut wrong = Vec::new();
    for (name, uses) in dependencies() {
        let arrows = ARROWS.iter().find(|(known, _)| *known == name).map(|(_, allowed)| *allowed);
        let allowed = arrows.or(SERVICES.contains(&name.as_str()).then_some(OF_A_SERVICE));
        let allowed =
            allowed.unwrap_or_else(|| panic!("{name} has no place in the picture: say what it may use"));
        wrong.extend(
            uses.iter()
                .filter(|used| !allowed.contains(&used.as_str()))
                .map(|used| format!("{name} → {used}")),
        );
    }
    assert!(wrong.is_empty(), "arrows that are not in the picture: {wrong:?}");
}

/// Domain code uses nothing that can wait, fail or read a clock.
#[test]
fn domain_code_is_pure() {
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(root().join("services")).unwrap() {
        let folder = entry.unwrap().path().join("src/domain");
        let mut files = Vec::new();
        rust_files(&folder, &mut files);
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            for used in [
                "tokio::",
                "tonic::",
                "sqlx::",
                "async_nats::",
                "reqwest::",
                "std::fs",
                "std::net",
                "rand::",
                "Timestamp::now",
            ] {
                if text.contains(used) {
                    wrong.push(format!("{}: {used}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What is written out with `{error:?}` has the words of whoever refused in it, which may quote what somebody typed: a log gets
/// `ApiError::cause`, or the error as it is displayed.
#[test]
fn no_error_of_a_service_is_written_out_with_what_was_typed() {
    let (services, libs) = (["services/docket", "services/sandbox"], ["libs/testkit", "libs/servers"]);
    let not_deployed = |file: &Path| services.iter().chain(&libs).any(|path| file.starts_with(path));
    let mut files = Vec::new();
    for folder in ["services", "libs"] {
        rust_files(&root().join(folder), &mut files);
    }
    let mut wrong = Vec::new();
    for file in files {
        let file = file.strip_prefix(root()).unwrap().to_owned();
        let parts: Vec<&str> = file.iter().filter_map(|part| part.to_str()).collect();
        let of_tests =
            parts.iter().any(|part| part.contains("tests") || *part == "benches" || *part == "testing.rs");
        if of_tests || not_deployed(&file) {
            continue;
        }
        let source = std::fs::read_to_string(root().join(&file)).unwrap();
        let tokens = rust_source::tokens(&source);
        let texts = tokens.iter().filter_map(Token::text);
        let written =
            texts.filter(|text| ERRORS.iter().any(|error| text.contains(&format!("{{{error}:?}}"))));
        wrong.extend(written.map(|text| format!("{}: {text}", file.display())));
        let fields = tokens.windows(3).filter(|three| {
            // What stands behind a point is a part of it, such as its code.
            matches!((&three[0], &three[2]), (Token::Mark('?'), after) if *after != Token::Mark('.'))
        });
        let fields = fields.filter_map(|three| three[1].word()).filter(|word| ERRORS.contains(word));
        wrong.extend(fields.map(|word| format!("{}: ?{word}", file.display())));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What errors are called.
const ERRORS: [&str; 6] = ["error", "err", "refusal", "refused", "status", "fault"];

/// The sources in a folder, however deep; none where it is not there.
pub(crate) fn rust_files(folder: &std::path::Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// Crates of ours and what of ours each uses outside its tests.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let ours = |name: &str| name.starts_with("docket-");
    metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| {
            let uses = package["dependencies"].as_array().expect("dependencies").iter();
            let uses = uses.filter(|used| used["kind"] != "dev").filter_map(|used| used["name"].as_str());
            let name = package["name"].as_str().expect("a name").to_owned();
            (name, uses.filter(|used| ours(used)).map(str::to_owned).collect())
        })
        .collect()
}
