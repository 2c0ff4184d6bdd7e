//! Answers given once serve all: what a form takes over from the others of its package, and what they answer otherwise.

use std::collections::BTreeMap;

use docket_forms::{Answers, Catalogue, Form, Given, Part, Truth, Type, evaluate, normalise};
use serde_json::Value;
use uuid::Uuid;

use crate::domain::name;
use crate::party;

/// A filing as the others of its package see it: what it answers, but for what is set aside there.
pub(crate) struct Sibling {
    account: Uuid,
    form: String,
    answers: Answers,
    /// Where in the log each question was answered last.
    answered_at: BTreeMap<String, u64>,
}

impl Sibling {
    pub(crate) fn of(form: &Form, account: Uuid, answers: &Answers, given: &Given) -> Self {
        let shown = evaluate(form, answers, given).shown;
        let counts = |question: &str| shown.get(question).is_some_and(|shown| *shown != Truth::False);
        let answers = answers.iter().filter(|(question, answer)| counts(question) && !answer.is_null());
        let answers = answers.map(|(question, answer)| (question.clone(), answer.clone())).collect();
        Self { account, form: form.id.clone(), answers, answered_at: BTreeMap::new() }
    }

    /// With the places in the log at which its questions were answered last.
    pub(crate) fn answered_at(self, answered_at: BTreeMap<String, u64>) -> Self {
        Self { answered_at, ..self }
    }
}

/// A draft that is begun in a package.
pub(crate) struct Begun<'a> {
    pub(crate) form: &'a Form,
    pub(crate) account: Uuid,
    /// The name that is proven for the account.
    pub(crate) proven: &'a str,
}

/// What the draft takes over: of each person whom it asks about, what was answered of them last.
pub(crate) fn taken_over(catalogue: &Catalogue, begun: &Begun<'_>, package: &[Sibling]) -> Answers {
    let mut taken = Answers::new();
    for wanted in catalogue.parts(&begun.form.id) {
        let told = about(catalogue, wanted, begun, package);
        for (fact, question) in &wanted.asks {
            let newest = told.iter().filter_map(|told| told.answer(fact)).max_by_key(|(_, at)| *at);
            let answer = newest.and_then(|(answer, _)| normalise(begun.form, question, answer).ok());
            taken.extend(answer.filter(|answer| !answer.is_null()).map(|answer| (question.clone(), answer)));
        }
    }
    taken
}

/// Who tells of the person that is wanted. Nobody, where they tell of several people: who is meant is not known.
fn about<'a>(
    catalogue: &'a Catalogue,
    wanted: &Part,
    begun: &Begun<'_>,
    package: &'a [Sibling],
) -> Vec<Told<'a>> {
    let told: Vec<Told<'a>> = told_of(catalogue, &wanted.person, package).collect();
    let served = |one: &Told<'_>| {
        wanted.once && told.iter().any(|other| other.part.form == wanted.form && other.is_of_whom(one))
    };
    let may = |one: &Told<'_>| {
        one.may_tell(wanted, begun.account)
            && (one.sibling.account == begun.account || one.is_called(begun.proven))
    };
    let about: Vec<Told<'a>> = told.iter().filter(|one| may(one) && !served(one)).copied().collect();
    let same = about.first().is_some_and(|first| about.iter().all(|one| one.is_of_whom(first)));
    if same { about } else { Vec::new() }
}

/// A question of a filing that another form of its package answers otherwise about the same person.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) question: String,
    /// The other form.
    pub(crate) form: String,
}

/// What the others of its package answer otherwise, each question once.
pub(crate) fn differences(catalogue: &Catalogue, own: &Sibling, package: &[Sibling]) -> Vec<Difference> {
    let mut found = Vec::new();
    for part in catalogue.parts(&own.form) {
        let own = Told { sibling: own, part };
        let same = |one: &Told<'_>| one.may_tell(part, own.sibling.account) && one.is_surely_of_whom(&own);
        let others: Vec<Told<'_>> = told_of(catalogue, &part.person, package).filter(same).collect();
        for (fact, question) in &part.asks {
            let Some((here, _)) = own.answer(fact) else { continue };
            let asked = catalogue.form(&own.part.form).and_then(|form| form.question(question));
            let is_date = asked.is_some_and(|asked| matches!(asked.kind, Type::Date | Type::PartialDate));
            let differs = |one: &&Told<'_>| {
                let there = one.answer(fact).map(|(there, _)| there);
                there.is_some_and(|there| there != here && !(is_date && agree(here, there)))
            };
            found.extend(
                others
                    .iter()
                    .find(differs)
                    .map(|other| Difference { question: question.clone(), form: other.part.form.clone() }),
            );
        }
    }
    found
}

/// Whether one of two dates says no more than what is known of the other: `2019-05` of `2019-05-14`.
fn agree(one: &Value, other: &Value) -> bool {
    let texts = one.as_str().zip(other.as_str());
    texts.is_some_and(|(one, other)| one.starts_with(other) || other.starts_with(one))
}

/// The filings that tell of a person and say who it is.
fn told_of<'a>(
    catalogue: &'a Catalogue,
    person: &str,
    package: &'a [Sibling],
) -> impl Iterator<Item = Told<'a>> {
    let parts = package
        .iter()
        .flat_map(move |sibling| catalogue.parts(&sibling.form).map(move |part| Told { sibling, part }));
    parts.filter(move |told| told.part.person == person && !told.names().is_empty())
}

/// A person as one of the filings tells of them.
#[derive(Clone, Copy)]
struct Told<'a> {
    sibling: &'a Sibling,
    part: &'a Part,
}

impl<'a> Told<'a> {
    /// What is answered, and where in the log.
    fn answer(&self, fact: &str) -> Option<(&'a Value, u64)> {
        let question = self.part.asks.get(fact)?;
        let at = self.sibling.answered_at.get(question).copied().unwrap_or_default();
        Some((self.sibling.answers.get(question)?, at))
    }

    /// The ways in which their name may be typed, the shortest first.
    fn names(&self) -> Vec<String> {
        party::typed(|fact| self.answer(fact).map(|(answer, _)| answer))
    }

    fn is_called(&self, called: &str) -> bool {
        self.names().iter().any(|one| name::same(one, called))
    }

    fn is_of_whom(&self, other: &Told<'_>) -> bool {
        self.names().first().is_some_and(|one| other.names().first().is_some_and(|two| name::same(one, two)))
    }

    /// Also where the name is what differs.
    fn is_surely_of_whom(&self, other: &Told<'_>) -> bool {
        let same = |fact: &str| {
            let there = other.answer(fact).map(|(there, _)| there);
            self.answer(fact).is_some_and(|(here, _)| there == Some(here))
        };
        self.is_of_whom(other) || same("a_number") || (same("given_name") && same("dob"))
    }

    /// Whether what it tells may stand in a filing of an account. From one account to another goes only what somebody said of
    /// the person who files there: what people say of themselves stays theirs.
    fn may_tell(&self, wanted: &Part, account: Uuid) -> bool {
        self.sibling.account == account || (wanted.files && !self.part.files)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SVEN: Uuid = Uuid::from_u128(1);
    const ANA: Uuid = Uuid::from_u128(2);

    fn sibling(account: Uuid, form: &str, answers: &Value, at: u64) -> Sibling {
        let catalogue = Catalogue::embedded();
        let answers = answers.as_object().unwrap();
        let given = Given::on("2026-05-01".parse().unwrap());
        let answered_at = answers.keys().map(|question| (question.clone(), at)).collect();
        Sibling::of(catalogue.form(form).unwrap(), account, answers, &given).answered_at(answered_at)
    }

    /// Sven's petition for somebody born on a day.
    fn petition(given: &str, dob: &str, at: u64) -> Sibling {
        let answers = json!({
            "relationship": "spouse", "pet_family_name": "Aakre", "pet_given_name": "Sven", "pet_dob": "1984-11-02",
            "pet_status": "us_citizen", "ben_family_name": "Lima", "ben_given_name": given, "ben_dob": dob,
            "ben_physical": { "line1": "4 Fictitious Row", "city": "Albany", "country": "US" },
            "i130a_parents": [{ "which": "mother", "family": "Souza" }],
            "declares_true": true, "used_preparer": false, "reads_english": "i_read_it",
        });
        sibling(SVEN, "I-130", &answers, at)
    }

    fn begin(account: Uuid, proven: &str, form: &str, package: &[Sibling]) -> Answers {
        let catalogue = Catalogue::embedded();
        let form = catalogue.form(form).unwrap();
        taken_over(&catalogue, &Begun { form, account, proven }, package)
    }

    #[test]
    fn the_beneficiary_of_the_petition_is_the_applicant() {
        let package = [petition("Ana Lúcia", "1990-01-31", 7)];
        for (account, proven) in [(ANA, "Ana Lucia Lima"), (SVEN, "Sven Aakre")] {
            let taken = begin(account, proven, "I-485", &package);
            assert_eq!(taken["app_family_name"], "Lima");
            assert_eq!(taken["app_dob"], "1990-01-31");
            assert_eq!(taken["app_physical"]["line1"], "4 Fictitious Row");
            assert_eq!(taken["app_parents"][0]["family"], "Souza");
            assert_eq!(taken.len(), 5, "nothing signed, declared or of the petitioner: {taken:?}");
        }
        let sponsor = begin(SVEN, "Sven Aakre", "I-864", &package);
        assert_eq!(
            (&sponsor["app_given_name"], &sponsor["sponsor_status"]),
            (&json!("Sven"), &json!("us_citizen"))
        );
    }

    #[test]
    fn nothing_goes_to_somebody_else() {
        let package = [petition("Ana Lúcia", "1990-01-31", 7)];
        assert!(begin(ANA, "Eve Lima", "I-485", &package).is_empty());
        // Nor to an account for which no name is proven.
        assert!(begin(ANA, "", "I-485", &package).is_empty());
        // Another account's sponsor is another person.
        assert!(begin(ANA, "Sven Aakre", "I-864", &package).is_empty());
        // What she says of herself is not told to the petitioner.
        let own =
            json!({ "app_family_name": "Lima", "app_given_name": "Ana Lúcia", "app_dob": "1990-01-31" });
        assert!(begin(SVEN, "Sven Aakre", "I-130", &[sibling(ANA, "I-485", &own, 3)]).is_empty());
        let unnamed = [sibling(SVEN, "I-130", &json!({ "ben_dob": "1990-01-31" }), 3)];
        assert!(begin(SVEN, "Sven Aakre", "I-485", &unnamed).is_empty());
    }

    #[test]
    fn a_second_petition_is_for_somebody_else() {
        let taken = begin(SVEN, "Sven Aakre", "I-130", &[petition("Ana Lúcia", "1990-01-31", 7)]);
        assert_eq!(taken["pet_dob"], "1984-11-02");
        assert!(!taken.keys().any(|question| question.starts_with("ben_")), "{taken:?}");
        let two = [petition("Ana Lúcia", "1990-01-31", 7), petition("Caio", "2015-06-01", 9)];
        assert!(begin(SVEN, "Sven Aakre", "I-485", &two).is_empty(), "who is meant is not known");
        assert_eq!(begin(ANA, "Ana Lúcia Lima", "I-485", &two)["app_dob"], "1990-01-31");
        // Once hers is begun, the next one is his.
        let [ana, caio] = two;
        let hers = json!({ "app_family_name": "Lima", "app_given_name": "Ana Lúcia" });
        let three = [ana, caio, sibling(SVEN, "I-485", &hers, 11)];
        assert_eq!(begin(SVEN, "Sven Aakre", "I-485", &three)["app_dob"], "2015-06-01");
    }

    #[test]
    fn the_newest_answer_is_taken_over_and_one_that_is_set_aside_is_not() {
        let answers = |dob: &str| {
            json!({
                "app_family_name": "Lima", "app_given_name": "Ana Lúcia", "app_dob": dob, "app_physical_same": true,
                "app_mailing": { "line1": "12 Main St", "city": "Albany", "country": "US" },
                "app_physical": { "line1": "1 Old Rd", "city": "Albany", "country": "US" },
            })
        };
        for (at, dob) in [(5, "1990-01-31"), (9, "1990-01-30")] {
            let package =
                [petition("Ana Lúcia", "1990-01-31", 7), sibling(ANA, "I-485", &answers("1990-01-30"), at)];
            let taken = begin(ANA, "Ana Lúcia Lima", "I-765", &package);
            assert_eq!(taken["app_dob"], dob);
            assert_eq!(taken["app_mailing"]["line1"], "12 Main St");
            assert_eq!(taken["app_physical"]["line1"], "4 Fictitious Row");
        }
    }

    #[test]
    fn what_another_form_answers_otherwise_is_seen() {
        let catalogue = Catalogue::embedded();
        let own = |dob: &str| {
            let answers = json!({ "app_family_name": "Lima", "app_given_name": "Ana Lúcia", "app_dob": dob });
            sibling(ANA, "I-485", &answers, 3)
        };
        let package = [petition("Ana Lúcia", "1990-01-31", 7)];
        assert_eq!(differences(&catalogue, &own("1990-01-31"), &package), []);
        let differs = differences(&catalogue, &own("1990-01-30"), &package);
        assert_eq!(differs, [Difference { question: "app_dob".into(), form: "I-130".into() }]);
        assert_eq!(differences(&catalogue, &own("1990-01-30"), &[petition("Eva", "1980-01-01", 7)]), []);
        // A day is no other date than its month.
        let arrived = |form: &str, names: [&str; 3], on: &str| {
            let [family, given, arrived] = names;
            let answers = json!({ (family): "Lima", (given): "Ana Lúcia", "ben_in_us": true, (arrived): on });
            let taken = answers.as_object().unwrap().iter();
            let form = catalogue.form(form).unwrap();
            let taken = taken.filter(|(question, _)| form.question(question).is_some());
            let answers = taken.map(|(question, answer)| (question.clone(), answer.clone())).collect();
            sibling(SVEN, &form.id, &Value::Object(answers), 3)
        };
        let petition = arrived("I-130", ["ben_family_name", "ben_given_name", "ben_entry_date"], "2019-05");
        for (on, differ) in [("2019-05-14", 0), ("2019-05", 0), ("2019-06-14", 1)] {
            let own = arrived("I-485", ["app_family_name", "app_given_name", "app_entry_date"], on);
            assert_eq!(differences(&catalogue, &own, std::slice::from_ref(&petition)).len(), differ, "{on}");
        }
        // What is known serves where it is enough: a year is counted from the day of an asylum seeker's arrival.
        let told = |form: &str| begin(SVEN, "Sven Aakre", form, std::slice::from_ref(&petition));
        assert_eq!(told("I-765")["app_entry_date"], "2019-05");
        assert!(!told("I-589").contains_key("arrived_on"));
        let misspelt =
            json!({ "app_family_name": "Lyma", "app_given_name": "Ana Lúcia", "app_dob": "1990-01-31" });
        let differs = differences(&catalogue, &sibling(ANA, "I-485", &misspelt, 3), &package);
        assert_eq!(differs, [Difference { question: "app_family_name".into(), form: "I-130".into() }]);
    }
}
