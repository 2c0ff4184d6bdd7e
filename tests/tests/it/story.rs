//! The stories go through, and a second one finds the first one's traces.
use crate::system::{System, root};

#[test]
fn a_permanent_resident_becomes_a_citizen() {
    let system = System::start();
    let told = system.play("tests/stories/naturalization.toml", |_| ());
    let steps = std::fs::read_to_string(root().join("tests/stories/naturalization.toml"))
        .unwrap()
        .matches("[[step]]")
        .count();
    assert_eq!(told.len(), steps, "every step was played");
    let receipt = receipt_number(&told);
    // Anybody with the whole number sees a title and nothing else.
    let public = system.command(&["status", &receipt, "--json"]).output().unwrap();
    let public: serde_json::Value = serde_json::from_slice(&public.stdout).unwrap();
    assert_eq!(public["form"], "N-400");
    assert!(public.get("timeline").is_none());
    // An unknown number is refused, with the exit code for it.
    let unknown = system.command(&["status", "DKT0000000000"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(3), "{}", String::from_utf8_lossy(&unknown.stderr));
}

fn receipt_number(told: &[serde_json::Value]) -> String {
    let answers = told.iter().filter_map(|step| step["answer"].as_str());
    let words = answers.flat_map(|answer| {
        answer.split_whitespace().map(|word| word.trim_matches(',').to_owned()).collect::<Vec<_>>()
    });
    words
        .into_iter()
        .find(|word| word.starts_with("DKT") && word.len() == 13)
        .expect("a receipt number was told")
}
