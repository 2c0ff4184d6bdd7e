//! The file of the Visa Bulletin: its columns and rows, and month by month what stands in them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;

use super::File;
use super::source::Text;
use crate::catalogue::LoadError;
use crate::visas::{Chart, Cutoff, VisaArea, VisaBulletin, VisaClass, VisaMonth, VisaRow, plain};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    area: Vec<VisaArea>,
    class: Vec<Class>,
    #[serde(default)]
    month: Vec<Month>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Class {
    id: Text,
    kind: Kind,
    names: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Family,
    Employment,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Month {
    #[serde(rename = "month")]
    name: Text,
    cite: String,
    #[serde(rename = "mark")]
    _mark: String,
    family: Table,
    employment: Table,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    chart: Chart,
    dates: BTreeMap<String, Vec<Cutoff>>,
}

/// Reads the Bulletin; every fault found is in `errors`.
pub(crate) fn read(file: &File, errors: &mut Vec<LoadError>) -> VisaBulletin {
    let Some(written): Option<Written> = file.read(errors) else { return VisaBulletin::default() };
    areas(file, &written.area, errors);
    let classes = classes(file, &written.class, errors);
    let mut months: Vec<VisaMonth> = Vec::new();
    for month in &written.month {
        let mut fault = |message: String| {
            errors.push(file.error(month.name.get_ref(), month.name.span().start, message));
        };
        let Ok(first) = format!("{}-01", month.name.get_ref()).parse::<Date>() else {
            fault("a month is written as 2026-07".to_owned());
            continue;
        };
        if months.last().is_some_and(|last| last.month >= first) {
            fault("it does not stand after the months before it".to_owned());
        }
        let rows = rows(&written, month, first, &mut fault);
        months.push(VisaMonth { month: first, cite: month.cite.clone(), rows });
    }
    VisaBulletin { areas: written.area, classes, months }
}

/// The first is for all countries that no other has, and each country is in one.
fn areas(file: &File, areas: &[VisaArea], errors: &mut Vec<LoadError>) {
    let mut fault = |message: String| errors.push(file.error("area", 0, message));
    let lists = areas.iter().map(|area| !area.countries.is_empty());
    if areas.is_empty() || !lists.eq((0..areas.len()).map(|place| place > 0)) {
        fault("the first area lists no country, and every other one some".to_owned());
    }
    let mut seen: Vec<&String> = Vec::new();
    for country in areas.iter().flat_map(|area| &area.countries) {
        if seen.contains(&country) {
            fault(format!("{country} is in two areas"));
        }
        seen.push(country);
    }
}

/// The classes with their names as they are compared; none has the name of another.
fn classes(file: &File, written: &[Class], errors: &mut Vec<LoadError>) -> Vec<VisaClass> {
    let mut classes: Vec<VisaClass> = Vec::new();
    for class in written {
        let (id, names) = (class.id.get_ref(), class.names.iter().map(|name| plain(name)));
        let names: Vec<String> = names.collect();
        let taken = |name: &&String| classes.iter().any(|other| other.names.contains(name));
        if let Some(name) = names.iter().find(taken) {
            errors.push(file.error(
                id,
                class.id.span().start,
                format!("another class is written {name} too"),
            ));
        }
        classes.push(VisaClass { id: id.clone(), names });
    }
    classes
}

/// A row for each class, with something for each area; a date in it lies before the month.
fn rows(written: &Written, month: &Month, first: Date, fault: &mut impl FnMut(String)) -> Vec<VisaRow> {
    let mut rows = Vec::new();
    for (kind, table) in [(Kind::Family, &month.family), (Kind::Employment, &month.employment)] {
        let known =
            |id: &str| written.class.iter().any(|class| class.kind == kind && class.id.get_ref() == id);
        for class in table.dates.keys().filter(|class| !known(class)) {
            fault(format!("there is no class {class} of this kind"));
        }
        for class in written.class.iter().filter(|class| class.kind == kind) {
            let class = class.id.get_ref();
            let Some(cutoffs) = table.dates.get(class) else {
                fault(format!("it says nothing of {class}"));
                continue;
            };
            if cutoffs.len() != written.area.len() {
                fault(format!("{class} has not {} entries, one for each area", written.area.len()));
            }
            if cutoffs.iter().any(|cutoff| matches!(cutoff, Cutoff::Before(day) if *day >= first)) {
                fault(format!("a date of {class} does not lie before the month"));
            }
            rows.push(VisaRow { class: class.clone(), chart: table.chart, cutoffs: cutoffs.clone() });
        }
    }
    rows
}
