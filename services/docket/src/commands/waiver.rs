//! `docket waiver`: asking that the fee of a draft be waived (Form I-912, 8 CFR 106.3), or no longer.
use super::Refused;
use super::interview::ask::{Ask, say};
use super::interview::definition;
use super::interview::part::Part;
use super::interview::words::Words;
use super::paper::{self, Drafts};
use crate::output::Teller;
use anyhow::{Context, Result};
use serde_json::Map;
use std::path::{Path, PathBuf};

const FORM: &str = "I-912";
/// What of the form the filing does not answer by itself.
const ASKED: [&str; 4] = ["basis", "benefit", "income", "hardship"];
/// Asked there, and answered by the filing.
const ANSWERED: [&str; 1] = ["forms"];

/// For which draft, and why.
#[derive(Debug, clap::Args)]
pub struct WaiverArgs {
    /// filings/<id>.
    filing: String,
    /// A JSON file with the answers, by question; asked one by one when not given. `docket forms I-912` shows the questions.
    answers: Option<PathBuf>,
    /// Ask no longer: the fee is due.
    #[arg(long, conflicts_with = "answers")]
    drop: bool,
}

/// Asks that the fee be waived; an officer decides, and nothing is due before.
pub async fn waiver(home: &Path, args: &WaiverArgs, teller: &Teller) -> Result<()> {
    let drafts = Drafts::of(home, teller.language()).await?;
    let words = Words::of(teller.language());
    let seen = drafts.get(&args.filing).await?;
    let (etag, answers) = match &args.answers {
        _ if args.drop => (seen.etag, None),
        Some(path) => (0, Some(super::paper::answers_in(path)?)),
        None => (0, Some(led(&drafts, words).await?)),
    };
    let filing = drafts.ask_waiver((&args.filing, etag), answers).await.map_err(Refused::from)?;
    if !teller.is_json() {
        teller.line(if filing.fee_waiver { words.waiver_asked } else { words.waiver_dropped });
    }
    paper::tell(&filing, words, teller);
    Ok(())
}

/// The answers as they are given on the terminal.
async fn led(drafts: &Drafts, words: &'static Words) -> Result<Map<String, serde_json::Value>> {
    let (form, rules) = definition(&drafts.connection, FORM, &drafts.language).await?;
    say(words.how_to_answer_a_part);
    let part = Part { form: &form, rules: &rules, sections: &ASKED, but: &ANSWERED };
    part.ask(&mut Ask::of_terminal(words))?.with_context(|| words.waiver_left.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn what_the_filing_or_a_table_of_the_law_answers_is_not_asked() {
        let catalogue = docket_forms::Catalogue::embedded();
        let rules = catalogue.form(FORM).unwrap();
        let form = serde_json::from_str(&serde_json::to_string(rules).unwrap()).unwrap();
        let part = Part { form: &form, rules, sections: &ASKED, but: &ANSWERED };
        let lines = ["income at or below 150, financial hardship", "3", "21,000", "A hospital bill.", ""];
        let said = part.ask(&mut Ask::typed(Words::of("en"), &lines)).unwrap().unwrap();
        assert_eq!(
            Value::Object(said),
            json!({
                "basis": ["income_at_or_below_150", "financial_hardship"], "household_size": 3, "income": 2_100_000,
                "hardship": "A hospital bill.",
            })
        );
    }
}
