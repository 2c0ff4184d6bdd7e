//! Names compared without case and marks, as signatures are (8 CFR 103.2(a)(2): the name as in the form).

use docket_kernel::identifier::name_match;

/// Whether two names are the same but for capitals, accents, hyphens, apostrophes and blanks.
pub fn same(a: &str, b: &str) -> bool {
    let (a, b) = (plain(a), plain(b));
    !a.is_empty() && a == b
}

/// Whether a typed name is the one proven for an account; where none is, any name is.
pub fn agrees(proven: &str, typed: &str) -> bool {
    plain(proven).is_empty() && !plain(typed).is_empty() || same(proven, typed)
}

/// The form for comparing; a hyphen is a blank, and blanks are single.
fn plain(name: &str) -> String {
    name_match(&name.replace('-', " ")).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_marks_and_blanks_do_not_matter_but_letters_do() {
        for (typed, form) in [
            ("maria GARCIA", "María García"),
            ("  Anna   Smith-Jones ", "Anna Smith Jones"),
            ("OBrien", "O’Brien"),
            ("Zoë", "Zoe\u{308}"),
            ("İpek", "ipek"),
        ] {
            assert!(same(typed, form), "{typed} / {form}");
        }
        for (typed, form) in
            [("Maria Garcia", "Mario Garcia"), ("", ""), ("Maria", "Maria Garcia"), ("-", "-")]
        {
            assert!(!same(typed, form), "{typed} / {form}");
        }
    }

    #[test]
    fn where_no_name_is_proven_any_name_agrees_but_none() {
        for (proven, typed, agrees_with_it) in [
            ("Maria Garcia", "maria GARCÍA", true),
            ("Maria Garcia", "Eve Other", false),
            ("Maria Garcia", "", false),
            ("", "Eve Other", true),
            ("", " - ", false),
        ] {
            assert_eq!(agrees(proven, typed), agrees_with_it, "{proven} / {typed}");
        }
    }
}
