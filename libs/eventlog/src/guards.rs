//! The heads of the streams, which stand beside the events: a walk that found the events sound compares them, a page at a
//! time. Those which moved since the walk began are not looked at.

use std::collections::HashMap;

use crate::heads::{End, Heads};
use crate::{Error, EventLog};

/// Heads compared at a time.
const PAGE: i64 = 1_000;

/// The heads of a log beside a walk through its events.
pub(crate) struct Guards<'a> {
    pub(crate) log: &'a EventLog,
    /// The position before the first of the walk, and the last one.
    pub(crate) before: u64,
    pub(crate) head: u64,
    /// Where streams ended in the walk, as far as it is in mind.
    pub(crate) heads: &'a Heads,
}

/// The head of a stream.
struct Guard {
    name: String,
    first: u64,
    end: End,
}

impl Guards<'_> {
    /// The first head that differs from the events. So many streams were born in the walk, and this one was met there
    /// and has no head.
    pub(crate) async fn fault(
        &self,
        births: u64,
        unguarded: Option<String>,
    ) -> Result<Option<(u64, String)>, Error> {
        if let Some(beyond) = self.beyond().await? {
            return Ok(Some((beyond, "the head says that the log ends before this".to_owned())));
        }
        if let Some(name) = unguarded {
            return Ok(Some((self.head, format!("the head of {name} is missing"))));
        }
        let (mut after, mut born, mut differs) = (String::new(), 0, None::<(u64, String)>);
        loop {
            let page = self.page(&after).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.name);
            let ends = self.ends(&page).await?;
            for Guard { name, first, end } in page {
                born += u64::from(self.before < first && first <= self.head);
                let looked_at = self.walked(&name, first, &end) && end.position <= self.head;
                // A head that says it ends before the log begins is named where its events end.
                let at = match ends.get(&name) {
                    Some(real) if end.position == 0 => real.position,
                    None | Some(_) => end.position,
                };
                let earlier = differs.as_ref().is_none_or(|(position, _)| at < *position);
                if looked_at && earlier && ends.get(&name) != Some(&end) {
                    differs = Some((at, format!("the head of {name} differs from its events")));
                }
            }
        }
        if differs.is_some() || born == births {
            return Ok(differs);
        }
        // Each head that was looked at has its events. So one is missing, or says that it is older or younger than it is.
        let fault = match self.without().await? {
            Some(name) => format!("the head of {name} is missing"),
            None => "the head of a stream says that it began elsewhere".to_owned(),
        };
        Ok(Some((self.head, fault)))
    }

    /// Whether events of the stream were part of the walk: where it began says so as well, so that a head which lies about
    /// its end alone is looked at even when the stream is out of mind.
    fn walked(&self, name: &str, first: u64, end: &End) -> bool {
        first > self.before || end.position > self.before || self.heads.get(name).is_some()
    }

    /// The first position beyond what the log's head says, as somebody else says. In one statement, so that what is
    /// appended meanwhile moves both sides at once.
    async fn beyond(&self) -> Result<Option<u64>, Error> {
        let beyond = sqlx::query_scalar!(
            "SELECT min(beyond.position) FROM log.head, LATERAL (
                SELECT min(position) FROM log.event
                WHERE log = head.log AND position > head.position
                UNION ALL
                SELECT min(last_position) FROM log.stream
                WHERE log = head.log AND last_position > head.position
                UNION ALL
                SELECT min(last_position) FROM log.command
                WHERE log = head.log AND last_position > head.position
             ) AS beyond (position)
             WHERE head.log = $1",
            self.log.name()
        )
        .fetch_one(self.log.pool())
        .await?;
        Ok(beyond.map(i64::unsigned_abs))
    }

    /// The next heads in the order of their names.
    async fn page(&self, after: &str) -> Result<Vec<Guard>, Error> {
        let rows = sqlx::query!(
            "SELECT name, version, link, first_position, last_position FROM log.stream
             WHERE log = $1 AND name > $2 ORDER BY name LIMIT $3",
            self.log.name(),
            after,
            PAGE
        )
        .fetch_all(self.log.pool())
        .await?;
        let guards = rows.into_iter().map(|row| Guard {
            name: row.name,
            first: row.first_position.unsigned_abs(),
            end: End::read(row.version, &row.link, row.last_position),
        });
        Ok(guards.collect())
    }

    /// Where these streams end by their events, as far as they were part of the walk.
    async fn ends(&self, page: &[Guard]) -> Result<HashMap<String, End>, Error> {
        let (mut ends, mut unknown) = (HashMap::new(), Vec::new());
        for guard in page.iter().filter(|guard| self.walked(&guard.name, guard.first, &guard.end)) {
            match self.heads.get(&guard.name) {
                Some(end) => drop(ends.insert(guard.name.clone(), *end)),
                None => unknown.push(guard.name.clone()),
            }
        }
        if unknown.is_empty() {
            return Ok(ends);
        }
        let rows = sqlx::query!(
            r#"SELECT asked.name AS "name!", e.version AS "version!", e.link AS "link!", e.position AS "position!"
             FROM unnest($2::text[]) AS asked (name)
             CROSS JOIN LATERAL (
                SELECT version, link, position FROM log.event
                WHERE log = $1 AND stream = asked.name AND position <= $3 ORDER BY version DESC LIMIT 1) AS e"#,
            self.log.name(),
            &unknown,
            self.head.cast_signed()
        )
        .fetch_all(self.log.pool())
        .await?;
        ends.extend(rows.into_iter().map(|row| (row.name, End::read(row.version, &row.link, row.position))));
        Ok(ends)
    }

    /// A stream that was born in the walk and has no head: looked for only when their numbers differ.
    async fn without(&self) -> Result<Option<String>, Error> {
        let name = sqlx::query_scalar!(
            "SELECT min(e.stream) FROM log.event e
             WHERE e.log = $1 AND e.version = 1 AND e.position > $2 AND e.position <= $3
               AND NOT EXISTS (SELECT FROM log.stream s WHERE s.log = e.log AND s.name = e.stream)",
            self.log.name(),
            self.before.cast_signed(),
            self.head.cast_signed()
        )
        .fetch_one(self.log.pool())
        .await?;
        Ok(name)
    }
}
