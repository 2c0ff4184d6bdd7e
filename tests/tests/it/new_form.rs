//! A form that no program was built with: a file is dropped into the catalogue's folder, and people file it; its next edition comes
//! while a filing is signed and not sent.
use crate::system::{System, root};
use crate::{books, story};
use docket_cli::story::file::Story;
use docket_forms::Catalogue;
use docket_kernel::deadline::office_date;
use jiff::ToSpan as _;
use jiff::civil::Date;
use std::collections::BTreeSet;
use std::path::Path;

const FORM: &str = r#"
form.id = "T-7"
form.title = "Request for a Letter of Thanks"
form.family = "card_replacement"
form.summary = "Somebody asks for a letter; nobody outside the tests does."
form.edition = "2026-01-05"
form.edition_source = "made up"
form.online_in_reality = "no"
form.docket = "online"
form.cfr = []
form.biometrics = "never"
form.biometrics_note = ""
form.detail = "short"
role = [{ id = "applicant", required = "always", signs = true, note = "Anybody." }]
section = [{ id = "about", title = "About you" }, { id = "review", title = "Signature" }]
include = [
  { block = "person_name", prefix = "app_", section = "about" },
  { block = "birth", prefix = "app_", section = "about" },
  { block = "address_now", prefix = "app_", section = "about" },
  { block = "contact", prefix = "app_", section = "review" },
  { block = "sign", prefix = "", section = "review" },
]
question = [{ id = "why", section = "about", type = "select", required = "always", label = "What for", options = ["kindness", "patience"] }]
rule = [{ id = "patience", level = "warn", when = "why == 'patience'", field = "why", kind = "advice", message = "Patience takes longer: choose kindness." }]
evidence = []
fee = [{ id = "letter", usd = 12, channel = "any", when = "always", from = "2026-01-05", waivable = false, cite = "made up", mark = "" }]
reject = []
rfe = []
"#;

/// Answers to it. Nobody in them exists.
const ANSWERS: &str = r#"
why = "patience"
app_family_name = "Quispe"
app_given_name = "Rosa"
app_other_names_used = false
app_dob = "1985-01-31"
app_birth_city = "Cusco"
app_birth_country = "PE"
app_sex = "female"
app_mailing = { line1 = "7 Fictitious Row", city = "Albany", state = "NY", postal_code = "12207", country = "US" }
app_physical_same = true
app_physical_since = "{{today-3y}}"
app_day_phone = "+1 212 555 0129"
reads_english = "i_read_it"
declares_true = true
"#;

const STORY: &str = r#"
title = "A form that came later (T-7)"
about = "filed without a new build; its next edition comes while a filing is signed and not sent"
turns_clock = true
person = [
  { id = "rosa", called = "Rosa (applicant)", part = "applicant", family_name = "Quispe", given_name = "Rosa", birth_date = "1985-01-31" },
  { id = "moss", called = "Operator Moss", part = "operator" },
]

[[step]]
who = "rosa"
say = "opens an account and proves who she is"
do.join = {}

[[step]]
who = "rosa"
say = "begins the new form"
do.start_form = { form = "T-7" }

[[step]]
who = "rosa"
say = "answers it; its own rule speaks"
do.answer = { finds = ["patience"], answers = "t-7.toml" }

[[step]]
who = "rosa"
say = "answers otherwise"
do.answer = { silent = ["patience"], answers = { why = "kindness" } }

[[step]]
who = "rosa"
say = "sees its fee"
do.see_fee = { cents = 1200 }

[[step]]
who = "rosa"
say = "gives her second factor again"
do.step_up = {}

[[step]]
who = "rosa"
say = "signs what its questions say"
do.sign = { reads = ["What for", "Request for a Letter of Thanks"] }

[[step]]
who = "rosa"
say = "sends it"
do.submit = {}

[[step]]
who = "rosa"
say = "pays"
do.pay = { method = "pm_card_visa", outcome = "paid" }

[[step]]
who = "rosa"
say = "has a receipt number"
do.get_receipt_number = {}

[[step]]
who = "rosa"
say = "finds the receipt in her inbox"
do.read_notice = { kind = "receipt" }

[[step]]
who = "moss"
say = "comes to run the machines"
do.join = { role = "operator" }

[[step]]
who = "rosa"
say = "begins the form again"
do.start_form = { form = "T-7" }

[[step]]
who = "rosa"
say = "answers it"
do.answer = { answers = "t-7.toml" }

[[step]]
who = "rosa"
say = "sees its fee"
do.see_fee = { cents = 1200 }

[[step]]
who = "rosa"
say = "gives her second factor again"
do.step_up = {}

[[step]]
who = "rosa"
say = "signs it, and leaves it"
do.sign = { reads = ["What for"] }

[[step]]
who = "rosa"
say = "does not send it while it is taken"
do.turn_clock = { days = 21 }

[[step]]
who = "rosa"
say = "is told that it reads otherwise now"
do.get_mail = { subject = "signed or agreed with has changed" }

[[step]]
who = "rosa"
say = "sees that it is a draft again"
do.see_filing = { state = "draft" }

[[step]]
who = "moss"
say = "finds both in the log of the filings"
do.find_in_log = { service = "filing", kinds = ["filing.draft_edition_changed.v1", "filing.signature_voided.v1"] }
"#;

/// The kinds of events that somebody must find in a log.
pub(crate) fn found() -> BTreeSet<String> {
    let story: Story = toml::from_str(STORY).unwrap();
    story::found_in_logs(&story)
}

/// The next edition, taken from a day on, asks to whom the letter goes; the file of the present one is kept.
fn next_edition(folder: &Path, first_day: Date) {
    let present = folder.join("t-7.toml");
    std::fs::write(&present, FORM).unwrap();
    let asked = Catalogue::load(folder).unwrap().form("T-7").unwrap().asked();
    std::fs::create_dir_all(folder.join("before")).unwrap();
    std::fs::write(folder.join("before/t-7.toml"), FORM).unwrap();
    let question = r#"question = [{ id = "addressee", section = "about", type = "text", required = "always", label = "To whom" }, "#;
    let next = FORM
        .replace(r#"form.edition = "2026-01-05""#, &format!("form.edition = \"{first_day}\""))
        .replace("question = [", question);
    std::fs::write(&present, next).unwrap();
    let editions = format!(
        r#"[[edition]]
date = "2026-01-05"
source = "made up"
change = [{{ do = "new", to = "addressee" }}]
[edition.question]
{asked}"#
    );
    std::fs::write(folder.join("editions/t-7.toml"), editions).unwrap();
}

#[test]
fn a_form_dropped_into_the_folder_is_filed_without_a_new_build_and_so_is_its_next_edition() {
    let folder = tempfile::tempdir().unwrap();
    copy(&root().join("libs/forms/catalogue"), folder.path());
    #[expect(clippy::disallowed_methods, reason = "the system's clock is turned from the machine's")]
    let today = office_date(jiff::Timestamp::now());
    next_edition(folder.path(), today + 20.days());
    let stories = tempfile::tempdir().unwrap();
    let story = stories.path().join("new-form.toml");
    std::fs::write(&story, STORY).unwrap();
    std::fs::create_dir(stories.path().join("answers")).unwrap();
    std::fs::write(stories.path().join("answers/t-7.toml"), ANSWERS).unwrap();

    let system = System::start_apart(&[("DOCKET_CATALOGUE", folder.path().to_str().unwrap())]);
    system.play(story.to_str().unwrap(), |_| ());
    books::check(&system);
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copied = to.join(path.file_name().unwrap());
        if path.is_dir() {
            std::fs::create_dir(&copied).unwrap();
            copy(&path, &copied);
        } else {
            std::fs::copy(&path, &copied).unwrap();
        }
    }
}
