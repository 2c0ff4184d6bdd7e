//! Variables in a story: `{{today-5y+3d}}`, `{{run}}`, `{{ana.email}}`.
use anyhow::{Context, Result, bail};
use jiff::civil::Date;
use jiff::{Span, ToSpan};
use std::collections::BTreeMap;
use toml::Value;

/// Names and what they stand for.
#[derive(Clone, Debug)]
pub struct Vars {
    today: Date,
    named: BTreeMap<String, String>,
}

impl Vars {
    /// Variables on a day.
    pub fn new(today: Date) -> Self {
        Self { today, named: BTreeMap::new() }
    }

    /// Another day has come.
    pub fn set_today(&mut self, today: Date) {
        self.today = today;
    }

    /// Sets one.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.named.insert(name.into(), value.into());
    }

    /// Sets one unless it is set.
    pub fn set_if_new(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.named.entry(name.into()).or_insert_with(|| value.into());
    }

    /// Fills in every text of a value.
    pub fn fill(&self, value: &Value) -> Result<Value> {
        Ok(match value {
            Value::String(text) => Value::String(self.text(text)?),
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.fill(item)).collect::<Result<_>>()?)
            }
            Value::Table(table) => Value::Table(
                table.iter().map(|(key, item)| Ok((key.clone(), self.fill(item)?))).collect::<Result<_>>()?,
            ),
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => value.clone(),
        })
    }

    fn text(&self, text: &str) -> Result<String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, behind) =
                after.split_once("}}").with_context(|| format!("a variable without its end in {text:?}"))?;
            filled.push_str(before);
            filled.push_str(&self.value(name.trim())?);
            rest = behind;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn value(&self, name: &str) -> Result<String> {
        if let Some(shift) = name.strip_prefix("today") {
            return Ok(shifted(self.today, shift)?.to_string());
        }
        self.named.get(name).cloned().with_context(|| format!("no variable {name:?} at this step"))
    }
}

/// A date moved by `-5y+100d`.
fn shifted(date: Date, shift: &str) -> Result<Date> {
    let mut moved = date;
    let mut rest = shift;
    while !rest.is_empty() {
        let end = rest.find(['y', 'm', 'd']).with_context(|| format!("{shift:?} has no unit y, m or d"))?;
        let count: i32 = rest[..end].parse().with_context(|| format!("{:?} is no number", &rest[..end]))?;
        let span: Span = match &rest[end..=end] {
            "y" => count.years(),
            "m" => count.months(),
            "d" => count.days(),
            unit => bail!("{unit:?} is no unit"),
        };
        moved = moved.checked_add(span)?;
        rest = &rest[end + 1..];
    }
    Ok(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_move_by_years_months_and_days() {
        let mut vars = Vars::new(jiff::civil::date(2026, 11, 23));
        vars.set("ana.email", "ana@example.test");
        assert_eq!(
            vars.text("from {{today-5y+90d}} by {{ana.email}}").unwrap(),
            "from 2022-02-21 by ana@example.test"
        );
        assert!(vars.text("{{nobody}}").is_err());
        assert!(vars.text("{{today-5}}").is_err());
    }
}
