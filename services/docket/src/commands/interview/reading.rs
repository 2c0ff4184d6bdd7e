//! From a typed line to an answer as the API takes it, and back. What a line means is read here; whether it is right, the service
//! says.
use super::form::Part;
use super::words::Words;
use crate::commands::amount;
use serde_json::{Value, json};

/// The answer that a line gives, or what to type instead.
pub fn answer(part: &Part, line: &str, words: &Words) -> Result<Value, String> {
    let one = |line: &str| choice(&part.options, &part.option_labels, line, words);
    match part.kind.as_str() {
        "yes_no" | "check" => yes_or_no(line, words).map(Value::Bool),
        "select" => one(line).map(Value::String),
        "multi" => {
            // What is read for one choice may have commas in it.
            let chosen = one(line).map(|chosen| vec![chosen]);
            let chosen = chosen.or_else(|_| line.split(',').map(|word| one(word.trim())).collect());
            chosen.map(|chosen: Vec<String>| json!(chosen))
        }
        "int" | "weight" => {
            line.parse::<i64>().map(|n| json!(n)).map_err(|_| words.type_whole_number.to_owned())
        }
        "money" => cents(line).map(|cents| json!(cents)).ok_or_else(|| words.type_dollars.to_owned()),
        _ => Ok(Value::String(line.to_owned())),
    }
}

fn yes_or_no(line: &str, words: &Words) -> Result<bool, String> {
    let line = line.to_lowercase();
    if words.yes.contains(&line.as_str()) {
        Ok(true)
    } else if words.no.contains(&line.as_str()) {
        Ok(false)
    } else {
        Err(words.type_yes_or_no.to_owned())
    }
}

/// A choice by its number, counted from 1, by its word, or by what people read for it.
pub fn choice(options: &[String], labels: &[String], line: &str, words: &Words) -> Result<String, String> {
    let by_number = line.parse::<usize>().ok().and_then(|n| options.get(n.checked_sub(1)?));
    // Some options are numbers themselves: then the word is meant.
    let by_word = options.iter().find(|option| option.eq_ignore_ascii_case(line) || spoken(option) == line);
    let by_label = labels.iter().position(|label| label.to_lowercase() == line.to_lowercase());
    by_word
        .or(by_label.and_then(|n| options.get(n)))
        .or(by_number)
        .cloned()
        .ok_or_else(|| words.choose_one.replace("{}", &options.len().to_string()))
}

/// An option as people read it where nothing says it better.
pub fn spoken(option: &str) -> String {
    option.replace('_', " ")
}

/// An answer that is there, as people read it.
pub fn shown(part: &Part, answer: &Value, words: &Words) -> String {
    match answer {
        Value::Bool(true) => words.said_yes.to_owned(),
        Value::Bool(false) => words.said_no.to_owned(),
        Value::Number(cents) if part.kind == "money" => cents.as_i64().map(amount).unwrap_or_default(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => {
            let option = part.options.iter().position(|option| option == text);
            let label = option.and_then(|n| part.option_labels.get(n)).cloned();
            label.unwrap_or_else(|| if option.is_some() { spoken(text) } else { text.clone() })
        }
        Value::Array(items) => {
            items.iter().map(|item| shown(part, item, words)).collect::<Vec<_>>().join("; ")
        }
        Value::Object(fields) => {
            fields.values().map(|field| shown(part, field, words)).collect::<Vec<_>>().join(", ")
        }
        Value::Null => String::new(),
    }
}

fn cents(line: &str) -> Option<i64> {
    let plain = line.trim_start_matches('$').replace(',', "");
    let (whole, part) = plain.split_once('.').unwrap_or((&plain, "00"));
    let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let whole = whole.parse::<i64>().ok().filter(|whole| *whole >= 0 && digits);
    whole.and_then(|whole| whole.checked_mul(100)?.checked_add(part.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(part: &Part, line: &str) -> Result<Value, String> {
        super::answer(part, line, Words::of("en"))
    }

    fn part(kind: &str, options: &[&str]) -> Part {
        Part { options: options.iter().map(|&option| option.to_owned()).collect(), ..Part::of(kind) }
    }

    #[test]
    fn lines_become_answers() {
        let marital = part("select", &["single", "legally_separated"]);
        assert_eq!(answer(&marital, "2"), Ok(json!("legally_separated")));
        assert_eq!(answer(&marital, "legally separated"), Ok(json!("legally_separated")));
        assert!(answer(&marital, "3").unwrap_err().contains("1 to 2"));
        assert!(answer(&marital, "0").is_err());
        assert_eq!(answer(&part("multi", &["a", "b", "c"]), "3, a"), Ok(json!(["c", "a"])));
        assert_eq!(answer(&part("yes_no", &[]), "Y"), Ok(json!(true)));
        assert!(answer(&part("yes_no", &[]), "perhaps").is_err());
        assert_eq!(answer(&part("int", &[]), "12"), Ok(json!(12)));
        assert_eq!(answer(&part("date", &[]), "1990-01-31"), Ok(json!("1990-01-31")));
        assert_eq!(answer(&part("partial_date", &[]), "01/1990"), Ok(json!("01/1990")));
    }

    #[test]
    fn an_option_that_is_a_number_is_meant_by_its_word() {
        assert_eq!(choice(&["2".into(), "1".into()], &[], "1", Words::of("en")), Ok("1".into()));
    }

    #[test]
    fn an_answer_can_be_given_in_spanish() {
        let words = Words::of("es");
        assert_eq!(super::answer(&part("yes_no", &[]), "Sí", words), Ok(json!(true)));
        assert_eq!(super::answer(&part("yes_no", &[]), "si", words), Ok(json!(true)));
        assert_eq!(super::answer(&part("yes_no", &[]), "quizás", words), Err("Escriba sí o no.".into()));
        let labels = vec!["Según mi país, sí".to_owned(), "Única".to_owned()];
        let which = Part { option_labels: labels, ..part("multi", &["a", "b"]) };
        assert_eq!(super::answer(&which, "según mi país, sí", words), Ok(json!(["a"])));
        assert_eq!(super::answer(&which, "única, 1", words), Ok(json!(["b", "a"])));
        assert_eq!(
            super::answer(&which, "otra", words),
            Err("Elija uno de 1 a 2, o escriba su palabra.".into())
        );
    }

    #[test]
    fn answers_are_read_back_as_people_say_them() {
        let shown = |part: &Part, answer: Value| super::shown(part, &answer, Words::of("es"));
        let which = part("multi", &["a_b", "c"]);
        assert_eq!(shown(&which, json!(["a_b", "c"])), "a b; c");
        let labelled = Part { option_labels: vec!["Única".into()], ..part("select", &["only"]) };
        assert_eq!(shown(&labelled, json!("only")), "Única");
        assert_eq!(shown(&part("text", &[]), json!("a_b")), "a_b", "no choice, so it stands as it is");
        assert_eq!(shown(&part("yes_no", &[]), json!(true)), "sí");
        assert_eq!(shown(&part("money", &[]), json!(125_050)), "$1,250.50");
        assert_eq!(shown(&part("int", &[]), json!(3)), "3");
        let trips = json!([{"left": "2020-01-02", "where": "Lima"}, {"left": "2021-01-02"}]);
        assert_eq!(shown(&part("repeating", &[]), trips), "2020-01-02, Lima; 2021-01-02");
    }

    #[test]
    fn dollars_become_cents_exactly() {
        let money = part("money", &[]);
        assert_eq!(answer(&money, "1,250.50"), Ok(json!(125_050)));
        assert_eq!(answer(&money, "$20"), Ok(json!(2_000)));
        assert_eq!(answer(&money, "0.05"), Ok(json!(5)));
        for wrong in ["", "1.5", "-3", "1.505", "a", "99999999999999999999"] {
            assert!(answer(&money, wrong).is_err(), "{wrong}");
        }
    }
}
