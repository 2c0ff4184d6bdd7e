//! Every rule can fire and can stay silent, every paper can be needed and not be, and every usual refusal or request that can be
//! known beforehand has something that catches it, which speaks where it should and is silent where it should: the page
//! `docs/forms/coverage.md`.

use std::fmt::Write as _;
use std::path::Path;

use docket_forms::{Catalogue, Expr, Form, NotKnown, Question, Truth, Untold, evaluate, fee, rule_value};

use crate::search::{Search, behind};
use crate::support::load;

/// How many answers are tried for one condition before it counts as one that nothing triggers.
const TRIES: usize = 30_000;
/// The forms for which everything that can be known is caught.
const WHOLE: [&str; 6] = ["I-130", "I-485", "I-765", "I-90", "N-400", "G-28"];
/// Every refusal and request of which answers and papers do not tell all, and why: each was looked at by itself, and whoever adds
/// one says here that no rule, paper or question could catch the rest of it.
const NOT_KNOWN: [(&str, &str, NotKnown); 8] = [
    ("G-1450", "X-PAYFAIL", NotKnown::HappensAfter),
    ("I-130", "I130-BIRTH", NotKnown::PaperOnly),
    ("I-485", "I485-NOVISA", NotKnown::KeptElsewhere),
    ("I-485", "I485-I693", NotKnown::PaperOnly),
    ("I-485", "I485-I864", NotKnown::PaperOnly),
    ("I-485", "I485-BIRTH", NotKnown::PaperOnly),
    ("I-765", "X-PLACE", NotKnown::KeptElsewhere),
    ("I-912", "I912-DENIED", NotKnown::OfficersJudgment),
];

/// A usual cause of a refusal or a request.
struct Cause<'a> {
    what: &'static str,
    code: &'a str,
    text: &'a str,
    prevent: &'a [String],
    not_known: Option<&'a Untold>,
}

fn causes(form: &Form) -> Vec<Cause<'_>> {
    let refusals = form.rejects.iter().map(|one| Cause {
        what: "refusal",
        code: &one.code,
        text: &one.text,
        prevent: &one.prevent,
        not_known: one.not_known.as_ref(),
    });
    let requests = form.rfes.iter().map(|one| Cause {
        what: "request",
        code: &one.code,
        text: &one.text,
        prevent: &one.prevent,
        not_known: one.not_known.as_ref(),
    });
    refusals.chain(requests).collect()
}

/// The word that stands for a reason, and what it means.
fn in_words(reason: NotKnown) -> (&'static str, &'static str) {
    match reason {
        NotKnown::KeptElsewhere => (
            "kept elsewhere",
            "it stands in a list which somebody else keeps, and which the catalogue does not hold.",
        ),
        NotKnown::PaperOnly => {
            ("on paper only", "it stands in a paper, which is attached and not read by a machine.")
        }
        NotKnown::OfficersJudgment => {
            ("an officer's judgment", "an officer weighs it, and may weigh it otherwise than whoever files.")
        }
        NotKnown::HappensAfter => ("later", "it happens only after the filing was sent."),
    }
}

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

/// Whether what is named as catching a cause speaks at some answers, and is silent at others: a rule fires, a paper is needed and not
/// there, a question is asked and not answered; of the guard of the fee, a sum is said, and not the same always.
fn speaks(search: &mut Search<'_>, form: &Form, prevent: &str) -> Seen {
    let told = |is: bool| if is { Truth::True } else { Truth::False };
    if let Some(rule) = form.rules.iter().find(|rule| rule.id == prevent) {
        return seek(search, &behind(form, &rule.when), |answers, given| {
            rule_value(form, prevent, answers, given).unwrap()
        });
    }
    if let Some(row) = form.evidence.iter().find(|row| row.kind == prevent) {
        // Attached every second time.
        let attached = std::cell::Cell::new(false);
        return seek(search, &behind(form, &row.when), |answers, given| {
            let mut given = given.clone();
            if attached.replace(!attached.get()) {
                given.evidence.insert(prevent.to_owned());
            } else {
                given.evidence.remove(prevent);
            }
            let mut needs = evaluate(form, answers, &given).evidence.into_iter();
            told(needs.any(|need| need.kind == prevent && !need.satisfied))
        });
    }
    if let Some(question) = form.question(prevent) {
        let mut questions = behind(form, &question.required);
        questions.retain(|one| one.id != prevent);
        questions.push(question);
        let begins = [format!("{prevent}."), format!("{prevent}[")];
        return seek(search, &questions, |answers, given| {
            let mut missing = evaluate(form, answers, given).missing.into_iter();
            told(missing.any(|one| one.field == prevent || begins.iter().any(|it| one.field.starts_with(it))))
        });
    }
    let questions: Vec<&Question> = form.fees.iter().flat_map(|row| behind(form, &row.when)).collect();
    let first = std::cell::OnceCell::new();
    seek(search, &questions, |answers, given| match fee(form, answers, given, false).total() {
        Some(sum) if *first.get_or_init(|| sum) == sum => Truth::True,
        _ => Truth::False,
    })
}

/// What is named as catching a cause, and does not.
fn idle(form: &Form) -> Vec<String> {
    let mut search = Search::new(form);
    let mut idle = Vec::new();
    for cause in causes(form) {
        for prevent in cause.prevent {
            let seen = speaks(&mut search, form, prevent);
            if !seen.both() {
                idle.push(format!("{} {}: {prevent}: {seen:?}", form.id, cause.code));
            }
        }
    }
    idle
}

#[test]
fn whatever_is_named_as_catching_a_cause_speaks_at_some_answers_and_is_silent_at_others() {
    let idle: Vec<String> = Catalogue::embedded().forms().flat_map(idle).collect();
    assert!(idle.is_empty(), "named, and catches nothing, or everything:\n{}", idle.join("\n"));
}

#[test]
fn what_catches_nothing_though_it_is_named_is_found() {
    let form = load(
        "question = [{ id = \"n\", section = \"all\", type = \"int\", required = \"always\", label = \"How many\" },\n\
                     { id = \"m\", section = \"all\", type = \"int\", required = \"never\", label = \"How many more\" }]\n\
         evidence = [{ kind = \"some\", title = \"A paper\", when = \"n > 5\", substitutes = [] },\n\
                     { kind = \"none\", title = \"No paper\", when = \"never\", substitutes = [] }]\n\
         rfe = [{ code = \"A\", text = \"One.\", prevent = [\"n\", \"some\"] },\n\
                { code = \"B\", text = \"Two.\", prevent = [\"m\", \"none\"] }]",
    )
    .unwrap();
    let idle = idle(&form);
    assert_eq!(idle.len(), 2, "{idle:#?}");
    assert!(idle.iter().all(|one| one.starts_with("T-1 B: ") && one.contains("fires: false")), "{idle:#?}");
}

#[test]
fn a_cause_that_nothing_catches_has_a_reason_of_the_list_and_was_looked_at() {
    let catalogue = Catalogue::embedded();
    let mut found = Vec::new();
    for form in catalogue.forms() {
        for cause in causes(form) {
            let Some(untold) = cause.not_known else {
                assert!(!cause.prevent.is_empty(), "{} {}: nothing catches it", form.id, cause.code);
                continue;
            };
            assert!(untold.what.ends_with('.'), "{} {}: what of it?", form.id, cause.code);
            found.push((form.id.as_str(), cause.code, untold.reason));
        }
    }
    assert_eq!(found, NOT_KNOWN, "look at what is new: could a rule, a paper or a question catch it?");
    let other = "rfe = [{ code = \"A\", text = \"One.\", prevent = [], not_known = { reason = \"too_much_work\", what = \"All.\" } }]";
    let refused = load(other).unwrap_err();
    assert!(format!("{refused:?}").contains("too_much_work"), "{refused:?}");
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
         What is caught \u{201C}by every filing\u{201D}: `fee`, what is due is computed and no other sum is taken. What answers and papers tell \
         only in part, or not at all, is not counted as caught; what of it they do not tell is said, and why, which is one of these:\n\n",
    );
    let reasons =
        [NotKnown::KeptElsewhere, NotKnown::PaperOnly, NotKnown::OfficersJudgment, NotKnown::HappensAfter];
    for (word, meaning) in reasons.map(in_words) {
        let _ = writeln!(page, "- *{word}*: {meaning}");
    }
    let catalogue = Catalogue::embedded();
    for form in catalogue.forms() {
        let rows = causes(form);
        if rows.is_empty() {
            continue;
        }
        let caught = rows.iter().filter(|row| row.not_known.is_none() && !row.prevent.is_empty()).count();
        let beyond = rows.iter().filter(|row| row.not_known.is_some()).count();
        let _ = write!(
            page,
            "\n## {}: {caught} of {}\n\n| | code | what goes wrong | caught by |\n| --- | --- | --- | --- |\n",
            form.id,
            rows.len()
        );
        for Cause { what, code, text, prevent, not_known } in &rows {
            let by: Vec<String> = prevent.iter().map(|one| catches(form, one)).collect();
            let by = match (by.join(", "), not_known) {
                (by, None) => by,
                (by, Some(Untold { reason, what })) => {
                    let (reason, _) = in_words(*reason);
                    let much =
                        if by.is_empty() { "not caught".to_owned() } else { format!("{by}; only in part") };
                    format!("{much} (*{reason}*): {what}")
                }
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
