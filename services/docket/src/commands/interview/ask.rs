//! Asking on the terminal: one question at a time, its choices, addresses and lists part by part. What is said goes to the
//! error side, so that a program that reads the outcome sees only that.
use super::form::{Field, Part, Question};
use super::reading::{answer, shown, spoken};
use super::words::Words;
use anyhow::Result;
use serde_json::{Map, Value};
use std::io::{IsTerminal as _, Write as _};

/// What a person says to a question.
#[derive(Debug, PartialEq)]
pub enum Said {
    /// An answer.
    Answer(Value),
    /// It is left open.
    Nothing,
    /// Back to the question before.
    Back,
    /// To the papers now.
    Papers,
    /// No more for now; the end of the input says so too.
    Stop,
}

/// What is asked of an item of a list that says so much already, in the order in which it is asked.
pub type Asked<'a> = &'a dyn Fn(&Map<String, Value>) -> Vec<String>;

/// Where the answers come from.
pub struct Ask {
    words: &'static Words,
    lines: Box<dyn Iterator<Item = std::io::Result<String>>>,
}

/// Says a line to the person.
pub fn say(text: &str) {
    eprintln!("  {text}");
}

impl Ask {
    /// The terminal, or what is piped in; asks in the words of a language. Between two lines it is free for whoever else asks there, as
    /// for a password.
    pub fn of_terminal(words: &'static Words) -> Self {
        Self { words, lines: Box::new(std::iter::from_fn(|| std::io::stdin().lines().next())) }
    }

    /// Lines as a test types them.
    #[cfg(test)]
    pub fn typed(words: &'static Words, lines: &[&str]) -> Self {
        let lines: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
        Self { words, lines: Box::new(lines.into_iter().map(Ok)) }
    }

    /// Asks a question; `now` is its answer where it has one. `why` is told when the person types a question mark.
    pub fn question(
        &mut self,
        question: &Question,
        (now, asked): (Option<&Value>, Asked<'_>),
        why: &str,
    ) -> Result<Said> {
        eprintln!();
        say(&question.part.label);
        if let Some(help) = &question.help {
            say(&format!("({help})"));
        }
        if let Some(now) = now {
            say(&self.words.answered_so.replace("{}", &shown(&question.part, now, self.words)));
        }
        if question.part.kind == "repeating" {
            self.list(question, asked, why)
        } else {
            self.part(&question.part, "", why)
        }
    }

    /// Asks for yes or no.
    pub fn yes_or_no(&mut self, label: &str, why: &str) -> Result<Said> {
        self.part(&Part::of("yes_no"), label, why)
    }

    /// One of several choices, by number or word; nothing when the person leaves.
    pub fn choice(&mut self, label: &str, options: &[String], labels: &[String]) -> Result<Option<String>> {
        eprintln!();
        say(label);
        for (n, label) in labels.iter().enumerate() {
            say(&format!("  {}. {label}", n + 1));
        }
        loop {
            let Some(line) = self.line("")? else { return Ok(None) };
            match super::reading::choice(options, labels, &line, self.words) {
                Ok(chosen) => return Ok(Some(chosen)),
                Err(_) if line.is_empty() => return Ok(None),
                Err(words) => say(&words),
            }
        }
    }

    fn part(&mut self, part: &Part, label: &str, why: &str) -> Result<Said> {
        if part.kind == "address" {
            return self.address(why);
        }
        for (n, option) in part.options.iter().enumerate() {
            let label = part.option_labels.get(n).cloned().unwrap_or_else(|| spoken(option));
            say(&format!("  {}. {label}", n + 1));
        }
        let hint = self.words.hint(&part.hinted());
        let prompt = [label, hint].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ");
        loop {
            let Some(line) = self.line(&prompt)? else { return Ok(Said::Stop) };
            match line.as_str() {
                "!" => return Ok(Said::Stop),
                "<" => return Ok(Said::Back),
                "+" => return Ok(Said::Papers),
                "" => return Ok(Said::Nothing),
                "?" => say(if why.is_empty() { self.words.may_stay_open } else { why }),
                line => match answer(part, line, self.words) {
                    Ok(value) => return Ok(Said::Answer(value)),
                    Err(words) => say(&words),
                },
            }
        }
    }

    /// An address part by part; back goes to the part before.
    fn address(&mut self, why: &str) -> Result<Said> {
        let (mut parts, mut at) = (Map::new(), 0);
        while let Some((id, words)) = self.words.address.get(at) {
            match self.part(&Part::of("text"), words, why)? {
                Said::Answer(value) => drop(parts.insert((*id).to_owned(), value)),
                Said::Nothing if at == 0 => return Ok(Said::Nothing),
                Said::Nothing => drop(parts.remove(*id)),
                Said::Back if at > 0 => {
                    at -= 1;
                    continue;
                }
                left @ (Said::Back | Said::Papers | Said::Stop) => return Ok(left),
            }
            at += 1;
        }
        Ok(Said::Answer(Value::Object(parts)))
    }

    /// Items until there is no more; none at all is an answer too. Back asks the item before anew.
    fn list(&mut self, question: &Question, asked: Asked<'_>, why: &str) -> Result<Said> {
        let mut items = Vec::new();
        loop {
            let label = if items.is_empty() { self.words.is_there_one } else { self.words.another_one };
            match self.yes_or_no(label, why)? {
                Said::Answer(Value::Bool(true)) => {}
                Said::Nothing if items.is_empty() => return Ok(Said::Nothing),
                Said::Back if items.pop().is_some() => {}
                Said::Answer(_) | Said::Nothing => return Ok(Said::Answer(Value::Array(items))),
                left @ (Said::Back | Said::Papers | Said::Stop) => return Ok(left),
            }
            match self.item(&question.fields, asked, why)? {
                Said::Answer(item) => items.push(item),
                Said::Nothing | Said::Back => {}
                left @ (Said::Papers | Said::Stop) => return Ok(left),
            }
        }
    }

    /// An item of a list, field by field those that are asked of it; back goes to the field before.
    fn item(&mut self, fields: &[Field], asked: Asked<'_>, why: &str) -> Result<Said> {
        let (mut item, mut done) = (Map::new(), Vec::new());
        let open = |item: &Map<String, Value>, done: &[String]| {
            let next = asked(item).into_iter().find(|id| !done.contains(id))?;
            fields.iter().find(|field| field.id == next)
        };
        while let Some(field) = open(&item, &done) {
            let label = if field.part.kind == "address" {
                say(&field.part.label);
                ""
            } else {
                &field.part.label
            };
            match self.part(&field.part, label, why)? {
                Said::Answer(value) => drop(item.insert(field.id.clone(), value)),
                Said::Nothing => {}
                Said::Back => match done.pop() {
                    Some(before) => {
                        item.remove(&before);
                        continue;
                    }
                    None => return Ok(Said::Back),
                },
                left @ (Said::Papers | Said::Stop) => return Ok(left),
            }
            done.push(field.id.clone());
        }
        Ok(Said::Answer(Value::Object(item)))
    }

    /// A line without its end and the blanks around it; nothing at the end of the input.
    pub fn line(&mut self, prompt: &str) -> Result<Option<String>> {
        eprint!("  {prompt}{}> ", if prompt.is_empty() { "" } else { " " });
        std::io::stderr().flush()?;
        let line = self.lines.next().transpose()?.map(|line| line.trim().to_owned());
        if !std::io::stdin().is_terminal() {
            // Nobody's Enter ends the line of the question.
            eprintln!();
        }
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_terminal_is_free_between_two_questions() {
        let _asks = Ask::of_terminal(Words::of("en"));
        let (free, is_free) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            drop(std::io::stdin().lock());
            free.send(())
        });
        is_free.recv_timeout(std::time::Duration::from_mins(1)).expect("a password can be asked for");
    }

    fn typed(lines: &[&str]) -> Ask {
        Ask::typed(Words::of("en"), lines)
    }

    fn part(kind: &str) -> Part {
        Part { label: kind.into(), ..Part::of(kind) }
    }

    fn question(kind: &str) -> Question {
        let fields = vec![
            Field { id: "left".into(), part: part("date") },
            Field { id: "where".into(), part: part("text") },
        ];
        let fields = if kind == "repeating" { fields } else { Vec::new() };
        Question { id: "q".into(), section: "s".into(), part: part(kind), help: None, fields }
    }

    fn all(_: &Map<String, Value>) -> Vec<String> {
        ["left", "where"].map(str::to_owned).into()
    }

    fn said(kind: &str, lines: &[&str]) -> Said {
        typed(lines).question(&question(kind), (None, &all), "because").unwrap()
    }

    #[test]
    fn a_line_that_is_no_answer_is_asked_for_again() {
        assert_eq!(said("yes_no", &["what", "?", "yes"]), Said::Answer(json!(true)));
    }

    #[test]
    fn an_empty_line_leaves_open_and_the_end_stops() {
        assert_eq!(said("text", &[""]), Said::Nothing);
        assert_eq!(said("text", &["!"]), Said::Stop);
        assert_eq!(said("text", &[]), Said::Stop);
    }

    #[test]
    fn lists_are_asked_item_by_item() {
        let two = ["yes", "2020-01-02", "Lima", "y", "2021-01-02", "", "no"];
        assert_eq!(
            said("repeating", &two),
            Said::Answer(json!([{"left": "2020-01-02", "where": "Lima"}, {"left": "2021-01-02"}]))
        );
        assert_eq!(said("repeating", &["no"]), Said::Answer(json!([])));
        assert_eq!(said("repeating", &["yes", "2020-01-02", "!"]), Said::Stop);
    }

    /// The dates of a stay as the catalogue asks them: when it ended is asked after whether it goes on, and only where it does not.
    #[test]
    fn a_part_of_an_item_is_asked_after_what_it_hangs_on_and_only_where_it_is_asked() {
        let catalogue = docket_forms::Catalogue::embedded();
        let n400 = catalogue.form("N-400").unwrap();
        let list: Question =
            serde_json::from_str(&serde_json::to_string(n400.question("app_residences").unwrap()).unwrap())
                .unwrap();
        let given = docket_forms::Given::on("2026-03-02".parse().unwrap());
        let asked = |item: &Map<String, Value>| {
            docket_forms::parts_asked(n400, ("app_residences", item), &Map::new(), &given)
        };
        let said = |lines: &[&str]| typed(lines).question(&list, (None, &asked), "because").unwrap();
        let home = ["yes", "1 Main St", "", "Reno", "NV", "", "89501", "US", "2020-01-02"];
        let address = json!({"line1": "1 Main St", "city": "Reno", "state": "NV", "postal_code": "89501", "country": "US"});
        let lines = |more: &[&'static str]| [&home, more].concat();
        let now = json!([{"address": address, "from": "2020-01-02", "current": true}]);
        let then = json!([{"address": address, "from": "2020-01-02", "current": false, "to": "2021-01-02"}]);
        assert_eq!(said(&lines(&["yes", "no"])), Said::Answer(now.clone()));
        assert_eq!(said(&lines(&["no", "2021-01-02", "no"])), Said::Answer(then));
        // Whether it goes on is said anew, and its end is asked no more.
        assert_eq!(said(&lines(&["no", "<", "yes", "no"])), Said::Answer(now));
    }

    #[test]
    fn back_goes_to_the_question_before_and_within_one_to_the_part_before() {
        for kind in ["text", "yes_no", "address", "repeating"] {
            assert_eq!(said(kind, &["<"]), Said::Back, "{kind}");
        }
        let lines = ["1 Main St", "4", "<", "", "Reno", "NV", "", "89501", "US"];
        assert_eq!(
            said("address", &lines),
            Said::Answer(
                json!({"line1": "1 Main St", "city": "Reno", "state": "NV", "postal_code": "89501", "country": "US"})
            )
        );
        // A field, then the whole item, is said anew.
        let lines = ["yes", "2020-01-02", "<", "2020-01-03", "Lima", "<", "2020-01-04", "Quito", "no"];
        assert_eq!(
            said("repeating", &lines),
            Said::Answer(json!([{"left": "2020-01-04", "where": "Quito"}]))
        );
        assert_eq!(said("repeating", &["yes", "<", "no"]), Said::Answer(json!([])));
    }

    #[test]
    fn an_answer_that_is_there_can_be_kept_or_changed_and_the_papers_come_at_once() {
        let asked =
            |lines| typed(lines).question(&question("text"), (Some(&json!("Lima")), &all), "why").unwrap();
        assert_eq!(asked(&["?", ""]), Said::Nothing);
        assert_eq!(asked(&["Quito"]), Said::Answer(json!("Quito")));
        assert_eq!(asked(&["+"]), Said::Papers);
        assert_eq!(said("address", &["1 Main St", "+"]), Said::Papers);
        assert_eq!(said("text", &["+1 212 555 0129"]), Said::Answer(json!("+1 212 555 0129")));
    }

    #[test]
    fn an_address_is_asked_part_by_part() {
        let lines = ["1 Main St", "", "Reno", "NV", "", "89501", "US"];
        assert_eq!(
            said("address", &lines),
            Said::Answer(
                json!({"line1": "1 Main St", "city": "Reno", "state": "NV", "postal_code": "89501", "country": "US"})
            )
        );
        assert_eq!(said("address", &[""]), Said::Nothing);
    }
}
