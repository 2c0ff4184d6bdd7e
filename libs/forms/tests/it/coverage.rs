//! Every rule can fire and can stay silent, every paper can be needed and not be, and every usual refusal or request that can be
//! known beforehand has something that catches it: the page `docs/forms/coverage.md`.

use std::fmt::Write as _;
use std::path::Path;

use docket_forms::{Catalogue, Expr, Form, Question, Truth, evaluate, rule_value};

use crate::search::{Search, behind};
use crate::support::load;

/// How many answers are tried for one condition before it counts as one that nothing triggers.
const TRIES: usize = 30_000;
/// The forms for which everything that can be known is caught.
const WHOLE: [&str; 6] = ["I-130", "I-485", "I-765", "I-90", "N-400", "G-28"];

/// Whether answers were found for which a condition is true, and others for which it is not.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Seen {
    fires: bool,
    silent: bool,
}

impl Seen {
    fn both(self) -> bool {
        self.fires && self.silent
    }
}

/// Tries answers to the questions behind a condition.
fn seek(
    search: &mut Search<'_>,
    questions: &[&Question],
    look: impl Fn(&docket_forms::Answers, &docket_forms::Given) -> Truth,
) -> Seen {
    let mut seen = Seen::default();
    for _ in 0..TRIES {
        let given = search.given();
        let answers = search.answers(questions, given.filing_date);
        match look(&answers, &given) {
            Truth::True => seen.fires = true,
            Truth::False => seen.silent = true,
            Truth::Unknown => {}
        }
        if seen.both() {
            break;
        }
    }
    seen
}

/// The rules that nothing makes speak, or nothing silences, and the evidence that is always needed or never though its row
/// says otherwise.
fn stuck(form: &Form) -> Vec<String> {
    let mut search = Search::new(form);
    let mut stuck = Vec::new();
    // Where the form takes a waiver online, no filing is stopped for asking.
    let spoken = form.rules.iter().filter(|rule| rule.id != "waiver-online" || !form.online_fee_waiver);
    for rule in spoken {
        let questions = behind(form, &rule.when);
        let seen = seek(&mut search, &questions, |answers, given| {
            rule_value(form, &rule.id, answers, given).unwrap()
        });
        if !seen.both() {
            stuck.push(format!("{} {}: {seen:?}: {}", form.id, rule.id, rule.when));
        }
    }
    let decided = |when: &Expr| when.is_always() || when.is_never();
    for row in form.evidence.iter().filter(|row| !decided(&row.when)) {
        let questions = behind(form, &row.when);
        let seen = seek(&mut search, &questions, |answers, given| {
            let needed = evaluate(form, answers, given).evidence.iter().any(|need| need.kind == row.kind);
            if needed { Truth::True } else { Truth::False }
        });
        if !seen.both() {
            stuck.push(format!("{} evidence {}: {seen:?}: {}", form.id, row.kind, row.when));
        }
    }
    stuck
}

#[test]
fn every_rule_can_fire_and_be_silent_and_every_paper_be_needed_or_not() {
    let catalogue = Catalogue::embedded();
    let forms: Vec<&Form> = catalogue.forms().collect();
    let stuck: Vec<String> = std::thread::scope(|scope| {
        let halves = forms.chunks(forms.len().div_ceil(2));
        let searching: Vec<_> = halves
            .map(|half| scope.spawn(|| half.iter().flat_map(|form| stuck(form)).collect::<Vec<_>>()))
            .collect();
        searching.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    assert!(stuck.is_empty(), "nothing found for:\n{}", stuck.join("\n"));
}

#[test]
fn a_rule_that_nothing_can_trigger_is_found() {
    let form = load(
        "question = [{ id = \"n\", section = \"all\", type = \"int\", required = \"always\", label = \"How many\" }]\n\
         rule = [{ id = \"never\", level = \"warn\", when = \"n > 5 and n < 5\", field = \"n\", kind = \"advice\", message = \"No.\" },\n\
                 { id = \"ever\", level = \"warn\", when = \"n > 5 or n <= 5\", field = \"n\", kind = \"advice\", message = \"Yes.\" }]",
    )
    .unwrap();
    let stuck = stuck(&form);
    let of = |rule: &str| stuck.iter().find(|one| one.starts_with(&format!("T-1 {rule}:"))).unwrap();
    assert!(of("never").contains("fires: false, silent: true"), "{stuck:#?}");
    assert!(of("ever").contains("fires: true, silent: false"), "{stuck:#?}");
}

/// Who could answer it? A question that says in words that Docket fills it in, and has no table, nobody does.
#[test]
fn no_question_waits_for_an_answer_that_nobody_gives() {
    for form in Catalogue::embedded().forms() {
        for question in &form.questions {
            let says = question.label.contains("Docket") || question.label.contains("(filled");
            assert!(!says, "{} {}: who fills it in? {}", form.id, question.id, question.label);
            let Some(filled) = &question.filled else { continue };
            // The search answers it nonetheless, and that must count for nothing.
            let rests = form.rules.iter().filter(|rule| rule.when.names().contains(&question.id));
            for rule in rests {
                let behind: Vec<&str> = behind(form, &rule.when).iter().map(|one| one.id.as_str()).collect();
                let asked = filled.names();
                assert!(asked.iter().all(|name| behind.contains(&name.as_str())), "{} {}", form.id, rule.id);
            }
        }
    }
}

/// What catches it, in words.
fn catches(form: &Form, prevent: &str) -> String {
    if form.rules.iter().any(|rule| rule.id == prevent) {
        format!("rule `{prevent}`")
    } else if form.evidence.iter().any(|row| row.kind == prevent) {
        format!("evidence `{prevent}`")
    } else if form.question(prevent).is_some() {
        format!("question `{prevent}`")
    } else {
        format!("every filing: {prevent}")
    }
}

#[test]
fn the_page_of_what_is_caught_fits_the_catalogue() {
    let mut page = String::from(
        "# What is caught before it costs months\n\n\
         Made from the form catalogue by `libs/forms/tests/it/coverage.rs`, which also finds answers for which each rule speaks \
         and others for which it is silent.\n\n\
         What is caught \u{201C}by every filing\u{201D}: `fee`, what is due is computed and no other sum is taken. Where nothing stands, no \
         answer and no paper tells it beforehand. What answers and papers tell only in part is not counted as caught; why not is said.\n",
    );
    let catalogue = Catalogue::embedded();
    for form in catalogue.forms() {
        let refusals = form.rejects.iter().map(|one| (&one.code, &one.text, &one.prevent, &one.not_known));
        let requests = form.rfes.iter().map(|one| (&one.code, &one.text, &one.prevent, &one.not_known));
        let rows: Vec<_> =
            refusals.map(|row| (row, "refusal")).chain(requests.map(|row| (row, "request"))).collect();
        if rows.is_empty() {
            continue;
        }
        let told = |((_, _, prevent, not_known), _): &&((_, _, &Vec<String>, &String), _)| {
            not_known.is_empty() && !prevent.is_empty()
        };
        let caught = rows.iter().filter(told).count();
        let beyond = rows.iter().filter(|((_, _, _, not_known), _)| !not_known.is_empty()).count();
        let _ = write!(
            page,
            "\n## {}: {caught} of {}\n\n| | code | what goes wrong | caught by |\n| --- | --- | --- | --- |\n",
            form.id,
            rows.len()
        );
        for ((code, text, prevent, not_known), what) in &rows {
            let by: Vec<String> = prevent.iter().map(|one| catches(form, one)).collect();
            let by = match (by.join(", "), not_known.as_str()) {
                (by, "") => by,
                (by, why) if by.is_empty() => format!("not caught: {why}"),
                (by, why) => format!("{by}; only in part: {why}"),
            };
            let _ = writeln!(page, "| {what} | `{code}` | {text} | {by} |");
        }
        let whole = !WHOLE.contains(&form.id.as_str()) || caught + beyond == rows.len();
        assert!(whole, "{}: {caught} of {} are caught", form.id, rows.len());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/forms/coverage.md");
    if std::env::var_os("DOCKET_ACCEPT").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, page, "make it again with DOCKET_ACCEPT=1 and review it");
}
