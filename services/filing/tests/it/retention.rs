//! Drafts that are worked on, told of, held, released and given up in every order, day by day, against a table written by hand: when each
//! is told of and when it goes; and beside them an answer to a request, which waits for its own last day.

use docket_kernel::deadline::office_date;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;
use uuid::Uuid;

use crate::client::Client;
use crate::copies::text;
use crate::files;
use crate::keep::{ANNOUNCED, abandon, turn_to};
use crate::world::{GLANCE, PATIENCE, World, fee_settled};

/// What somebody does with a draft, an hour before midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Save,
    Hold,
    Release,
    GiveUp,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Told,
    Expired,
    GivenUp,
}

use Act::{GiveUp, Hold, Release, Save};
use Fate::{Expired, GivenUp, Told};

/// Days are counted from the one on which it was begun; of what is held it is looked again a day later. Thirty days after the last work it is kept to the end of the day; fourteen, seven
/// and one day before the last one it is told of; and whoever was told a day before has that day.
type Row = (&'static [(i32, Act)], &'static [(i32, Fate)]);

const TABLE: &[Row] = &[
    (&[], &[(16, Told), (23, Told), (29, Told), (31, Expired)]),
    // Saved before it is told of, between two times, and on the last day.
    (&[(10, Save)], &[(26, Told), (33, Told), (39, Told), (41, Expired)]),
    (&[(20, Save)], &[(16, Told), (36, Told), (43, Told), (49, Told), (51, Expired)]),
    (&[(24, Save), (30, Save)], &[(16, Told), (23, Told), (46, Told), (53, Told), (59, Told), (61, Expired)]),
    (&[(30, Save)], &[(16, Told), (23, Told), (29, Told), (46, Told), (53, Told), (59, Told), (61, Expired)]),
    // Held and released before anything is due: as if nothing had been.
    (&[(5, Hold), (8, Release)], &[(16, Told), (23, Told), (29, Told), (31, Expired)]),
    // Held over the first time of telling: told once it is released, and further as always.
    (&[(15, Hold), (17, Release)], &[(18, Told), (23, Told), (29, Told), (31, Expired)]),
    // Held over the last one, and over the end: told once, and there for a day more.
    (&[(28, Hold), (30, Release)], &[(16, Told), (23, Told), (31, Told), (33, Expired)]),
    // Told for the last time, then held over the end: it goes once it is released.
    (&[(29, Hold), (32, Release)], &[(16, Told), (23, Told), (29, Told), (33, Expired)]),
    // Saved while it is held: the thirty days are those after the work.
    (&[(15, Hold), (18, Save), (20, Release)], &[(34, Told), (41, Told), (47, Told), (49, Expired)]),
    (
        &[(18, Save), (19, Hold), (20, Release)],
        &[(16, Told), (34, Told), (41, Told), (47, Told), (49, Expired)],
    ),
    // Given up: at once, and nothing is told any more.
    (&[(3, GiveUp)], &[(3, GivenUp)]),
    (&[(17, GiveUp)], &[(16, Told), (17, GivenUp)]),
    (&[(10, Save), (27, GiveUp)], &[(26, Told), (27, GivenUp)]),
    (&[(2, Hold), (4, GiveUp), (8, Release)], &[(4, GivenUp)]),
];
/// Nothing is to come after this day.
const LAST: i32 = 62;
/// Hours at which it is looked what became of them: those of the office at which something may be due, and the evening.
const HOURS: [i8; 3] = [9, 12, 23];

struct Kept {
    name: String,
    row: &'static Row,
    given_name: String,
}

impl Kept {
    /// What was written of it, by day.
    async fn fates(&self, world: &World, begun_on: Date) -> Vec<(i32, Fate)> {
        let written: Vec<(String, i64)> =
            sqlx::query_as("SELECT kind, recorded_at_us FROM log.event WHERE stream = $1 ORDER BY version")
                .bind(self.name.replace("filings/", "filing-"))
                .fetch_all(world.pool())
                .await
                .unwrap();
        let fate = |(kind, at): (String, i64)| {
            let fate = match kind.as_str() {
                ANNOUNCED => Told,
                "filing.draft_expired.v1" => Expired,
                "filing.draft_abandoned.v1" => GivenUp,
                _ => return None,
            };
            let day = office_date(Timestamp::from_microsecond(at).unwrap());
            Some(((day - begun_on).get_days(), fate))
        };
        written.into_iter().filter_map(fate).collect()
    }

    async fn acted(&mut self, world: &World, ana: &Client, day: i32) {
        for (_, act) in self.row.0.iter().filter(|(on, _)| *on == day) {
            match act {
                Save => {
                    // Another name each time, short enough to stand in one line.
                    self.given_name =
                        format!("Ana{}", ["lia", "bel", "tole", "is"][usize::try_from(day % 4).unwrap()]);
                    ana.answer(&self.name, &json!({ "app_given_name": self.given_name })).await.unwrap();
                }
                Hold => world.hold(&self.name).await,
                Release => world.release(&self.name).await,
                GiveUp => drop(abandon(ana, Uuid::now_v7(), &self.name).await.unwrap()),
            }
        }
    }

    /// Waits until what is to be written of it by this day is there.
    async fn until_told(&self, world: &World, begun_on: Date, day: i32) {
        let due = self.row.1.iter().filter(|(on, _)| *on <= day).count();
        let there = async {
            while self.fates(world, begun_on).await.len() < due {
                tokio::time::sleep(GLANCE).await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, there).await.is_ok();
        assert!(in_time, "{:?} on day {day}: {:?}", self.row, self.fates(world, begun_on).await);
    }

    /// Whether somebody keeps it by force at the end of this day.
    fn is_held(&self, day: i32) -> bool {
        let last = self.row.0.iter().rfind(|(on, act)| *on <= day && matches!(act, Hold | Release));
        last.is_some_and(|(_, act)| *act == Hold)
    }

    /// The day on which it goes.
    fn ends(&self) -> i32 {
        self.row.1.last().map_or(LAST, |(day, _)| *day)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_whatever_order_a_draft_is_saved_held_and_given_up_it_is_told_of_and_goes_on_its_days() {
    let world = World::start().await;
    let mut ana = world.person("Ana Lúcia", "Lima");
    let (request, answer) = answering(&world, &ana).await;
    let begun_on = office_date(Timestamp::from_microsecond(world.now_us()).unwrap());
    let mut drafts = Vec::new();
    for row in TABLE {
        let name = ana.start("I-765").await.unwrap().name;
        drafts.push(Kept { name, row, given_name: String::new() });
    }
    for day in 1..=LAST {
        for hour in HOURS {
            turn_to(&world, &mut ana, begun_on + day.days(), hour).await;
            until_nothing_is_due(&world).await;
        }
        for draft in &mut drafts {
            draft.acted(&world, &ana, day).await;
            draft.until_told(&world, begun_on, day).await;
            if draft.is_held(day) {
                assert!(!ana.get(&draft.name).await.unwrap().erased, "{:?} on day {day}", draft.row.0);
            }
            if day == draft.ends() - 1 && !draft.given_name.is_empty() {
                says_what_was_saved(&ana, draft).await;
            }
        }
    }
    for draft in &drafts {
        assert_eq!(draft.fates(&world, begun_on).await, draft.row.1, "{:?}", draft.row.0);
        crate::keep::until_content_erased(&ana, &draft.name).await;
    }
    // The answer waits for the day until which it is due, whatever becomes of drafts.
    let open = ana.until_response(request).await;
    assert_eq!((open.received_at_us, open.evidence.len()), (0, 1), "{open:?}");
    assert_eq!(ana.download(&answer).await.unwrap().1, files::picture(51));
}

/// Waits until what was due by now is done.
async fn until_nothing_is_due(world: &World) {
    let now_us = world.now_us();
    let done = async {
        let due = "SELECT count(*) FROM log.timer WHERE due_at_us <= $1";
        while sqlx::query_scalar::<_, i64>(due).bind(now_us).fetch_one(world.pool()).await.unwrap() > 0 {
            tokio::time::sleep(GLANCE).await;
        }
    };
    tokio::time::timeout(PATIENCE, done).await.expect("what was due is done");
}

/// What is printed of a draft on the last day before it goes is what was saved last.
async fn says_what_was_saved(ana: &Client, draft: &Kept) {
    let kept = ana.get(&draft.name).await.unwrap();
    let answers: serde_json::Value = serde_json::from_str(&kept.answers_json).unwrap();
    assert_eq!(answers, json!({ "app_given_name": draft.given_name }), "{:?}", draft.row.0);
    let (header, printed) = ana.copy_or_draft(&draft.name, true).await.unwrap();
    assert!(header.draft && text(&printed).contains(&draft.given_name), "{:?}", draft.row.0);
}

/// A filing that went in and is asked for something in 84 days, with a file that waits to be sent.
async fn answering(world: &World, ana: &Client) -> (Uuid, String) {
    let (sent, payment) = ana.sent().await;
    world.payment(&payment, fee_settled(&payment, &sent, world.now_us())).await;
    ana.until(&sent, "submitted").await;
    let (request, due_us) = (Uuid::now_v7(), world.now_us() + 84 * 86_400 * 1_000_000);
    world.ask(&sent, request, &["tax_transcripts"], due_us).await;
    let response = ana.until_response(request).await.name;
    let file = ana.upload(&response, "tax_transcripts", "taxes.png", &files::picture(51)).await.unwrap();
    (request, file.name)
}
