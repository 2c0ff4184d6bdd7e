//! Several people write into one draft, each from what they saw last and some after a long time without a line: nothing that was
//! acknowledged is lost unseen, and whoever writes something else is never stopped.

use std::collections::BTreeMap;

use docket_proto::events::filing::Event;
use docket_proto::filing::events::v1 as pb;
use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::filing::{Filing, answer, evolve};

const EDITORS: usize = 3;
const QUESTIONS: u32 = 12;
/// Acts in the short form and in the long one (`DOCKET_PROOF`).
const ACTS: (u32, u32) = (50_000, 1_000_000);
/// After so many acts another draft is begun.
const A_DRAFT: u32 = 400;

/// What somebody typed and did not send yet: question and answer.
type Waiting = Vec<(String, u32)>;

/// A draft as the log has it, and what everybody saw of it last.
#[derive(Default)]
struct Desk {
    filing: Filing,
    /// The answers, merged from the events.
    answers: BTreeMap<String, u32>,
    seen: [(u64, BTreeMap<String, u32>); EDITORS],
    waiting: [Waiting; EDITORS],
    acknowledged: BTreeMap<String, u32>,
}

/// What became of the sent answers.
#[derive(Debug, Default)]
struct Count {
    saved: u32,
    told: u32,
}

impl Desk {
    fn begun() -> Self {
        let mut desk = Self::default();
        desk.happens(&pb::DraftStarted { form: "N-400".into(), ..Default::default() }.into());
        for editor in 0..EDITORS {
            desk.looks(editor);
        }
        desk
    }

    fn happens(&mut self, event: &Event) {
        self.filing = evolve(std::mem::take(&mut self.filing), event);
    }

    fn looks(&mut self, editor: usize) {
        self.seen[editor] = (self.filing.version, self.answers.clone());
    }

    /// Sends everything that waits, one answer after the other, each on what was seen last.
    fn sends(&mut self, editor: usize, count: &mut Count) {
        for (question, typed) in std::mem::take(&mut self.waiting[editor]) {
            let (etag, seen) = self.seen[editor].clone();
            let unseen = self.answers.get(&question) != seen.get(&question);
            match answer(&self.filing, etag, vec![question.clone()], String::new()) {
                Ok(events) => {
                    assert!(!unseen, "{question} was overwritten unseen");
                    for event in &events {
                        self.happens(event);
                    }
                    self.answers.insert(question.clone(), typed);
                    self.acknowledged.insert(question, typed);
                    count.saved += 1;
                }
                Err(refusal) => {
                    assert_eq!(refusal.reason, "ANSWERED_MEANWHILE");
                    assert!(unseen, "{question}: nobody else had answered it");
                    count.told += 1;
                }
            }
            // Both the answer and the refusal lead to another look; what was refused stays with who typed it.
            self.looks(editor);
        }
    }
}

#[test]
fn what_several_people_write_at_once_converges_and_nothing_acknowledged_is_lost_unseen() {
    let acts = if std::env::var_os("DOCKET_PROOF").is_some() { ACTS.1 } else { ACTS.0 };
    let mut chance = TestRng::from_seed(RngAlgorithm::ChaCha, &[11; 32]);
    let (mut desk, mut count, mut typed) = (Desk::begun(), Count::default(), 0);
    for act in 0..acts {
        if act % A_DRAFT == A_DRAFT - 1 {
            desk = Desk::begun();
        }
        let editor = chance.next_u32() as usize % EDITORS;
        match chance.next_u32() % 8 {
            0 => desk.looks(editor),
            1 | 2 => desk.sends(editor, &mut count),
            _ => {
                // Every answer typed is another one, so that an overwritten one is noticed.
                typed += 1;
                let question = format!("q{}", chance.next_u32() % QUESTIONS);
                desk.waiting[editor].push((question, typed));
            }
        }
        assert_eq!(desk.answers, desk.acknowledged, "what was acknowledged last is what is there");
    }
    assert!(count.saved > acts / 10 && count.told > acts / 100, "both were tried: {count:?}");
}
