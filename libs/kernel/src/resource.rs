//! Names of resources on the wire: `cases/<uuid>`.

use uuid::Uuid;

use crate::refusal::FieldFault;

/// The name of `id` in `collection`.
pub fn name(collection: &str, id: Uuid) -> String {
    format!("{collection}/{id}")
}

/// The id in a name of `collection`. Only the written form of [`name`] is taken: lower case with hyphens.
pub fn parse(collection: &str, text: &str) -> Result<Uuid, FieldFault> {
    parse_field("name", collection, text)
}

/// The same for a name that stands in another field than `name`.
pub fn parse_field(field: &str, collection: &str, text: &str) -> Result<Uuid, FieldFault> {
    text.strip_prefix(collection)
        .and_then(|rest| rest.strip_prefix('/'))
        .and_then(|id| Uuid::try_parse(id).ok().filter(|uuid| uuid.to_string() == id))
        .ok_or_else(|| {
            FieldFault::new(
                field,
                "NAME_MALFORMED",
                format!("Write the name as {collection}/<id>, such as {collection}/01890a5d-ac96-774b-bcce-b302099a8057."),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let id = Uuid::from_u128(0x0189_0a5d_ac96_774b_bcce_b302_099a_8057);
        assert_eq!(parse("cases", &name("cases", id)), Ok(id));
        for bad in [
            "",
            "cases",
            "cases/",
            "case/01890a5d-ac96-774b-bcce-b302099a8057",
            "cases/x",
            "cases/01890A5D-AC96-774B-BCCE-B302099A8057",
            "cases/01890a5dac96774bbcceb302099a8057",
            "cases/01890a5d-ac96-774b-bcce-b302099a8057/x",
        ] {
            assert_eq!(parse("cases", bad).unwrap_err().reason, "NAME_MALFORMED", "{bad}");
            assert_eq!(parse_field("motion", "cases", bad).unwrap_err().field, "motion", "{bad}");
        }
    }
}
