//! New rows by binary `COPY`, the fastest way into a table: format of
//! <https://www.postgresql.org/docs/current/sql-copy.html>, "Binary Format". A row that is there already is an error.

use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::super::row::{CaseRow, TimelineRow};
use super::super::tables::Tables;

/// Signature, no flags, no extension of the header.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// Version of the binary form of `jsonb`: the text follows.
const JSONB: u8 = 1;

/// Adds rows of cases that are not there.
pub(super) async fn cases(conn: &mut PgConnection, tables: Tables, rows: &[CaseRow]) -> sqlx::Result<()> {
    let mut copy = Copy::new();
    for row in rows {
        let case = &row.case;
        copy.row(18);
        copy.uuid(Some(row.case_id));
        copy.text(&case.receipt_number);
        copy.uuid(case.party);
        copy.uuid(case.officer);
        copy.text(&case.office);
        copy.text(row.site());
        copy.text(case.stage.as_str());
        copy.text(&row.task);
        copy.number(row.waiting_since_us);
        copy.number(case.submitted_at_us);
        copy.number(row.version.cast_signed());
        copy.number(row.changed_at_us);
        copy.number(row.party_version.cast_signed());
        copy.number(row.party_changed_at_us);
        copy.json(case)?;
        copy.uuid(case.representative());
        copy.text(row.answer());
        copy.field(&[u8::from(case.is_expedited())]);
    }
    let columns = "case_id, receipt_number, party, officer, office, site, stage, task, waiting_since_us,
        submitted_at_us, version, changed_at_us, party_version, party_changed_at_us, state, representative, answer,
        expedited";
    copy.send(conn, &format!("COPY {} ({columns}) FROM STDIN (FORMAT binary)", tables.cases())).await
}

/// Adds lines that are not there.
pub(super) async fn lines(conn: &mut PgConnection, tables: Tables, rows: &[TimelineRow]) -> sqlx::Result<()> {
    let mut copy = Copy::new();
    for row in rows {
        copy.row(7);
        copy.uuid(Some(row.case_id));
        copy.number(row.version.cast_signed());
        copy.text(&row.kind);
        copy.text(&row.line.text);
        copy.json(&row.line.facts)?;
        copy.field(&[u8::from(row.line.office_only)]);
        copy.number(row.recorded_at_us);
    }
    let columns = "case_id, version, kind, text_id, facts, office_only, recorded_at_us";
    copy.send(conn, &format!("COPY {} ({columns}) FROM STDIN (FORMAT binary)", tables.lines())).await
}

/// Rows as they go over the wire.
struct Copy(Vec<u8>);

impl Copy {
    fn new() -> Self {
        Self(HEADER.to_vec())
    }

    fn row(&mut self, fields: i16) {
        self.0.extend_from_slice(&fields.to_be_bytes());
    }

    fn field(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    fn length(&mut self, bytes: usize) {
        let length = i32::try_from(bytes).expect("a field of a row is far below 2 GiB");
        self.0.extend_from_slice(&length.to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.field(text.as_bytes());
    }

    fn number(&mut self, number: i64) {
        self.field(&number.to_be_bytes());
    }

    fn uuid(&mut self, id: Option<Uuid>) {
        match id {
            Some(id) => self.field(id.as_bytes()),
            // A length of -1 is NULL.
            None => self.0.extend_from_slice(&(-1_i32).to_be_bytes()),
        }
    }

    /// Written in place; the length is known afterwards.
    fn json(&mut self, value: &impl Serialize) -> sqlx::Result<()> {
        let at = self.0.len();
        self.length(0);
        self.0.push(JSONB);
        serde_json::to_writer(&mut self.0, value).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let length = i32::try_from(self.0.len() - at - 4).expect("a field of a row is far below 2 GiB");
        self.0[at..at + 4].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }

    async fn send(mut self, conn: &mut PgConnection, statement: &str) -> sqlx::Result<()> {
        // Instead of a number of fields: the end.
        self.row(-1);
        let mut copy = conn.copy_in_raw(statement).await?;
        copy.send(self.0).await?;
        copy.finish().await?;
        Ok(())
    }
}
