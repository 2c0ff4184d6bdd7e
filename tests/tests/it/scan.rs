//! A search of everything the system keeps for what must not stand there in the clear: names, streets, telephone numbers, numbers
//! of people, employers and birthplaces of the stories.
use crate::books::superuser;
use crate::system::{System, root};
use aho_corasick::AhoCorasick;
use docket_servers::Binaries;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use toml::Value;

/// A word that the search must find: written in the clear where it looks.
const PLANTED: &str = "Plainwordsworth";
/// So an A-number of somebody in a story begins; each playing has its own, of six digits more.
const A_NUMBER: &str = "A000";
/// So a telephone number of somebody in a story begins, to which texts go; six digits more, too.
const PHONE: &str = "+1290";
/// One that the search must find.
const PLANTED_A_NUMBER: &str = "A000987654";
/// Families have short names.
const SHORTEST_FAMILY: usize = 5;
const SHORTEST: usize = 6;

/// Searches PostgreSQL's files and its log, the broker's files, the sealed files, all logs of processes, and dumps of all
/// databases but those of the keys.
pub(crate) fn finds_nothing(system: &System) {
    let words = planted_by_stories();
    assert!(words.len() > 20, "{words:?}");
    checkpoint(system, "");
    let found = search(system, &words);
    assert!(found.is_empty(), "in the clear: {found:#?}");
}

/// The same search finds what is written in the clear: in a table, in a file of the broker, and in a log.
pub(crate) fn finds_what_is_planted(system: &System) {
    let number = format!("'{PLANTED_A_NUMBER}'::bytea AS number");
    checkpoint(system, &format!("CREATE TABLE planted AS SELECT '{PLANTED}'::text AS word, {number}"));
    for place in ["data/nats/planted", "data/filing/planted", "logs/planted.log"] {
        let file = system.home().join(place);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, format!("… {PLANTED} …")).unwrap();
    }
    let found = search(system, &BTreeSet::from([PLANTED.to_owned()]));
    for place in
        ["data/postgres", "dump of filing", "data/nats/planted", "data/filing/planted", "logs/planted.log"]
    {
        assert!(found.iter().any(|line| line.contains(place)), "not found in {place}: {found:#?}");
    }
    for place in ["data/postgres", "pg_wal", "dump of filing"] {
        let number = |line: &String| line.contains(A_NUMBER) && line.contains(place);
        assert!(found.iter().any(number), "the A-number is not found in {place}: {found:#?}");
    }
}

fn checkpoint(system: &System, before: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut filing = PgConnection::connect(&superuser(system, "filing")).await.unwrap();
        filing.execute(AssertSqlSafe(before.to_owned())).await.unwrap();
        filing.execute("CHECKPOINT").await.unwrap();
        filing.close().await.unwrap();
    });
}

fn search(system: &System, words: &BTreeSet<String>) -> Vec<String> {
    let words = &Words::new(words);
    let mut found = Vec::new();
    let mut files = Vec::new();
    files_of(&system.home().join("data"), &mut files);
    files_of(&system.home().join("logs"), &mut files);
    // The far side is not ours: it has the mails, the charges and the register, as those parties do.
    files.retain(|file| {
        !file.starts_with(system.home().join("data/sandbox")) && !file.ends_with("logs/sandbox.log")
    });
    assert!(files.len() > 100, "only {} files", files.len());
    let mut wal_bytes = 0;
    for file in files {
        // A file may be gone again, as files of a running server are.
        let Ok(bytes) = std::fs::read(&file) else { continue };
        let name = file.strip_prefix(system.home()).unwrap().display().to_string();
        if name.contains("pg_wal") {
            wal_bytes += bytes.len();
        }
        note(&name, &bytes, words, &mut found);
    }
    assert!(wal_bytes > 0, "what PostgreSQL writes ahead was not read");
    for (database, _) in system.addresses()["databases"].as_object().unwrap() {
        if !database.ends_with("_keys") {
            note(&format!("dump of {database}"), &dump(system, database), words, &mut found);
        }
    }
    found
}

fn note(place: &str, bytes: &[u8], words: &Words, found: &mut Vec<String>) {
    let hits =
        words.search.find_iter(bytes).map(|hit| (words.of[hit.pattern().as_usize()].as_str(), hit.end()));
    let hits =
        hits.filter(|(word, end)| ![A_NUMBER, PHONE].contains(word) || goes_on_as_a_number(&bytes[*end..]));
    let here: BTreeSet<&str> = hits.map(|(word, _)| word).collect();
    found.extend(here.into_iter().map(|word| format!("{word:?} in {place}")));
}

/// Whether six digits stand there, as they are or as a dump writes bytes.
fn goes_on_as_a_number(bytes: &[u8]) -> bool {
    let plain = bytes.get(..6).is_some_and(|digits| digits.iter().all(u8::is_ascii_digit));
    let as_bytes = |pair: &[u8]| pair[0] == b'3' && pair[1].is_ascii_digit();
    let dumped = bytes.get(..12).is_some_and(|pairs| pairs.chunks(2).all(as_bytes));
    plain || dumped
}

/// Words as they are, and as a dump writes bytes; the beginnings of an A-number and of a telephone number are always among them.
struct Words {
    search: AhoCorasick,
    of: Vec<String>,
}

impl Words {
    fn new(words: &BTreeSet<String>) -> Self {
        let beginnings = [A_NUMBER, PHONE].map(str::to_owned);
        let words = words.iter().chain(&beginnings);
        let forms = words.clone().flat_map(|word| [word.clone(), hex::encode(word)]);
        let of = words.flat_map(|word| [word.clone(), word.clone()]).collect();
        Self { search: AhoCorasick::new(forms).unwrap(), of }
    }
}

fn dump(system: &System, database: &str) -> Vec<u8> {
    let program = Binaries::find_postgres().unwrap().join("pg_dump");
    let output = Command::new(program).arg("--dbname").arg(superuser(system, database)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn files_of(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files_of(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// Names, streets, numbers and places in the stories and their answers that are long enough not to be there by chance.
fn planted_by_stories() -> BTreeSet<String> {
    // Every address of the stories' people ends so.
    let mut words = BTreeSet::from(["@example.test".to_owned()]);
    for folder in ["tests/stories", "tests/stories/answers"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "toml") {
                let text = std::fs::read_to_string(&path).unwrap();
                collect(["", ""], &toml::from_str(&text).unwrap(), &mut words);
            }
        }
    }
    words
}

fn collect([within, field]: [&str; 2], value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::Table(fields) => fields.iter().for_each(|(name, value)| collect([field, name], value, words)),
        Value::Array(items) => items.iter().for_each(|item| collect([within, field], item, words)),
        Value::String(text) => {
            if is_personal([within, field], text) {
                words.insert(text.clone());
                if field.contains("phone") {
                    // As it is stored once it was read.
                    words.insert(text.replace(' ', ""));
                }
            }
        }
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {}
    }
}

/// Whether the answer is somebody's own and cannot stand anywhere by chance; A-numbers of each playing are looked for by their
/// beginning.
fn is_personal([within, field]: [&str; 2], text: &str) -> bool {
    let parts = ["family", "given", "native_name", "line1", "phone", "birth_city", "employer"];
    let named = parts.iter().any(|part| field.contains(part));
    let employer = within.ends_with("employments") && field == "name";
    let several = text.bytes().collect::<BTreeSet<u8>>().len() > 3;
    let number = field.ends_with("_number") && several;
    let shortest = if field.contains("family") { SHORTEST_FAMILY } else { SHORTEST };
    (named || employer || number) && text.len() >= shortest && !text.contains("{{")
}
