//! Next month's Visa Bulletin comes as a row of a file, and a node that starts with it goes by it.

use std::fmt::Write as _;

use docket_proto::filing::v1 as pb;
use jiff::civil::Date;
use serde_json::json;

use crate::editions::copy;
use crate::world::{World, catalogue};

/// A month in which one class has numbers for priority dates before a day, and no other class has any.
fn bulletin(month: Date, class: &str, before: &str) -> String {
    let mut text =
        format!("\n[[month]]\nmonth = \"{}\"\ncite = \"made up\"\nmark = \"\"\n", month.strftime("%Y-%m"));
    for (kind, classes) in [
        ("family", &["F1", "F2A", "F2B", "F3", "F4"][..]),
        (
            "employment",
            &[
                "EB-1",
                "EB-2",
                "EB-3",
                "Other Workers",
                "EB-4",
                "EB-5 Unreserved",
                "EB-5 Rural",
                "EB-5 High Unemployment",
                "EB-5 Infrastructure",
            ],
        ),
    ] {
        let _ = writeln!(text, "[month.{kind}]\nchart = \"filing\"");
        for one in classes {
            let entries = [if *one == class { before } else { "U" }; 5];
            let _ = writeln!(text, "dates.\"{one}\" = {entries:?}");
        }
    }
    text
}

fn about_numbers(filing: &pb::Filing) -> Vec<(&str, &str)> {
    let found = filing.findings.iter().filter(|finding| finding.rule.starts_with("visa-"));
    found.map(|finding| (finding.rule.as_str(), finding.level.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_that_is_dropped_into_the_folder_stops_who_has_no_visa_number_and_lets_who_has_one_file() {
    let (mut world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("I-485").await.unwrap().name;
    let answers = json!({
        "category": "employment", "category_detail": "eb 3", "app_birth_country": "BR",
        "basis_priority_date": "2024-03-02",
    });
    let unknown = ana.answer(&draft, &answers).await.unwrap();
    assert_eq!(about_numbers(&unknown), [("visa-chart", "warn")]);

    let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
    let today = zone.to_datetime(jiff::Timestamp::from_microsecond(world.now_us()).unwrap()).date();
    for (nth, (before, found)) in
        [("2024-03-02", &[("visa-availability", "block")][..]), ("2024-03-03", &[])].into_iter().enumerate()
    {
        let to = folder.path().join(nth.to_string());
        copy(&catalogue(), &to);
        let file = to.join("_visa_bulletin.toml");
        let known = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, known + &bulletin(today, "EB-3", before)).unwrap();
        world.replace(to).await;
        let there = ana.at(world.node());
        let seen = there.get(&draft).await.unwrap();
        assert_eq!(about_numbers(&seen), found, "{before}");
        let said = seen.findings.iter().find(|finding| finding.rule == "visa-availability");
        let told = "For EB-3 and all areas but those listed, the Visa Bulletin of";
        assert!(said.is_none_or(|said| said.message.contains(told)), "{said:?}");
    }
}
