//! From a typed line to an answer as the API takes it. What a line means is read here; whether it is right, the service says.
use super::form::Part;
use serde_json::{Value, json};

/// Parts of an address, and what they are called.
pub const ADDRESS: [(&str, &str); 7] = [
    ("line1", "street and number"),
    ("unit", "apartment, suite or floor"),
    ("city", "city"),
    ("state", "state (two letters; outside the United States leave it out)"),
    ("province", "province (outside the United States)"),
    ("postal_code", "ZIP or postal code"),
    ("country", "country (two letters, such as US)"),
];

/// The answer that a line gives, or what to type instead.
pub fn answer(part: &Part, line: &str) -> Result<Value, String> {
    match part.kind.as_str() {
        "yes_no" | "check" => yes_or_no(line).map(Value::Bool),
        "select" => choice(&part.options, line).map(Value::String),
        "multi" => {
            let chosen: Result<Vec<String>, String> =
                line.split(',').map(|word| choice(&part.options, word.trim())).collect();
            chosen.map(|chosen| json!(chosen))
        }
        "int" | "weight" => {
            line.parse::<i64>().map(|n| json!(n)).map_err(|_| "Type a whole number.".to_owned())
        }
        "money" => cents(line).map(|cents| json!(cents)),
        _ => Ok(Value::String(line.to_owned())),
    }
}

/// What can be typed, in a few words.
pub fn hint(part: &Part) -> &'static str {
    match part.kind.as_str() {
        "yes_no" | "check" => "yes or no",
        "select" => "a number or a word",
        "multi" => "numbers or words, with commas between them",
        "int" => "a whole number",
        "weight" => "pounds",
        "money" => "dollars, such as 1,250.50",
        "date" => "a date, such as 1990-01-31",
        "partial_date" => "a date, a month or a year: 1990-01-31, 1990-01, 1990",
        "country" => "two letters, such as US",
        "us_state" => "two letters, such as NY",
        "height" => "such as 5'04\"",
        "a_number" => "such as A012345678",
        "receipt" => "such as IOE0912345678",
        _ => "",
    }
}

fn yes_or_no(line: &str) -> Result<bool, String> {
    match line.to_lowercase().as_str() {
        "y" | "yes" => Ok(true),
        "n" | "no" => Ok(false),
        _ => Err("Type yes or no.".to_owned()),
    }
}

/// A choice by its number, counted from 1, or by its word.
pub fn choice(options: &[String], line: &str) -> Result<String, String> {
    let by_number = line.parse::<usize>().ok().and_then(|n| options.get(n.checked_sub(1)?));
    // Some options are numbers themselves: then the word is meant.
    let by_word = options.iter().find(|option| option.eq_ignore_ascii_case(line) || spoken(option) == line);
    by_word
        .or(by_number)
        .cloned()
        .ok_or_else(|| format!("Choose one of 1 to {}, or type its word.", options.len()))
}

/// An option as people read it.
pub fn spoken(option: &str) -> String {
    option.replace('_', " ")
}

fn cents(line: &str) -> Result<i64, String> {
    let plain = line.trim_start_matches('$').replace(',', "");
    let (whole, part) = plain.split_once('.').unwrap_or((&plain, "00"));
    let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let whole = whole.parse::<i64>().ok().filter(|whole| *whole >= 0 && digits);
    let cents = whole.and_then(|whole| whole.checked_mul(100)?.checked_add(part.parse().ok()?));
    cents.ok_or_else(|| "Type dollars, such as 1,250.50.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(kind: &str, options: &[&str]) -> Part {
        Part {
            kind: kind.into(),
            label: String::new(),
            options: options.iter().map(|&option| option.to_owned()).collect(),
        }
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
    }

    #[test]
    fn an_option_that_is_a_number_is_meant_by_its_word() {
        assert_eq!(choice(&["2".into(), "1".into()], "1"), Ok("1".into()));
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
